/* part.h - a part of a plug as people name it: `strip/lamp`, a socket of a strip or a sub-device of
 * a hub, by its name, its number or its id.  Pure: the JSON of a plug in, plain values out. */
#ifndef TOOLS_PART_H
#define TOOLS_PART_H

#include "broker/base/buf.h"
#include "meross/wire/json.h"
#include "meross/wire/json_write.h"
#include "tools/args.h"

#define PART_REF_MAX 64 /* bytes of a plug's or a part's name */

struct part {
    int channel;  /* negative: the whole plug, or a sub-device */
    char sub[40]; /* the id of a sub-device; "" = none */
};

/* "strip/lamp" into its two halves; `ref` is "" without a slash.  False when one is too long, or
 * empty beside a slash. */
bool part_split(const char *word, char plug[PART_REF_MAX + 1], char ref[PART_REF_MAX + 1]);

/* What `ref` means: the number or the name of a channel, the name of a sub-device, its id or the
 * beginning of exactly one.
 * plug  the JSON of a plug, with its state.
 * Errors: MD_NOENT. */
MD_MUST_USE int part_find(struct part *out, struct span plug, const char *ref);

/* Writes "channel" or "subdevice" into a request that is open. */
void part_write(struct json_writer *w, const struct part *p);

/* The object of a state that is about it; the state itself for the whole plug. */
struct json_at part_of_state(const struct part *p, struct json_at state);

#endif

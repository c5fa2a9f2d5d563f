/* plugs.h - the plugs that a broker lists, and finding one of them by what a person types.
 * Pure: the text of an answer in, structs out. */
#ifndef TOOLS_PLUGS_H
#define TOOLS_PLUGS_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#include <stdio.h>

#define PLUGS_MAX_CHANNELS 16u

struct plug { /* texts are "" when the broker does not know them */
    char name[40], uuid[68], mac[24], type[40], hardware[24], firmware[24], chip[40], address[64];
    char key[16]; /* "configured", "own", "empty", "default", "unknown" */
    bool online, bound;
    int64_t last_seen_s; /* 0: never */
    int64_t user_id;
    unsigned n_channels;
    char channel_state[PLUGS_MAX_CHANNELS][8]; /* "ON", "OFF", "" unknown    */
    unsigned channels[PLUGS_MAX_CHANNELS];
    char state[8];    /* of the whole plug */
    char summary[64]; /* of one that has no switch: "door closed", "3 sub-devices" */
    unsigned n_abilities;
    struct span json; /* as the broker wrote it; lent by the answer's text   */
};

struct plugs {
    struct plug *v;
    size_t n;
};

/* `list` is the JSON list of the answer to `list`; kept, because of plug.json.  Entries whose name
 * is none (topics_name_ok()) are left out; the others are in the order of their names.
 * *out  given: plugs_free().  Errors: MD_PROTO, MD_TOOBIG, MD_NOMEM. */
MD_MUST_USE int plugs_parse(struct plugs *out, struct span list);
/* The same for one plug, an object. */
MD_MUST_USE int plugs_parse_one(struct plugs *out, struct span object);
void plugs_free(struct plugs *p); /* fine on a zeroed one */

/* By name (case does not count), uuid, MAC (any separators, any case), or the beginning of
 * exactly one name.
 * Errors: MD_NOENT, MD_EXIST (several names begin so). */
MD_MUST_USE int plugs_find(const struct plugs *p, const char *ref, const struct plug **out);

/* "kettle, lamp": the names that begin with `prefix`, cut with "..." when there are many. */
void plugs_names(const struct plugs *p, const char *prefix, char *out, size_t cap);

/* "ON", or "ON,OFF,OFF" for a strip; of what is no switch its main value ("position 50"), "-" when
 * nothing is known. */
void plugs_state(const struct plug *p, char *out, size_t cap);

#endif

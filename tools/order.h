/* order.h - what the verbs that order a plug something share: which plug, which part of it, the
 * request and its answer. */
#ifndef TOOLS_ORDER_H
#define TOOLS_ORDER_H

#include "meross/wire/text.h"
#include "tools/cli.h"
#include "tools/part.h"

struct order {
    char plug[40];                /* the name of the plug */
    char name[PART_REF_MAX + 60]; /* for people: "strip", "strip, lamp", "strip, socket 2" */
    struct part part;
};

/* Finds what the first word (and --channel) means.  On failure the reason is on c->err. */
MD_MUST_USE int order_find(struct cli *c, struct order *o);

/* Starts the request: an object that is still open. */
void order_start(struct cli *c, const struct order *o, struct json_writer *w, struct buf *body);

/* Says what the plug made of it: `data` of its answer, after so long. */
typedef void (*order_report_cb)(struct cli *c, const struct order *o, struct span data,
                                const char *wanted, uint64_t took_ms);

/* Sends the request and says what comes of it.
 *
 * body    taken, as by cli_request().
 * wanted  the state that was ordered, for people; NULL: several things.
 * Returns CLI_DONE, or the status of a failure that was said. */
MD_MUST_USE int order_give(struct cli *c, const struct order *o, struct json_writer *w,
                           struct buf *body, const char *wanted, order_report_cb report);

#endif

/* retain.h - Retained Messages by Topic Name. */
#ifndef BROKER_CORE_RETAIN_H
#define BROKER_CORE_RETAIN_H

#include "broker/core/message.h"
#include "broker/core/tree.h"

struct retain;

/* Errors: MD_NOMEM. */
MD_MUST_USE int retain_new(struct retain **out, struct map_seed seed);
void retain_shrink(struct retain *r); /* frees what it does not need now */
void retain_free(struct retain *r);   /* NULL is fine */

/* Keeps `m` (shared) for its topic in place of an older one [MQTT-3.3.1-5] [MQTT-3.3.1-7]; an empty
 * payload removes and is not kept [MQTT-3.3.1-10] [MQTT-3.3.1-11].  Errors: MD_NOMEM: as before. */
MD_MUST_USE int retain_set(struct retain *r, struct message *m);

/* The one kept for a topic; lent, NULL if there is none. */
struct message *retain_get(const struct retain *r, struct span topic);

/* Calls each with every Retained Message the filter matches, in no order; `each` may not
 * change Retained Messages.  Stops early when it returns an error, and returns that.
 * Errors: MD_NOMEM. */
MD_MUST_USE int retain_match(struct retain *r, struct span filter,
                             int (*each)(void *ctx, struct message *m), void *ctx);

/* How many levels of topics, and some for each message, retain_match() has ever looked at. */
size_t retain_steps(const struct retain *r);

size_t retain_count(const struct retain *r);

#endif

/* hooks.h - inside of the broker's hooks; meross_hooks() itself is in meross.h. */
#ifndef MEROSS_HOOKS_H
#define MEROSS_HOOKS_H

#include "meross/meross_int.h"

/* The plug of a connection; lent; NULL for any other client. */
struct plug *hooks_plug(const struct meross *m, const struct broker_client *who);

/* Logs that something was refused, and why; of many in a short time only how many. */
void hooks_refuse(struct meross *m, const char *what, struct span which, const char *addr,
                  const char *why);

/* The same for what a client does with a topic; what is "publish" or "subscribe". */
void hooks_refuse_topic(struct meross *m, const struct broker_client *who, const char *what,
                        struct span topic, const char *why);

void hooks_clear(struct meross *m); /* frees every plug; the map is gone afterwards */

#endif

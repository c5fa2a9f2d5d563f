/* live.h - which password each connection was let in with, to find those that a new configuration
 * would not let in again.  Only who gave a password takes memory here. */
#ifndef BROKER_ACCESS_LIVE_H
#define BROKER_ACCESS_LIVE_H

#include "broker/access/rules.h"
#include "broker/base/map.h"

struct live {
    struct map by_ticket;
};

MD_MUST_USE int live_init(struct live *v, const struct env *env); /* MD_NOMEM */
void live_clear(struct live *v);

/* It is connected, by these rules.  Errors: MD_NOMEM. */
MD_MUST_USE int live_add(struct live *v, const struct rules *r, const struct broker_client *who);
void live_remove(struct live *v, const struct broker_client *who); /* fine when not there */

/* Disconnects those that `r` would not let in; not who has a tag: the inner hooks' client. */
void live_judge(struct live *v, const struct rules *r, struct broker *b);

#endif

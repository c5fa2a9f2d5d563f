/* access.h - who may connect and what they may do, for ordinary clients.
 *
 * Wraps another set of hooks, which is asked first: the module behind it (Meross)
 * knows its own clients and abstains on all others.  Those are judged here.  Knows
 * broker.h, nothing of the broker's inside and nothing of Meross. */
#ifndef BROKER_ACCESS_ACCESS_H
#define BROKER_ACCESS_ACCESS_H

#include "broker/broker.h"

struct access;

struct access_listener {
    unsigned id;          /* broker_client.listener                            */
    bool allow_anonymous; /* from every address; otherwise only from this host */
};

/* listeners  copied.
 * inner      copied; any member may be NULL.
 * *out       given: access_free(), after the broker that has its hooks.
 * Errors: MD_NOMEM. */
MD_MUST_USE int access_new(struct access **out, const struct access_listener *listeners, size_t n,
                           const struct broker_hooks *inner);
void access_free(struct access *a); /* NULL is fine */

/* The hooks to give to broker_new(); they point at `a`. */
struct broker_hooks access_hooks(struct access *a);

#endif

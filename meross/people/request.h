/* request.h - a set or a get of people, from the moment it makes sense to its answer: the SETs of its
 * steps one after another, then its relays; what was acknowledged is told, the first failure ends it. */
#ifndef MEROSS_REQUEST_H
#define MEROSS_REQUEST_H

#include "meross/family/family.h"
#include "meross/people/answer.h"
#include "meross/people/orders.h"
#include "meross/wire/envelope.h"

struct request {
    struct meross *m;
    struct device *dev; /* outlives every command to it */
    struct answer answer;
    struct family_steps steps; /* beside relays */
    unsigned step;             /* of the steps, under way or next */
    struct orders orders;      /* neither these nor steps: the state is asked for       */
    unsigned next;             /* of the orders, for a plug that takes one at a time    */
    uint64_t deadline_ms;      /* of the whole request, however many commands it takes  */
};

/* Begins what r asks for; it is answered when it ends, perhaps before this returns.
 * r  copied; its steps are taken. */
void request_start(struct meross *m, struct device *d, struct request *r);

/* How a command ended, or could not be sent, as people understand it.
 * reply  an ERROR of the plug, or NULL. */
void request_failed(struct meross *m, const struct device *d, const struct answer *a, int err,
                    const struct envelope *reply);

#endif

/* timers.h - deadlines by due time: a binary heap of intrusive timers.
 *
 * Starting and stopping cost O(log n); a connection does not touch its timer for each packet, it
 * looks at the clock when the timer fires and starts it again. */
#ifndef BROKER_CORE_TIMERS_H
#define BROKER_CORE_TIMERS_H

#include "broker/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    void (*fire)(struct timer *t); /* the timer is stopped when it is called */
    uint64_t due_ms;
    size_t slot; /* 1-based place in the heap; 0 = stopped */
};

struct timers {
    struct timer **v; /* v[1] is the earliest */
    size_t n, cap;
};

void timers_free(struct timers *h); /* stops all */

/* (Re)starts `t` (kept until it fires or stops).  Errors: MD_NOMEM; a timer that was running before
 * never fails. */
MD_MUST_USE int timers_start(struct timers *h, struct timer *t, uint64_t due_ms);
void timers_stop(struct timers *h, struct timer *t); /* also when it is stopped */
void timers_shrink(struct timers *h);                /* gives back what so few timers do not need */

/* Fires what is due at now_ms, at most once for each timer that was due at the call. */
void timers_turn(struct timers *h, uint64_t now_ms);
uint64_t timers_next(const struct timers *h); /* due time of the earliest; UINT64_MAX = none */

#endif

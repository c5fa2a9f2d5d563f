/* workers.h - threads of our own for the steps of handshakes.
 *
 * Not libuv's pool: that has one queue for everything, so the store and passwords would wait behind
 * a storm of handshakes; and these threads have a lower priority than the loop, which that pool
 * cannot have: libuv 1.44 wakes a loop in a way that makes it spin until the thread that woke it
 * runs again.
 *
 * They are started when there is work, and end when there was none for a while: their stacks, and
 * what the C library keeps for each thread, are worth more elsewhere. */
#ifndef BROKER_NET_WORKERS_H
#define BROKER_NET_WORKERS_H

#include "broker/base/err.h"
#include "broker/base/list.h"

#include <stdbool.h>
#include <uv.h>

#define WORKERS_MAX 4u

struct worker_item { /* zeroed; a member of what is worked on */
    struct list link;
};

struct workers {
    void (*run)(struct worker_item *item);    /* in one of the threads */
    void (*finish)(struct worker_item *item); /* in the loop, afterwards */
    unsigned n;                               /* threads that there shall be: 1 to WORKERS_MAX */
    unsigned n_started;
    unsigned under_way; /* items that are queued and not finished */
    unsigned idle;      /* calls of workers_rest() since there was work */
    bool resting;       /* the threads were told to end                 */
    int priority;
    int wake[2]; /* a pipe: a byte tells the loop that `done` has something */
    bool stop;
    uv_poll_t woken;
    uv_mutex_t lock; /* guards todo, done, stop */
    uv_cond_t more;
    struct list todo, done;
    uv_thread_t thread[WORKERS_MAX];
};

/* w  its members down to `n` are set, the rest zeroed.  Starts no thread.  Errors: MD_IO; w needs
 * no workers_stop() then. */
MD_MUST_USE int workers_init(struct workers *w, uv_loop_t *loop);

/* Has the item run.  item: lent until finish() is called.  Errors: MD_NOMEM, no thread could be
 * started; nothing was taken. */
MD_MUST_USE int workers_queue(struct workers *w, struct worker_item *item);

#define WORKERS_PATIENCE 5u

/* Call it every second: after WORKERS_PATIENCE of them without work the threads end.  True: they
 * have just done so. */
bool workers_rest(struct workers *w);

/* Waits for all that was queued, calls finish() for it, and closes the handle; w must live until
 * the loop has seen that. */
void workers_stop(struct workers *w);

#endif

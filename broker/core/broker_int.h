/* broker_int.h - struct broker and the parts that exist once in it.  For
 * broker/core only. */
#ifndef BROKER_CORE_BROKER_INT_H
#define BROKER_CORE_BROKER_INT_H

#include "broker/base/list.h"
#include "broker/base/map.h"
#include "broker/broker.h"
#include "broker/core/bridge_echo.h"
#include "broker/core/outq.h"
#include "broker/core/retain.h"
#include "broker/core/subs.h"
#include "broker/core/timers.h"

struct local_item { /* one message for one local subscriber, or (sub == NULL) one to be routed */
    struct broker_sub *sub;
    struct message *m;
};

struct local_queue { /* FIFO; v[head..n) waits */
    struct local_item *v;
    size_t head, n, cap;
    size_t bytes; /* of what waits */
};

struct local { /* local.c: publishers and subscribers without a socket */
    struct local_queue inbox, outbox;
    unsigned dropped; /* since the inbox was empty */
    struct list subs;
};

struct broker {
    const struct env *env;
    struct broker_hooks hooks;
    struct broker_limits limits;
    struct outq_limits queue_limits; /* the part of `limits` that outq.c needs */
    struct subs *subs;
    struct retain *retain;
    struct map sessions;        /* by Client Identifier */
    struct list conns;          /* every struct conn that is not lost */
    struct list lost;           /* to be freed by broker_turn() */
    struct list replays;        /* replay.c; one for each Session at most, here */
    struct list replays_paused; /* or here: its client is away    */
    size_t replay_budget;       /* what is left of this turn's      */
    struct list bridges;        /* bridge_int.h                 */
    uint32_t origins;           /* given to bridges so far      */
    struct bridge_echo echo[BRIDGE_ECHOES];
    uint64_t loop_said_ms; /* when a loop was last logged; 0 = never */
    struct timers timers;
    struct local local;
    struct list app_timers;  /* struct broker_timer */
    struct store *store;     /* NULL: nothing is kept */
    uint32_t session_number; /* given to kept Sessions so far */
    uint64_t message_id;     /* given to stored messages so far */
    uint64_t tickets;        /* given to connections so far */
    unsigned n_open;         /* conns in state OPEN */
    uint64_t full_said_ms;   /* when memory_limit was last logged; 0 = never */
    struct broker_stats stats;
    struct sys *sys;         /* sys.c; NULL: not published */
    uint64_t shrunk_packets; /* packets in and out at the last broker_shrink() */
};

/* How near memory_limit is: pressure.c. */
enum pressure { PRESSURE_NONE, PRESSURE_EARLY, PRESSURE_SOME, PRESSURE_HIGH, PRESSURE_FULL };
enum pressure broker_pressure(const struct broker *b);

/* sys.c */
void sys_free(struct broker *b);

/* local.c */
void local_init(struct broker *b);
void local_clear(struct broker *b);
bool local_turn(struct broker *b); /* true: more is waiting */

#endif

/* meross_int.h - what the rooms below meross/ share; for them only.
 *
 *   meross.c    new, attach, detach: owns everything below
 *   hooks.c     the broker's questions and reports  ->  session/
 *   wire/       messages and topics as bytes, pure
 *   time/       zones, pure
 *   device/     what is known of a plug, connected or not: device, registry, keys
 *   energy/     what plugs have counted: ledgers and their records
 *   family/     the families of devices: their messages, orders for them; pure
 *   session/    one connection of a plug
 *     door.c      which plugs are let in
 *     probe.c     one that is none, and asks whether plugs are answered here
 *     plug.c      its life, its key, its messages
 *     inbound.c   what a plug says  ->  h_*.c
 *     command.c   what a plug is asked
 *     diary.c     how its connections go, for who looks for a fault
 *     quiet.c     lines of the log that anybody can cause
 *     polls.c     what it is asked by us, after it is bound and from time to time
 *     polls_energy.c ... of those that meter: power, and what they have counted
 *     watchdog.c    shows a plug that gave up its broker again
 *     lan.c         one without a connection: a plug that is asked over HTTP
 *     setup.c       ... first: its abilities, everything
 *     shield.c    what may be sent to it
 *     apps.c      what programs like the vendor's app are told
 *     foreign.c   what other clients send to it; refusal.c: what becomes of what may not
 *   people/     what people ask (control.c) and are told (announce.c) */
#ifndef MEROSS_MEROSS_INT_H
#define MEROSS_MEROSS_INT_H

#include "meross/device/attempts.h"
#include "meross/device/keys.h"
#include "meross/meross.h"
#include "meross/device/registry.h"
#include "meross/energy/book.h"
#include "meross/session/quiet.h"
#include "meross/wire/topics.h"

#define MEROSS_SUBS 4

#define DOOR_PLUGS 64 /* plugs whose refusals are told apart; further ones wait for a place */

struct door_line { /* door.c: a plug whose refusal was logged */
    char uuid[DEVICE_UUID_MAX + 1];
    uint64_t at_ms; /* 0: free */
};

struct meross {
    const struct env *env;
    struct broker *broker; /* NULL before attach and after detach */
    struct topics topics;
    struct keys keys;
    char *version;
    struct buf listeners; /* a JSON list */
    unsigned reply_timeout_s;
    struct registry *registry;
    struct book *book; /* energy */
    bool has_zone;
    struct zone zone;
    struct map plugs;         /* by the address of struct plug, which is the tag    */
    struct plug *unconfirmed; /* allowed by on_connect; on_connected has not come   */
    struct broker_sub *subs[MEROSS_SUBS];
    struct list unbinding;    /* control_pairing.c: plugs that were told to reset themselves */
    struct meross_lan lan;    /* ask NULL: nothing is asked over the LAN */
    unsigned lan_port, lan_n; /* lan_n: exchanges under way */
    struct list lan_sessions, lan_dead, lan_asks;
    struct broker_timer *watch;    /* running: watchdog.c looks again */
    struct device *watched;        /* it is at work on; NULL: none    */
    unsigned woken;                /* plugs that it showed the way    */
    struct broker_timer *lan_bury; /* running: the dead ones are to be freed */
    struct broker_timer *soon;     /* running: the registry is to be saved               */
    bool saving;                   /* it is being saved, some in each turn               */
    bool changed_meanwhile;        /* and has to be again                                */
    bool list_changed;             /* and published                                      */
    int64_t clock_base;            /* wall second at monotonic 0, see clockwatch.h */
    struct broker_timer *clock;    /* running: the host clock is not sane                */
    struct broker_timer *away;     /* running: plugs are away, see presence.h     */
    struct list waits;             /* requests for them                           */
    unsigned offline_delay_s;
    bool timer_from_monday; /* bit 0 of the days of a plug's timers is Monday */
    struct list kept;       /* orders for plugs that are not there, see when_back.h */
    struct broker_timer *kept_timer;
    struct broker_timer *info; /* running: to the next info                          */
    enum meross_auth auth;
    uint64_t permit_until_ms; /* new plugs are let in; 0: no window is open */
    struct door_line said[DOOR_PLUGS];
    struct attempts attempts;                  /* connections that came to nothing: diary.c  */
    uint64_t refused_ticket;                   /* the one that was written down last         */
    unsigned unsaid;                           /* refusals of plugs since the last line about one */
    uint64_t started_ms;                       /* monotonic                      */
    uint64_t shield_passed, shield_refused;    /* messages of clients to plugs */
    uint64_t refused_ms;                       /* when a refusal was logged last */
    unsigned refused;                          /* refusals since then            */
    struct quiet quiet_answers, quiet_permits; /* answers that are errors; calls of permit */
    struct quiet quiet_own;                    /* messages of our own that may not be sent */
};

/* Does the host know the time?  While it does not, it is looked at again every ten seconds, and
 * once it does, connected plugs are told. */
bool meross_clock_sane(struct meross *m);

/* Starts a timer, unless detached.  A failure is logged and costs only what the timer was for.
 * *slot is NULL, and NULL again when it fires (the callback sets it) or failed to start. */
void meross_timer(struct meross *m, struct broker_timer **slot, uint64_t delay_ms,
                  void (*cb)(void *ctx), void *ctx);
void meross_timer_stop(struct broker_timer **slot);

#endif

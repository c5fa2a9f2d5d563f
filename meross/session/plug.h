/* plug.h - one connection of a plug, from CONNECT to its end: the session partner.
 *
 *   CONNECTING --on_connected--> CONNECTED --SUBSCRIBE--> SUBSCRIBED
 *                                    |                        | 3 s
 *                                    +----- Bind -------------+---> BOUND --> set up, then polled
 *   any --on_disconnect, or a newer connection of the same uuid--> ended
 *
 * The uuid is the identity: when a plug returns under another client id, its newest
 * connection counts, once it is trusted (trust.h), and the end of the older one is nobody's
 * business. */
#ifndef MEROSS_PLUG_H
#define MEROSS_PLUG_H

#include "meross/session/auth.h"
#include "meross/session/diary.h"
#include "meross/session/ids.h"
#include "meross/session/newest.h"
#include "meross/wire/envelope.h"
#include "meross/meross_int.h"

enum plug_phase { PLUG_CONNECTING, PLUG_CONNECTED, PLUG_SUBSCRIBED, PLUG_BOUND };

struct command;

struct poll_plan {   /* of a row that the plug has */
    uint64_t due_ms; /* UINT64_MAX: not again in this connection */
    uint8_t row;     /* its number in all tables together        */
    uint8_t misses;  /* not answered, in a row                   */
    bool answered;   /* ever, in this connection                 */
};

struct polls {           /* polls.c's                           */
    struct poll_plan *v; /* n, in the order of the tables       */
    unsigned n;
    bool started;
    bool chosen;      /* v is of the abilities that the plug has now      */
    int asking;       /* the row that is under way; negative: none        */
    uint64_t from_ms; /* when it started */
    struct broker_timer *timer;
};

struct meter {           /* h_energy.c's */
    uint64_t watched_ms; /* monotonic: until then power is asked for often */
    uint64_t counted_ms; /* its counters were last asked for because somebody wanted that */
    uint64_t dead_ms;    /* since then it reads 0 V; 0: it does not        */
    bool dead_told;
};

struct plug {
    struct meross *m;
    struct device *dev; /* NULL before on_connected, while it waits for trust, after the end */
    enum plug_phase phase;
    char uuid[DEVICE_UUID_MAX + 1], mac[18], address[DEVICE_ADDRESS_MAX + 1];
    int64_t user_id;
    char *client_id;              /* NULL: over the LAN */
    struct diary_arrival arrival; /* how it came, see diary.h                            */
    uint64_t connected_ms;        /* monotonic; 0: over the LAN                      */
    enum device_key login_key;    /* of its password                                 */
    const char *key;    /* signs for this plug; lent by keys, or own_key; NULL = unknown */
    char *own_key;      /* a copy: the device's may change meanwhile; NULL: key is no plug's own */
    bool probe;         /* none at all: probe.h */
    bool over_lan;      /* no connection: lan.h                                   */
    bool proven;        /* it may speak for the plug, see trust.h                 */
    bool key_told;      /* the line about the wrong key was written               */
    bool key_seen;      /* a message of this connection had a known key           */
    unsigned strangers; /* messages in a row that the expected key did not sign   */
    unsigned mute;      /* polls in a row without an answer                       */
    bool abilities_asked;            /* in this connection, and it was answered or silent      */
    bool led_checked;                /* in this connection, against the wish of people         */
    bool state_read;                 /* in this connection: System.All was answered            */
    bool abilities_read;             /* in this connection, and understood                     */
    struct broker_timer *timer;      /* to offline while not subscribed; to BOUND without Bind */
    char heard[DEVICE_UUID_MAX + 1]; /* the uuid in its subscription, as it spells it; "" = none */
    int64_t said_s;                  /* the time of its last message; 0: none               */
    uint64_t said_ms;                /* and when that came                                  */
    struct ids sent, said; /* messageIds: to it, and of its own SET and PUSH             */
    struct ids signs;      /* of what was sent to it: sent back they prove nothing        */
    /* command.c's */
    struct list commands;           /* waiting */
    unsigned n_commands, n_foreign; /* of them, those of other clients */
    struct command *in_flight;
    struct broker_timer *command_timer; /* to the time-out, or to the end of the pause */
    uint64_t not_before_ms;             /* for requests of our own and of other clients */
    uint64_t people_not_before_ms;      /* for all                                     */
    struct polls polls;
    struct meter meter;
    struct newest newest;
    /* hooks.c's */
    struct plug *self;
    struct map_node by_tag;
};

/* What auth.c read is copied.  *out given: plug_free().  Errors: MD_NOMEM. */
MD_MUST_USE int plug_new(struct plug **out, struct meross *m, const struct broker_client *who,
                         const struct auth_plug *is);
void plug_free(struct plug *p); /* ends it quietly first */

void plug_clear(struct plug *p); /* frees what an ended one owns, not p */

/* A copy of this key signs from now on.  False: out of memory, it has none. */
bool plug_own_key(struct plug *p, const char *key);

/* The connection stands: unless it has to wait for trust, plug_attach().
 * Errors: MD_FULL, MD_NOMEM: the connection is to be ended. */
MD_MUST_USE int plug_connected(struct plug *p);

/* m->keys are new; the old ones still exist during the call. */
void plug_keys_changed(struct plug *p);

/* From now on this is the connection of its device, which is found or made; an older one is
 * ended.  Errors: MD_FULL, MD_NOMEM; nothing changed. */
MD_MUST_USE int plug_attach(struct plug *p, bool proven);

/* May messages to its topic be delivered to it? */
bool plug_may_hear(const struct plug *p);

/* It subscribed to its topic; `uuid` is the part of the Topic Filter, in the plug's own case. */
void plug_subscribed(struct plug *p, struct span uuid);

/* It published something, on whatever topic. */
void plug_message(struct plug *p, struct span payload);

/* It sent Bind (or needs none): from now on it obeys. */
void plug_bound(struct plug *p);

/* Ends the Network Connection; on_disconnect follows, perhaps before this returns. */
void plug_kick(const struct plug *p, const char *why);

/* The connection is over.  Everything asked is answered MD_CLOSED.
 * quiet  a newer connection of the same plug takes over: nobody is told "offline". */
void plug_end(struct plug *p, const char *why, bool quiet);

/* The second that a request to it is stamped with: now; while this host does not know the time,
 * what time it is by the plug's own messages, since some refuse what is old by their clock. */
int64_t plug_stamp(const struct plug *p);

/* Publishes to the plug's own topic, as it is; nothing that shield_read() objects to. */
void plug_send(struct plug *p, struct span message);
void plug_send_read(struct plug *p, const struct envelope *e); /* what shield_read() gave */

/* Says in the log, unless it was said often, that something of ours may not go to the plug. */
void plug_unsendable(const struct plug *p, const char *what, const char *why);

/* Was something sent to it just now that holds a key?  It goes to its topic during the next turn of
 * the broker; until then, and for a while to be sure, nobody else hears that topic.
 * d  NULL: no. */
bool plug_is_told_a_key(const struct meross *m, const struct device *d);

/* The device is not connected any more: tells people. */
void plug_offline(struct meross *m, struct device *d, const char *why);

#endif

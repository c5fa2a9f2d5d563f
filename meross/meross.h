/* meross.h - Meross smart plugs as a local client of the broker.
 *
 * Recognises plugs by the way they connect, gives them the answers that their vendor's cloud
 * would give, keeps the registry of them, and switches them on behalf of the topics in topics.h.
 * Knows no sockets, files or clocks.
 *
 * Order of calls:
 *
 *     meross_new -> meross_set_zone -> meross_hooks -> (broker_new) -> meross_attach
 *       ... the broker runs ...
 *     meross_detach -> (broker_free) -> meross_free
 *
 * Single-threaded, like the broker. */
#ifndef MEROSS_MEROSS_H
#define MEROSS_MEROSS_H

#include "broker/broker.h"
#include "meross/time/zone.h"

struct meross;

enum meross_auth {                   /* which plugs are let in */
                   MEROSS_AUTH_OPEN, /* every one; one whose key is unknown is explained                    */
                   MEROSS_AUTH_KNOWN, /* those of the registry; new ones while the verb `permit` allows it   */
                   MEROSS_AUTH_STRICT /* those whose password was made with one of `keys`                    */
};

struct meross_listener { /* as shown in <base>/broker/info */
    const char *host;    /* NULL = every address */
    unsigned port;
    bool tls;
};

struct meross_lan_ask { /* one question to an address of the house; as server_exchange */
    const char *host;
    unsigned port;
    struct span send;
    unsigned timeout_ms;
    size_t max;
    bool (*take)(void *ctx, struct span bytes); /* false: that is all */
    /* MD_OK: that was all, or the peer closed.  MD_IO, MD_TIMEOUT, MD_CLOSED. */
    void (*done)(void *ctx, int err);
    void *ctx;
};

struct meross_lan { /* how plugs are asked over the LAN */
    /* done() is called once when MD_OK is returned, later and never from inside ask(). */
    int (*ask)(void *ctx, const struct meross_lan_ask *a);
    void *ctx;
};

struct meross_config {
    const char *const *keys;  /* NULL-terminated; "" and "meross" are tried as well; NULL = none */
    const char *topic;        /* base of our topics; NULL = "meross"                             */
    const char *version;      /* shown in <base>/broker/info; NULL = ""                          */
    unsigned reply_timeout_s; /* how long a plug may take to answer; 0 = 5                  [5]  */
    unsigned offline_delay_s; /* a plug may be away for so long before people are told  [0]  */
    enum meross_auth auth;    /* [MEROSS_AUTH_OPEN] */
    const struct meross_listener *listeners; /* NULL = not shown */
    size_t n_listeners;
};

/* Loads the registry from STORE_DEVICE; damaged records are left out with a log line.
 *
 * cfg    copied.
 * env    kept until meross_free().
 * store  kept until meross_free(); what changes is put there at most a second later.
 * *out   given: meross_free().
 * Errors: MD_INVAL an impossible topic or key, MD_NOMEM, those of the store. */
MD_MUST_USE int meross_new(struct meross **out, const struct meross_config *cfg,
                           const struct env *env, struct store *store);

/* The hooks for broker_new(), all of them set; ctx is `m`.  Who combines them with others
 * asks these first:
 *
 *   on_connect     BROKER_ABSTAIN: the CONNECT is not that of a plug.  BROKER_ALLOW: it is;
 *                  who->tag is ours.  BROKER_NOT_AUTHORIZED: a plug, but in clear over the
 *                  network, with a Will, with a MAC address that is not its own, one more than the
 *                  registry holds, or one that meross_config.auth keeps out; logged, once a minute
 *                  for each plug.
 *   may            false for what must not be, whoever asks: a plug beyond its own topics, anybody
 *                  publishing where only merossd does.  True for a client that is no plug
 *                  means only: no objection.
 *   may_receive    false for a connection that claims to be a plug and has not shown it yet, for
 *                  requests that hold keys, and for others than the plug while it is told a key.
 *   on_publish     false: what a plug must not be sent (no proper message, or retained), and what
 *                  a plug publishes with RETAIN.
 *   on_connected, on_subscribe, on_disconnect   ignore clients that are no plugs. */
struct broker_hooks meross_hooks(struct meross *m);

/* Subscribes to what people ask, and publishes <base>/broker/state, info (again each minute) and
 * plugs, and for each known plug its last state and that it is offline.
 *
 * b  kept until meross_detach().
 * Errors: MD_NOMEM; then nothing is subscribed. */
MD_MUST_USE int meross_attach(struct meross *m, struct broker *b);

/* The zone of the host, to be told to plugs; again when it or its rules change: plugs that are
 * connected get the new table.  Until the first call they are told nothing.
 *
 * zone  copied. */
void meross_set_zone(struct meross *m, const struct zone *zone);

/* New keys in place of those of meross_config.keys: for plugs that connect or speak from now on;
 * the key that a connected plug was found to use stays its own until it speaks again.
 * keys  as in meross_config; copied.
 * Errors: MD_INVAL, MD_NOMEM: as before. */
MD_MUST_USE int meross_set_keys(struct meross *m, const char *const *keys);

/* Another answer to which plugs are let in; those that are connected stay. */
void meross_set_auth(struct meross *m, enum meross_auth auth);

/* Another meross_config.offline_delay_s, also for plugs that are away now. */
void meross_set_offline_delay(struct meross *m, unsigned seconds);

/* Which weekday bit 0 of a plug's timers is: sources contradict each other.  [Sunday] */
void meross_set_timer_first_day(struct meross *m, bool monday);

/* Plugs without a connection are asked over the LAN from now on: what people want of them, and by
 * ourselves after some minutes, to make them connect again.  Until the first call they are not.
 *
 * lan   copied; NULL: no longer.
 * port  where they listen for HTTP; 0 = 80, which it is except in tests. */
void meross_set_lan(struct meross *m, const struct meross_lan *lan, unsigned port);

/* Before the broker stops: everything asked but unanswered is answered "offline", plugs
 * and <base>/broker/state are published as offline (the broker needs one more turn to route it),
 * the registry is put into the store.  Hooks may still be called afterwards.  May be called
 * twice. */
void meross_detach(struct meross *m);

/* After meross_detach() and broker_free(), which still calls the hooks.  NULL is fine. */
void meross_free(struct meross *m);

#endif

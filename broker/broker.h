/* broker.h - the broker as the rest of the program sees it.
 *
 * This header, broker/base and broker/store/store.h are all that meross/ may
 * include.  A module in the same process is a client without a socket: it
 * subscribes, publishes, and answers questions (who may connect, who may
 * use which topic).  The broker knows nothing about Meross.
 *
 * Single-threaded: every function and every callback runs on the loop
 * thread.  A callback may call any function of this header except
 * broker_free() and broker_turn(). */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/span.h"
#include "broker/store/store.h"

struct broker;
struct broker_sub;
struct broker_timer;

#define BROKER_LISTENERS 64 /* numbers of listeners that can have limits of their own */

/* Every limit; for the numbers but max_qos, 0 means none but the protocol's, as in mosquitto.conf.
 * The values in brackets are those of broker_limits_default(). */
struct broker_limits {
    size_t max_packet_size;         /* bytes, fixed header included; larger closes  [2 MiB] */
    size_t max_queued_bytes;        /* per Session; a newer message is dropped      [1 MiB] */
    unsigned max_queued_messages;   /* per Session; the same                        [1000]  */
    unsigned max_inflight_messages; /* QoS 1/2 unacknowledged per Session; waits    [20]    */
    unsigned max_connections;       /* over all listeners; CONNACK 3                [0]     */
    unsigned max_topic_levels;      /* 200 separators; PUBLISH closes, SUBSCRIBE gets 0x80 [201] */
    unsigned connect_timeout_s;     /* from accept to CONNECT                       [10]    */
    size_t max_inflight_bytes; /* topics and payloads of what max_inflight_messages counts, until
                                  PUBACK or PUBREC; one message always goes       [0]     */
    size_t message_size_limit; /* bytes of payload; a larger PUBLISH is acknowledged and goes
                                  nowhere, a larger Will is refused: CONNACK 5    [0]     */
    unsigned max_keepalive;    /* seconds; a CONNECT with more, or with 0 = never, is refused
                                  with CONNACK 2                                  [0]     */
    unsigned max_qos;          /* 0..2: a PUBLISH or Will above it closes, a subscription is
                                  granted no more                                 [2]     */
    uint8_t max_qos_at[BROKER_LISTENERS]; /* by the listener's number: 1 + its own, lower,
                                  max_qos; 0 = none of its own                            */
    unsigned session_expiry_s;            /* how long a Session lives on without its client; by the
                                  monotonic clock, and anew after a restart       [0]     */
    size_t memory_limit;       /* bytes of mem_used().  From 3/4 on, no Retained Message is kept
                                  on a new topic (QoS 1 and 2: its publisher is closed, so that
                                  nothing is acknowledged that is not kept; a Will Message is
                                  delivered); from 4/5 on, clients of other hosts get CONNACK
                                  3; from 9/10 on, QoS 0 messages are not queued; at the limit
                                  nothing is queued, no Retained Message grows and no client
                                  connects                                        [0]     */
    bool retain_available;     /* false: a PUBLISH or Will with RETAIN closes     [true]  */
    bool queue_qos0;           /* QoS 0 messages wait for absent Sessions too     [false] */
    bool upgrade_outgoing_qos; /* deliver with the QoS that was granted, not with the lower one
                                  of the message; against [MQTT-3.8.4-6]          [false] */
};
void broker_limits_default(struct broker_limits *out);

struct broker_message {
    struct span topic, payload;
    unsigned qos; /* 0..2 */
    bool retain;
};

/* How a connection came about, and what it shows; times are env_mono_ms(). */
struct broker_arrival {
    uint64_t opened_ms, secured_ms; /* accepted; TLS stood, 0: it does not                   */
    const char *cipher;             /* "TLSv1.2 TLS-RSA-WITH-AES-128-CBC-SHA"; NULL: no TLS  */
    const char *hello; /* what it offered, see broker/tls/hello_text.h; NULL: in clear, or not
                          known                                                                */
    const char *tls_cn, *tls_subject; /* of a verified client certificate; NULL: none          */
    struct span password;             /* only in on_connect; p == NULL: none sent              */
    /* on_connect may set this: how a Client Identifier that is made begins; NULL = "auto-".  Lent
     * until it returns. */
    const char *auto_id_prefix;
};

struct broker_client { /* what a hook may know about a connection; lent during the call */
    /* In on_connect client_id is empty when the client sent none; the broker makes one.  It may set
     * client_id to username, and username to arrival->tls_cn or ->tls_subject. */
    struct span client_id, username;
    const char *peer; /* "192.0.2.7:51234" */
    bool tls;
    bool loopback;     /* the peer's address is this host                   */
    uint8_t level;     /* 3 or 4                                            */
    unsigned listener; /* the number given to server_listen()               */
    /* Until on_connected has returned, and in on_failed; NULL later. */
    struct broker_arrival *arrival;
    uint64_t ticket; /* of this connection alone: see broker_decide()      */
    void *tag;       /* set by on_connect, handed back by every later hook */
};

enum broker_verdict {
    BROKER_ALLOW,
    BROKER_BAD_CREDENTIALS, /* CONNACK 4 */
    BROKER_NOT_AUTHORIZED,  /* CONNACK 5 */
    BROKER_BAD_ID,          /* CONNACK 2 */
    BROKER_BUSY,            /* CONNACK 3: it may come back later */
    BROKER_PENDING,         /* not known yet: broker_decide() follows; on_connect only */
    BROKER_ABSTAIN          /* not mine: for hooks that are asked in turn; the broker itself
                               takes it as BROKER_NOT_AUTHORIZED */
};
enum broker_action { BROKER_PUBLISH, BROKER_SUBSCRIBE };

/* Any member may be NULL: allow, or nothing to do. */
struct broker_hooks {
    /* Before CONNACK and before any Session is touched.  `will` is NULL without one.  A refusal
     * is logged by whoever made it, with the reason. */
    enum broker_verdict (*on_connect)(void *ctx, struct broker_client *who,
                                      const struct broker_message *will);
    /* After CONNACK 0 is queued: who->tag is now the identity of a live connection. */
    void (*on_connected)(void *ctx, const struct broker_client *who);
    /* May `who` publish to the Topic Name, or subscribe to the Topic Filter? */
    bool (*may)(void *ctx, const struct broker_client *who, enum broker_action what,
                struct span topic);
    /* May a message to the Topic Name be delivered to `who`?  Asked for each delivery, so keep it
     * quick, and call nothing of this header: the broker is walking its lists.  For an absent
     * client (its Session lives on) only client_id and username are set, and again for what waited
     * when it returns. */
    bool (*may_receive)(void *ctx, const struct broker_client *who, struct span topic);
    /* A PUBLISH that `may` allowed, before it is routed; also a Will Message.  False: it is
     * acknowledged but goes nowhere. */
    bool (*on_publish)(void *ctx, const struct broker_client *who, const struct broker_message *m);
    /* A Topic Filter was granted. */
    void (*on_subscribe)(void *ctx, const struct broker_client *who, struct span filter);
    /* The connection ended; `why` is for people.  Once for each on_connected.  On a takeover
     * it comes before the on_connected of the new connection. */
    void (*on_disconnect)(void *ctx, const struct broker_client *who, const char *why);
    /* A connection ended before its CONNECT was accepted; `why` is for people.  who->client_id is
     * set when it got as far as a CONNECT, who->level when that was a proper one. */
    void (*on_failed)(void *ctx, const struct broker_client *who, const char *why);
    void *ctx;
};

/* Makes an empty broker.
 *
 * env         kept: must outlive the broker.
 * hooks       copied.
 * *out        given: broker_free().
 * Errors: MD_NOMEM. */
MD_MUST_USE int broker_new(struct broker **out, const struct broker_limits *limits,
                           const struct broker_hooks *hooks, const struct env *env);
void broker_free(struct broker *b); /* NULL is fine; every conn is lost first */

/* Brings back Sessions and Retained Messages from `store` and keeps them there from now on.  Before
 * the first client.
 *
 * store  kept until broker_free().
 * Errors: MD_NOMEM; the broker is then only good for broker_free(). */
MD_MUST_USE int broker_restore(struct broker *b, struct store *store);

/* Brings in what another broker kept, after broker_restore() and before the first client; it is
 * stored like anything of ours.  A Session comes before what belongs to it.  What is RECEIVED comes
 * last: it is routed to the Sessions that are there.
 *
 * Errors: MD_EXIST: we have this Retained Message, or a Session of our own of this name, and keep
 * ours; or the Packet Identifier is in use.  MD_NOENT: no such Session.  MD_INVAL: an impossible
 * topic, filter, id or QoS.  MD_FULL: Packet Identifiers that do not follow each other.  MD_NOMEM,
 * and those of the store. */
/* Of a message on its way to the client, or (RECEIVED) from it. */
enum broker_stage {
    BROKER_STAGE_QUEUED,    /* nothing was sent                                           */
    BROKER_STAGE_PUBLISHED, /* sent, not acknowledged: sent again with DUP                */
    BROKER_STAGE_RELEASED,  /* QoS 2, PUBREC came: PUBREL is sent again                   */
    BROKER_STAGE_RECEIVED   /* QoS 2, PUBREC was sent, nobody has it: published now, once */
};
struct broker_waiting {
    struct broker_message message; /* its retain: travels with RETAIN 1; qos: of the delivery */
    enum broker_stage stage;
    uint16_t packet_id; /* 0 when it is QUEUED */
};
MD_MUST_USE int broker_adopt_retained(struct broker *b, const struct broker_message *m);
MD_MUST_USE int broker_adopt_session(struct broker *b, struct span client_id, struct span username);
MD_MUST_USE int broker_adopt_subscription(struct broker *b, struct span client_id,
                                          struct span filter, unsigned qos);
/* For each Session in the order of the messages. */
MD_MUST_USE int broker_adopt_waiting(struct broker *b, struct span client_id,
                                     const struct broker_waiting *w);

/* New limits for a running broker.  Nothing that is there is cut: connections, Sessions and
 * queues above a new limit stay until they shrink by themselves; connect_timeout_s holds for
 * connections from now on. */
void broker_set_limits(struct broker *b, const struct broker_limits *limits);

/* May the client of a hook use this topic as well, itself: as the hooks say (the outermost `may`),
 * and within the topics that its listener's mount_point leaves it?  For a client that asks for
 * something to be published elsewhere.  Over a bridge of ours comes the operator's word: true.
 *
 * who    as the hook has it, during the call; not from may_receive.
 * topic  its full name, as everybody but the clients of a mount_point knows it. */
bool broker_may(struct broker *b, const struct broker_client *who, enum broker_action what,
                struct span topic);

/* Publishes as the server itself: no authorisation, no Session.  The message
 * is copied, and routed during the next broker_turn(), never inside this call.
 * Errors: MD_INVAL for an invalid Topic Name, MD_TOOBIG, MD_NOMEM. */
MD_MUST_USE int broker_publish(struct broker *b, const struct broker_message *m);

/* Calls cb for every message whose Topic Name matches `filter`; Retained Messages that exist
 * are not replayed.
 *
 * cb    runs from broker_turn(), one message at a time, in arrival order;
 *       *m is lent during the call.
 * *out  given: broker_unsubscribe().
 * Errors: MD_INVAL for an invalid Topic Filter, MD_NOMEM. */
typedef void (*broker_message_cb)(void *ctx, const struct broker_message *m);
MD_MUST_USE int broker_subscribe(struct broker *b, struct span filter, broker_message_cb cb,
                                 void *ctx, struct broker_sub **out);
void broker_unsubscribe(struct broker_sub *s); /* NULL is fine */

/* Calls cb once, after `delay_ms`, from broker_turn().  *out is given until cb was called or
 * broker_timer_stop().  Errors: MD_NOMEM. */
MD_MUST_USE int broker_timer_start(struct broker *b, uint64_t delay_ms, void (*cb)(void *ctx),
                                   void *ctx, struct broker_timer **out);
void broker_timer_stop(struct broker_timer *t); /* not after it fired; NULL is fine */

/* The verdict for an on_connect that said BROKER_PENDING, from the loop thread and not from inside
 * a hook; nothing was read from the client meanwhile.  `tag` becomes who->tag.  A ticket whose
 * connection is gone is fine: false. */
bool broker_decide(struct broker *b, uint64_t ticket, enum broker_verdict verdict, void *tag);

/* Ends the connection of a Client Identifier, as if the network had failed; false when there is
 * none.  `why` is for the log. */
bool broker_disconnect(struct broker *b, struct span client_id, const char *why);

/* One turn: deliver what local publishers and subscribers have waiting, fire
 * due timers, expire keep alives, free dead connections.  Returns milliseconds until it wants
 * to be called again; 0: at once, UINT64_MAX: not before something happens. */
uint64_t broker_turn(struct broker *b);

/* Gives back what was kept for the next message, and tables that many clients needed and few do
 * not.  Costs a walk over all Sessions if anything happened since the last time, nothing if not:
 * for every few seconds. */
void broker_shrink(struct broker *b);

struct broker_stats {
    unsigned connections; /* open, with or without CONNECT               */
    unsigned clients;     /* of them, those that are connected           */
    unsigned max_clients; /* the most there were                         */
    unsigned expired;     /* Sessions that ended while they were away    */
    unsigned sessions, subscriptions, retained;
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t messages_in, messages_out, dropped;  /* PUBLISH in and out; dropped at a limit */
    uint64_t message_bytes_in, message_bytes_out; /* their payloads                        */
    uint64_t connects;                            /* CONNECTs that were accepted           */
};
void broker_stats(const struct broker *b, struct broker_stats *out);

/* Publishes the counters below $SYS/broker/, retained, every interval_s seconds and only what has
 * changed, by the names mosquitto gives them; 0 stops it.
 *
 * version  shown in $SYS/broker/version; kept until broker_free().
 * Errors: MD_NOMEM. */
MD_MUST_USE int broker_sys(struct broker *b, unsigned interval_s, const char *version);

struct broker_session {              /* one Session, lent during the call            */
    const struct broker_client *who; /* away: only client_id and username are set    */
    bool connected, clean;
    uint64_t since_s; /* seconds since it connected, or went away     */
    unsigned subscriptions, queued, inflight;
    size_t queued_bytes;
    unsigned dropped; /* messages dropped at a limit since it connected */
};

/* Asks about every client that is connected, in no order, and ends the connection of those for
 * which `objection` names a reason (for the log; its Will Message is published).  `objection` may
 * not call anything of this header.  Our bridges are not asked about. */
void broker_review(struct broker *b,
                   const char *(*objection)(void *ctx, const struct broker_client *who), void *ctx);

/* Calls `each` for every Session, connected or away, in no order; it may not call anything of
 * this header. */
void broker_each_session(struct broker *b, void (*each)(void *ctx, const struct broker_session *s),
                         void *ctx);

/* Writes every Session with its subscriptions, queues, and what memory is in use to the log. */
void broker_dump(struct broker *b);

#endif

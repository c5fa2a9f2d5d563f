/* session.h - Session state [MQTT 3.1.2.4]: what outlives a connection when
 * Clean Session is 0. */
#ifndef BROKER_CORE_SESSION_H
#define BROKER_CORE_SESSION_H

#include "broker/base/map.h"
#include "broker/core/outq.h"
#include "broker/core/subs.h"
#include "broker/core/timers.h"

struct bridge;
struct broker;
struct conn;

struct expiry { /* of a Session that is away, while session_expiry_s is set */
    struct timer timer;
    struct session *session;
};

struct qos2_ids { /* received, PUBREL is outstanding: at most 65,535 */
    uint32_t n, cap;
    uint16_t v[]; /* ascending */
};

struct session {
    struct subscriber sub; /* what the tree and the router see              */
    struct map_node by_id; /* in broker->sessions                           */
    struct broker *broker;
    struct conn *conn; /* NULL while offline                            */
    struct outq out;
    struct qos2_ids *qos2_in; /* NULL: none                                 */
    uint64_t since_ms;        /* when it connected, or went away (monotonic) */
    struct expiry *expiry;    /* NULL: does not end by itself               */
    char *username;           /* NULL: none; for the time it is absent      */
    struct bridge *bridge;    /* of ours; NULL: a client                    */
    uint32_t dropped;         /* messages since the last connect            */
    uint32_t number;          /* its name in the store; 0 = it is not kept there   */
    uint32_t origin;          /* of what it sends: message->origin; 0 = no bridge  */
    bool clean : 1;           /* Clean Session: ends with the connection    */
    bool adopted : 1;         /* by broker_adopt_session(): more may be added      */
    bool replaying : 1;       /* a SUBSCRIBE is not done yet: replay.h             */
    char client_id[];         /* the key of by_id is this                   */
};

static inline struct span session_id(const struct session *s) /* its Client Identifier; lent */
{
    return map_key(&s->by_id);
}

/* Finds or makes the Session of a Client Identifier.  The caller has ended a connection that
 * used it.  A clean one starts empty [MQTT-3.1.2-6].  *present is the Session Present flag
 * [MQTT-3.2.2-2].  Errors: MD_NOMEM: as before. */
MD_MUST_USE int session_attach(struct session **out, struct broker *b, struct span client_id,
                               bool clean, struct conn *c, bool *present);
/* Tells who it belongs to now, and drops what waits for it and may not be delivered any more.
 * Errors: MD_NOMEM. */
MD_MUST_USE int session_identify(struct session *s, struct span username);
struct session *session_find(struct broker *b, struct span client_id); /* lent; NULL if none */
void session_detach(struct session *s);  /* discards it when clean             */
void session_discard(struct session *s); /* the Session ends, in the store too */
void session_free(struct session *s);    /* the program ends: what is stored stays */

/* One that was stored, still without its queue.  Errors: MD_NOMEM. */
MD_MUST_USE int session_restore(struct session **out, struct broker *b, struct span client_id,
                                struct span username);

/* Appends an entry of a foreign queue (its message is shared), and stores it.
 * Errors: MD_FULL: its Packet Identifier does not follow; MD_NOMEM, of the store. */
MD_MUST_USE int session_adopt(struct session *s, const struct delivery *d);

MD_MUST_USE int session_subscribe(struct session *s, struct span filter, unsigned qos,
                                  bool *added); /* MD_NOMEM */
void session_unsubscribe(struct session *s, struct span filter);

/* PUBACK, PUBREC or PUBCOMP; errors as outq_ack(). */
MD_MUST_USE int session_ack(struct session *s, enum mqtt_type type, uint16_t packet_id);

/* (Re)starts the time after which an absent Session ends: from since_ms on, by today's limits. */
void session_expire_later(struct session *s);

/* The same id before its PUBREL is the same message [MQTT-4.3.3-2]. */
static inline uint32_t session_qos2_n(const struct session *s)
{
    return s->qos2_in == NULL ? 0 : s->qos2_in->n;
}
bool session_qos2_known(const struct session *s, uint16_t packet_id);
MD_MUST_USE int session_qos2_add(struct session *s, uint16_t packet_id);     /* MD_NOMEM */
MD_MUST_USE int session_qos2_restore(struct session *s, uint16_t packet_id); /* it was stored */
void session_qos2_release(struct session *s, uint16_t packet_id);

/* Queues a message with this QoS and RETAIN, or counts it as dropped. */
void session_send(struct session *s, struct message *m, unsigned qos, bool retain);

/* Queues a Retained Message for a new subscription; more may wait than the limits allow for live
 * messages, but not more than one replay of all of them.  Errors: MD_FULL, MD_NOMEM. */
MD_MUST_USE int session_deliver_retained(struct session *s, struct message *m, unsigned qos);

#endif

/* conn_int.h - struct conn, for conn.c, conn_out.c, session.c and the h_*.c. */
#ifndef BROKER_CORE_CONN_INT_H
#define BROKER_CORE_CONN_INT_H

#include "broker/base/buf.h"
#include "broker/base/list.h"
#include "broker/codec/mqtt.h"
#include "broker/core/conn.h"
#include "broker/core/session.h"
#include "broker/core/takeover.h"
#include "broker/core/timers.h"

enum conn_state { CONN_NEW, CONN_ASKING, CONN_OPEN, CONN_CLOSING };

struct bridge;

/* What is of use until the client is accepted: for its CONNECT, and to be told to the hooks. */
struct conn_start {
    struct broker_arrival told; /* who.arrival is this: see conn_start()               */
    char *texts;                /* of TLS: what `told` points at                        */
    char *cn, *subject;         /* of its certificate: who.username may point at them   */
    char *made_id;              /* who.client_id may point at it                        */
    char *username;             /* of its CONNECT, when it goes by another              */
    struct buf parked;          /* its CONNECT, while the verdict is being made         */
};

struct conn {
    struct list link; /* in broker->conns or broker->lost */
    struct broker *broker;
    struct conn_io io;
    struct broker_client who; /* client_id and username point at what this conn owns */
    struct session *session;  /* NULL unless OPEN */
    struct bridge *bridge;    /* we are its client, for this bridge of ours; NULL: it is ours */
    struct message *will;
    char *username;    /* who.username is this, once it is accepted            */
    const char *mount; /* of its listener; NULL: none                          */
    struct buf in;     /* the beginning of a packet that is not whole yet */
    struct buf ctl;    /* acks and answers: they leave before messages   */
    struct timer timer;
    uint64_t last_packet_ms;
    struct takeovers takeovers; /* of its Client Identifier, up to this conn   */
    uint32_t timeout_ms;        /* from the last packet; 0 = never */
    uint8_t state;
    bool hushed : 1; /* its end is one of many, and told at LOG_DEBUG only    */
    bool judged : 1; /* the hooks know whether it came to be an accepted client */
    bool woken : 1;  /* io.wake was called, conn_take() not yet false */
    char address[];  /* who.peer is this */
};

/* Lent; NULL once it is accepted. */
static inline struct conn_start *conn_start(const struct conn *c)
{
    struct broker_arrival *told = c->who.arrival;
    return told == NULL ? NULL : LIST_OF(told, struct conn_start, told);
}

void conn_wake(struct conn *c);

/* It is accepted, and its Session has its Client Identifier, or it came to nothing: how it came
 * about is nobody's business any more.  Twice is fine. */
void conn_forget_start(struct conn *c);

void conn_answered(struct conn *c); /* a packet of ours was put into c->ctl */

static inline struct span conn_mount(const struct conn *c)
{
    return c->mount == NULL ? span_of(NULL, 0) : span_str(c->mount);
}

static inline const struct broker_client *conn_who(const struct conn *c) { return &c->who; }

unsigned conn_max_qos(const struct conn *c); /* of its listener, by the limits of now */

/* Feeds what came behind a CONNECT or SUBSCRIBE that took longer. */
void conn_resume(struct conn *c);

/* Ends the connection: the Session is detached, the Will Message published unless it was
 * removed before, the hooks and the log are told `why`.  Twice is fine. */
void conn_close(struct conn *c, const char *why);

/* conn_close() for a broken rule; `rule` names the statement. */
void conn_violation(struct conn *c, const char *rule);

/* Puts a packet of ours into c->ctl; out of memory closes the conn. */
void conn_ack(struct conn *c, enum mqtt_type type, uint16_t packet_id);

#endif

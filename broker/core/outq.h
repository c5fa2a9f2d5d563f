/* outq.h - what one Session still has to send: two FIFOs and, in front of the second,
 * the window of QoS 1/2 messages in flight.
 *
 *   QoS 0:   queued --next--> gone
 *   QoS 1:   queued --admit--> in the window --next--> PUBLISH sent --PUBACK--> done
 *   QoS 2:   queued --admit--> in the window --next--> PUBLISH sent
 *                              --PUBREC--> PUBREL sent --PUBCOMP--> done
 *
 * A message gets its Packet Identifier when it is admitted, before anything of the turn is sent:
 * what a stored Session has sent must have been written down first.
 *
 * Two FIFOs, because a full window must not hold back QoS 0; a running number keeps the
 * order of arrival as long as it does not.  Order is kept for each QoS
 * [MQTT-4.6.0-6].
 *
 * The window is a ring of consecutive Packet Identifiers (0 is skipped), so that an ack finds
 * its entry by subtraction; an entry acknowledged out of turn stays as a hole until those before
 * it are done.  Pure state: no bytes, no I/O. */
#ifndef BROKER_CORE_OUTQ_H
#define BROKER_CORE_OUTQ_H

#include "broker/core/message.h"

enum delivery_state {
    DELIVERY_QUEUED,
    DELIVERY_PUBLISHED, /* waits for PUBACK or PUBREC        */
    DELIVERY_RELEASED,  /* PUBREL sent, waits for PUBCOMP; the message is dropped */
    DELIVERY_DONE       /* a hole in the window              */
};

struct delivery {
    struct message *m; /* NULL once it is not needed any more */
    uint32_t order;    /* number of arrival, wraps            */
    uint16_t packet_id;
    uint8_t qos : 2, retain : 1, dup : 1, state : 2;
};

/* Made for the first one, and kept for the next until outq_shrink(). */
struct ring {
    uint32_t head, n, cap; /* cap: a power of two */
    struct delivery v[];
};

struct outq_limits {
    unsigned max_messages;     /* queued, both FIFOs together; 0 = none */
    size_t max_bytes;          /* the same                              */
    unsigned max_inflight;     /* PUBLISH and PUBREL unacknowledged; 0 = 65,535 */
    size_t max_inflight_bytes; /* of messages in the window; one always goes; 0 = none */
};

struct outq {
    struct ring *qos0, *queued, *window; /* NULL: empty, too */
    size_t queued_bytes;
    size_t inflight_bytes; /* of the messages that the window still holds            */
    uint32_t order;
    uint32_t n_inflight; /* entries of the window that are not DONE              */
    uint32_t n_sent;     /* entries of the window already sent on this connection */
    uint16_t first_id;   /* Packet Identifier of the window's head               */
    uint16_t next_id;    /* to be given to the next message                      */
};

void outq_init(struct outq *q);
void outq_clear(struct outq *q);  /* drops every reference */
void outq_shrink(struct outq *q); /* frees what it does not need now */

/* `m` is shared.  The message travels with `qos` and RETAIN as given.  *out is the entry, lent
 * until the next call.  Errors: MD_FULL: a limit is reached, the message is not queued;
 * MD_NOMEM. */
MD_MUST_USE int outq_push(struct outq *q, const struct outq_limits *limits, struct message *m,
                          unsigned qos, bool retain, struct delivery **out);
/* Takes back the last outq_push(), which must have been the last call. */
void outq_unpush(struct outq *q, unsigned qos);

/* Moves one message from the queue into the window and gives it its Packet Identifier
 * [MQTT-2.3.1-4]; *out is lent until the next call.  False: nothing waits, the window is full,
 * or there is no memory for it now. */
bool outq_admit(struct outq *q, const struct outq_limits *limits, struct delivery **out);

/* Takes the next packet the Session may put on the wire: PUBLISH, or PUBREL when
 * d->state is DELIVERY_RELEASED.  The reference d->m is the caller's (message_unref()).
 * False: nothing now. */
bool outq_next(struct outq *q, struct delivery *d);
bool outq_ready(const struct outq *q); /* outq_next() has one */

/* PUBACK, PUBREC or PUBCOMP arrived; *was is the entry as it was, and the reference was->m (NULL if
 * there is none any more) the caller's.
 * MD_NOENT   the id is not in flight: logged, not fatal.
 * MD_PROTO   the ack does not belong to this QoS or state [MQTT-4.8.0-1]. */
MD_MUST_USE int outq_ack(struct outq *q, enum mqtt_type type, uint16_t packet_id,
                         struct delivery *was);

/* Appends one entry as outq_restore() does; its reference is taken.
 * Errors: MD_FULL: its Packet Identifier does not follow those before it; MD_NOMEM. */
MD_MUST_USE int outq_append(struct outq *q, const struct delivery *d);

/* Puts back what was stored, into an empty queue: v[] is in order of arrival; those with a Packet
 * Identifier were in the window, and count as sent.  The references are taken.
 * Errors: MD_NOMEM: nothing is taken. */
MD_MUST_USE int outq_restore(struct outq *q, struct delivery *v, size_t n);

/* The Session is resumed on a new connection: everything in the window is to be sent again,
 * PUBLISH with DUP = 1, in the original order [MQTT-4.4.0-1] [MQTT-4.6.0-1]. */
void outq_rewind(struct outq *q);

/* The connection is gone: QoS 0 messages that wait are not kept for a Session. */
void outq_drop_qos0(struct outq *q);

/* Drops of what waits (not of what is in flight) all that `keep` does not want. */
void outq_filter(struct outq *q, bool (*keep)(void *ctx, const struct delivery *d), void *ctx);

/* Every QoS 1/2 entry, in order; `each` may change nothing. */
void outq_each(const struct outq *q, void (*each)(void *ctx, const struct delivery *d), void *ctx);

static inline uint32_t ring_n(const struct ring *r) { return r == NULL ? 0 : r->n; }

static inline uint32_t outq_waiting(const struct outq *q)
{
    return ring_n(q->qos0) + ring_n(q->queued);
}

#endif

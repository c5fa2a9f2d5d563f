/* message.h - an Application Message: immutable, reference counted, one
 * allocation, already in the form of the wire.
 *
 *     bytes:  | room for a fixed header | topic length | topic | payload |
 *             '-- MQTT_HEAD_MAX --------'-------- body ------------------'
 *
 * A QoS 0 PUBLISH is `qos0`, a piece of `bytes`, for every subscriber alike; QoS 1 and 2 differ
 * in the fixed header and in the Packet Identifier between topic and payload.
 * Queues, Retained Messages and outputs share it; nothing copies a payload twice. */
#ifndef BROKER_CORE_MESSAGE_H
#define BROKER_CORE_MESSAGE_H

#include "broker/base/err.h"
#include "broker/codec/mqtt.h"
#include "broker/codec/mqtt_encode.h"

struct message {
    unsigned refs;
    uint8_t qos;     /* as published, 0..2 */
    bool retain;     /* as published       */
    bool loops;      /* it goes round between bridges: bridge_echo.h */
    bool local;      /* published by a module of this process: such are not stored */
    uint8_t head_n;  /* length of the QoS 0 fixed header */
    uint32_t origin; /* the bridge it came in over; 0 = none */
    uint32_t topic_n, payload_n;
    uint32_t stored_refs; /* stored queues it stands in: persist.c */
    uint64_t stored_id;   /* its key there; 0 = not stored         */
    uint8_t bytes[];
};

/* Copies topic (at most 65,535 bytes) and payload.  *out given: message_unref().
 * Errors: MD_NOMEM; MD_TOOBIG when no PUBLISH can carry it. */
MD_MUST_USE int message_new(struct message **out, struct span topic, struct span payload,
                            unsigned qos, bool retain);
void message_unref(struct message *m); /* NULL is fine */

static inline struct message *message_ref(struct message *m)
{
    m->refs++;
    return m;
}

static inline struct span message_topic(const struct message *m)
{
    return (struct span){m->bytes + MQTT_HEAD_MAX + 2, m->topic_n};
}

static inline struct span message_payload(const struct message *m)
{
    return (struct span){m->bytes + MQTT_HEAD_MAX + 2 + m->topic_n, m->payload_n};
}

/* The whole packet as it goes to a QoS 0 subscriber with RETAIN 0. */
static inline struct span message_qos0(const struct message *m)
{
    return (struct span){m->bytes + MQTT_HEAD_MAX - m->head_n,
                         (size_t)m->head_n + 2 + m->topic_n + m->payload_n};
}

/* Topic length and topic, as they stand in every PUBLISH. */
static inline struct span message_wire_topic(const struct message *m)
{
    return (struct span){m->bytes + MQTT_HEAD_MAX, (size_t)m->topic_n + 2};
}

/* What one message is counted as in queue limits. */
static inline size_t message_size(const struct message *m)
{
    return (size_t)m->topic_n + m->payload_n;
}

#endif

#include "broker/core/trace.h"

#include "broker/base/log.h"

static const char *type_name(enum mqtt_type type)
{
    static const char *const names[] = {"?",         "CONNECT",  "CONNACK",     "PUBLISH",
                                        "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
                                        "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
                                        "PINGREQ",   "PINGRESP", "DISCONNECT"};
    return names[type];
}

static void trace_publish(struct span id, const struct mqtt_publish *p)
{
    log_debug("mqtt", "Received PUBLISH from %s (d%d, q%d, r%d, m%u, %s, ... (%zu bytes))",
              log_q(id), p->dup, (int)p->qos, p->retain, p->packet_id, log_q(p->topic),
              p->payload.n);
}

void trace_received(struct span client_id, const struct mqtt_packet *p)
{
    switch (p->type) {
    case MQTT_PUBLISH:
        trace_publish(client_id, &p->u.publish);
        return;
    case MQTT_CONNECT:
        log_debug("mqtt", "Received CONNECT from %s (p%d, c%d, k%u)", log_q(p->u.connect.client_id),
                  (int)p->u.connect.level, p->u.connect.clean_session, p->u.connect.keep_alive_s);
        return;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        log_debug("mqtt", "Received %s from %s (m%u)", type_name(p->type), log_q(client_id),
                  p->u.ack.packet_id);
        return;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        log_debug("mqtt", "Received %s from %s (m%u, %u filters)", type_name(p->type),
                  log_q(client_id), p->u.filters.packet_id, p->u.filters.count);
        return;
    case MQTT_CONNACK:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
    case MQTT_DISCONNECT:
        log_debug("mqtt", "Received %s from %s", type_name(p->type), log_q(client_id));
        return;
    }
}

void trace_sending(struct span client_id, const struct delivery *d)
{
    if (d->state == DELIVERY_RELEASED)
        log_debug("mqtt", "Sending PUBREL to %s (m%u)", log_q(client_id), d->packet_id);
    else
        log_debug("mqtt", "Sending PUBLISH to %s (d%d, q%d, r%d, m%u, %s, ... (%u bytes))",
                  log_q(client_id), d->dup, d->qos, d->retain, d->packet_id,
                  log_q(message_topic(d->m)), d->m->payload_n);
}

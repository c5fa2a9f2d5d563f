/* c_packets.c - what the other broker sends to a bridge of ours.  [MQTT 3.3 - 3.13]
 *
 * Acknowledgements and QoS 2 are the same both ways, so h_ack.c and h_publish.c do the work; here
 * is what differs: names, and answers that only a client gets. */
#include "broker/base/log.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_int.h"
#include "broker/core/bridge_topics.h"
#include "broker/core/handlers.h"
#include "broker/core/trace.h"

/* Acknowledged, or it would come for ever; and forgotten. */
static int decline(struct conn *c, const struct mqtt_publish *p, const char *reason)
{
    log_debug("bridge", "connection=%s its message to %s is dropped: %s",
              log_q(span_str(c->bridge->cfg->name)), log_q(p->topic), reason);
    c->broker->stats.dropped++;
    if (p->qos != MQTT_QOS0)
        conn_ack(c, p->qos == MQTT_QOS1 ? MQTT_PUBACK : MQTT_PUBREC, p->packet_id);
    return MD_OK;
}

static int on_publish(struct conn *c, const struct mqtt_publish *p, const char **why)
{
    struct bridge *g = c->bridge;
    const struct broker_limits *l = &c->broker->limits;
    const struct bridge_topic *t;
    struct mqtt_publish here = *p;
    struct buf name;
    buf_init(&name, UINT16_MAX);
    int err = bridge_topics_map(g->cfg->topics, g->cfg->n_topics, false, p->topic, &t, &name);
    here.topic = buf_view(&name);
    here.retain = p->retain && l->retain_available;
    g->busy_ms = env_mono_ms(c->broker->env);
    if (err == MD_NOENT)
        err = decline(c, p, "no `topic` of this bridge lets it in");
    else if (err == MD_TOOBIG || (err == MD_OK && l->max_topic_levels != 0 &&
                                  topic_deeper(here.topic, l->max_topic_levels)))
        err = decline(c, p, "its topic is too long here");
    else if (err == MD_OK)
        err = handle_publish(c, &here, why);
    buf_free(&name);
    return err;
}

static void on_suback(const struct conn *c, const struct mqtt_suback *p)
{
    for (size_t i = 0; i < p->codes.n; i++)
        if (p->codes.p[i] == MQTT_SUBACK_FAILURE)
            log_warn("bridge",
                     "connection=%s the other broker refused a subscription: look at the rights of "
                     "its user there, and at `topic` here",
                     log_q(span_str(c->bridge->cfg->name)));
}

static int dispatch(struct conn *c, struct mqtt_packet *p, const char **why)
{
    switch (p->type) {
    case MQTT_CONNACK:
        return bridge_on_connack(c, &p->u.connack, why);
    case MQTT_PUBLISH:
        return on_publish(c, &p->u.publish, why);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        return handle_ack(c, p->type, p->u.ack.packet_id, why);
    case MQTT_SUBACK:
        on_suback(c, &p->u.suback);
        return MD_OK;
    case MQTT_PINGRESP:
        c->bridge->pinged = false;
        return MD_OK;
    case MQTT_UNSUBACK:
        return MD_OK;
    case MQTT_CONNECT: /* the decoder refuses what only a client sends */
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
    case MQTT_PINGREQ:
    case MQTT_DISCONNECT:
        break;
    }
    *why = "[MQTT-4.8.0-1]";
    return MD_PROTO;
}

int bridge_handle(struct conn *c, struct span packet, const char **why)
{
    struct mqtt_packet p;
    int err = mqtt_decode_client(packet, &p, why);
    if (err != MD_OK)
        return err;
    if (log_wants(LOG_DEBUG))
        trace_received(c->who.client_id, &p);
    c->last_packet_ms = env_mono_ms(c->broker->env);
    return dispatch(c, &p, why);
}

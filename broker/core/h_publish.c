/* h_publish.c - PUBLISH from a client, and the first answer to it.  [MQTT 3.3] */
#include "broker/core/handlers.h"

#include "broker/base/log.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_int.h"
#include "broker/core/broker_int.h"
#include "broker/core/router.h"

/* Who may not, or whose message the hook keeps to itself, is acknowledged all the same
 * [MQTT-3.3.5-2]; otherwise it would send it for ever. */
static bool wanted(struct conn *c, const struct mqtt_publish *p)
{
    const struct broker_hooks *h = &c->broker->hooks;
    struct broker_message m = {p->topic, p->payload, (unsigned)p->qos, p->retain};
    /* What comes in over a bridge of ours is the operator's word. */
    if (c->bridge == NULL && h->may != NULL && !h->may(h->ctx, &c->who, BROKER_PUBLISH, p->topic))
        return false;
    return h->on_publish == NULL || h->on_publish(h->ctx, &c->who, &m);
}

static bool too_large(const struct conn *c, const struct mqtt_publish *p)
{
    size_t max = c->broker->limits.message_size_limit;
    if (max == 0 || p->payload.n <= max)
        return false;
    log_warn("broker",
             "client=%s its message to %s is dropped: %zu bytes are more than "
             "message_size_limit",
             log_q(c->who.client_id), log_q(p->topic), p->payload.n);
    c->broker->stats.dropped++;
    return true;
}

static int route(struct conn *c, const struct mqtt_publish *p)
{
    struct message *m;
    c->broker->stats.messages_in++;
    c->broker->stats.message_bytes_in += p->payload.n;
    if (too_large(c, p) || !wanted(c, p))
        return MD_OK;
    int err = message_new(&m, p->topic, p->payload, (unsigned)p->qos, p->retain);
    if (err != MD_OK)
        return err;
    if (c->session != NULL) /* a hook may have ended it */
        bridge_mark(c->session, m);
    err = route_publish(c->broker, m);
    message_unref(m);
    return err;
}

/* Delivered on PUBLISH; until PUBREL its id marks repetitions [MQTT-4.3.3-2]. */
static int route_once(struct conn *c, const struct mqtt_publish *p)
{
    if (session_qos2_known(c->session, p->packet_id))
        return MD_OK;
    int err = session_qos2_add(c->session, p->packet_id);
    if (err != MD_OK)
        return err;
    err = route(c, p);
    if (err != MD_OK && c->session != NULL)
        session_qos2_release(c->session, p->packet_id);
    return err;
}

/* What the configuration forbids, it forbids as mosquitto does: the connection ends. */
static int check(const struct conn *c, const struct mqtt_publish *p, const char **why)
{
    const struct broker_limits *l = &c->broker->limits;
    *why = "a Topic Name has more levels than max_topic_levels";
    if (l->max_topic_levels != 0 && topic_deeper(p->topic, l->max_topic_levels))
        return MD_TOOBIG;
    *why = "it published with a QoS above max_qos";
    if ((unsigned)p->qos > conn_max_qos(c))
        return MD_DENIED;
    *why = "it published with RETAIN, and retain_available is false";
    return p->retain && !l->retain_available ? MD_DENIED : MD_OK;
}

int handle_publish(struct conn *c, const struct mqtt_publish *p, const char **why)
{
    int err = check(c, p, why);
    if (err != MD_OK)
        return err;
    err = p->qos == MQTT_QOS2 ? route_once(c, p) : route(c, p);
    *why = err == MD_FULL ? "memory_limit is nearly reached" : "out of memory";
    if (err != MD_OK || c->state != CONN_OPEN) /* a hook may have ended it */
        return err;
    if (p->qos == MQTT_QOS1)
        conn_ack(c, MQTT_PUBACK, p->packet_id);
    else if (p->qos == MQTT_QOS2)
        conn_ack(c, MQTT_PUBREC, p->packet_id);
    return MD_OK;
}

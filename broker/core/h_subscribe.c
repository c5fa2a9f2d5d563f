/* h_subscribe.c - SUBSCRIBE with the replay of Retained Messages, UNSUBSCRIBE.
 * [MQTT 3.8 - 3.11] */
#include "broker/core/handlers.h"

#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "broker/codec/topic.h"
#include "broker/core/broker_int.h"
#include "broker/core/replay.h"

static bool permitted(struct conn *c, struct span filter)
{
    const struct broker_hooks *h = &c->broker->hooks;
    unsigned levels = c->broker->limits.max_topic_levels;
    if (levels != 0 && topic_deeper(filter, levels))
        return false;
    return h->may == NULL || h->may(h->ctx, &c->who, BROKER_SUBSCRIBE, filter);
}

static int subscribe_one(struct conn *c, struct span filter, enum mqtt_qos qos, struct grant *g)
{
    bool added;
    g->code = (uint8_t)qos;
    g->replay = false;
    if ((unsigned)qos > conn_max_qos(c))
        g->code = (uint8_t)conn_max_qos(c);
    bool allowed = permitted(c, filter);
    if (c->state != CONN_OPEN) /* a hook has ended it */
        return MD_OK;
    if (!allowed) {
        /* 3.1 has no code for failure: the QoS is granted and nothing is delivered. */
        if (c->who.level == MQTT_3_1_1)
            g->code = MQTT_SUBACK_FAILURE; /* [MQTT-3.9.3-2] */
        return MD_OK;
    }
    int err = session_subscribe(c->session, filter, g->code, &added);
    if (err != MD_OK)
        return err;
    if (c->broker->hooks.on_subscribe != NULL)
        c->broker->hooks.on_subscribe(c->broker->hooks.ctx, &c->who, filter);
    /* 3.1.1 sends them again for an identical filter [MQTT-3.8.4-3], 3.1 does not. */
    g->replay = added || c->who.level == MQTT_3_1_1;
    return MD_OK;
}

static int put_suback(struct conn *c, uint16_t packet_id, const struct grant *g, size_t n)
{
    uint8_t *codes = mem_alloc_raw(n);
    if (codes == NULL)
        return MD_NOMEM;
    for (size_t i = 0; i < n; i++)
        codes[i] = g[i].code; /* in their order [MQTT-3.9.3-1] */
    int err = mqtt_put_suback(&c->ctl, packet_id, span_of(codes, n));
    mem_free(codes);
    if (err == MD_OK)
        conn_answered(c);
    return err;
}

int handle_subscribe(struct conn *c, struct mqtt_filters *p, const char **why)
{
    struct mqtt_filters list = *p;
    struct span filter;
    enum mqtt_qos qos;
    int err = MD_OK;
    struct grant *grants = mem_calloc(p->count, sizeof *grants);
    if (grants == NULL)
        return MD_NOMEM;
    for (size_t i = 0;
         err == MD_OK && c->state == CONN_OPEN && mqtt_next_filter(&list, &filter, &qos); i++)
        err = subscribe_one(c, filter, qos, &grants[i]);
    if (err == MD_OK && c->state == CONN_OPEN) /* a hook may have ended it */
        err = put_suback(c, p->packet_id, grants, p->count);
    if (err == MD_OK && c->state == CONN_OPEN)
        err = replay_start(c, *p, grants);
    mem_free(grants);
    if (err != MD_OK)
        *why = "out of memory for its subscriptions"; /* [MQTT-4.8.0-2] */
    return err;
}

int handle_unsubscribe(struct conn *c, struct mqtt_filters *p, const char **why)
{
    (void)why;
    struct span filter;
    while (mqtt_next_filter(p, &filter, NULL))
        session_unsubscribe(c->session, filter);
    conn_ack(c, MQTT_UNSUBACK, p->packet_id); /* also when nothing went [MQTT-3.10.4-5] */
    return MD_OK;
}

/* h_subscribe.c - SUBSCRIBE with the replay of Retained Messages, UNSUBSCRIBE.
 * [MQTT 3.8 - 3.11] */
#include "broker/core/handlers.h"

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

struct answer {        /* with room for all filters */
    struct buf codes;  /* of SUBACK                                                        */
    struct buf replay; /* filters whose Retained Messages follow, as replay_start() has it */
};

static int put_replay(struct buf *out, struct span filter, uint8_t code)
{
    uint8_t n[2] = {(uint8_t)(filter.n >> 8), (uint8_t)filter.n};
    int err = buf_put(out, span_of(n, 2));
    if (err == MD_OK)
        err = buf_put(out, filter);
    return err == MD_OK ? buf_put(out, span_of(&code, 1)) : err;
}

static int subscribe_one(struct conn *c, struct span filter, enum mqtt_qos qos, struct answer *a)
{
    bool added;
    unsigned most = conn_max_qos(c);
    uint8_t code = (uint8_t)((unsigned)qos > most ? most : (unsigned)qos);
    bool allowed = permitted(c, filter);
    if (c->state != CONN_OPEN) /* a hook has ended it */
        return MD_OK;
    if (!allowed) {
        /* 3.1 has no code for failure: the QoS is granted and nothing is delivered. */
        if (c->who.level == MQTT_3_1_1)
            code = MQTT_SUBACK_FAILURE; /* [MQTT-3.9.3-2] */
        return buf_put(&a->codes, span_of(&code, 1));
    }
    int err = session_subscribe(c->session, filter, code, &added);
    if (err != MD_OK)
        return err;
    if (c->broker->hooks.on_subscribe != NULL)
        c->broker->hooks.on_subscribe(c->broker->hooks.ctx, &c->who, filter);
    /* 3.1.1 sends them again for an identical filter [MQTT-3.8.4-3], 3.1 does not. */
    if (added || c->who.level == MQTT_3_1_1)
        err = put_replay(&a->replay, filter, code);
    return err == MD_OK ? buf_put(&a->codes, span_of(&code, 1)) : err;
}

static int subscribe_all(struct conn *c, struct mqtt_filters list, struct answer *a)
{
    struct span filter;
    enum mqtt_qos qos;
    int err = buf_reserve(&a->codes, list.count);
    if (err == MD_OK)
        err = buf_reserve(&a->replay, list.list.n);
    while (err == MD_OK && c->state == CONN_OPEN && mqtt_next_filter(&list, &filter, &qos))
        err = subscribe_one(c, filter, qos, a);
    if (err != MD_OK || c->state != CONN_OPEN) /* a hook may have ended it */
        return err;
    /* In their order [MQTT-3.9.3-1]. */
    err = mqtt_put_suback(&c->ctl, list.packet_id, buf_view(&a->codes));
    if (err == MD_OK)
        conn_answered(c);
    return err;
}

int handle_subscribe(struct conn *c, struct mqtt_filters *p, const char **why)
{
    struct answer a;
    buf_init(&a.codes, SIZE_MAX);
    buf_init(&a.replay, SIZE_MAX);
    int err = subscribe_all(c, *p, &a);
    if (err == MD_OK && c->state == CONN_OPEN)
        err = replay_start(c->session, &a.replay);
    buf_free(&a.codes);
    buf_free(&a.replay);
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

/* adopt.c - what another broker kept becomes ours: `merossd import`. */
#include "broker/codec/topic.h"
#include "broker/core/persist.h"
#include "broker/core/router.h"

static bool possible(const struct broker_message *m)
{
    return topic_name_valid(m->topic) && m->qos <= MQTT_QOS2;
}

int broker_adopt_retained(struct broker *b, const struct broker_message *m)
{
    struct message *copy;
    if (!possible(m) || m->payload.n == 0)
        return MD_INVAL;
    if (retain_get(b->retain, m->topic) != NULL)
        return MD_EXIST;
    int err = message_new(&copy, m->topic, m->payload, m->qos, true);
    if (err != MD_OK)
        return err;
    err = persist_retained(b, copy, NULL);
    if (err == MD_OK)
        err = retain_set(b->retain, copy);
    message_unref(copy);
    return err;
}

int broker_adopt_session(struct broker *b, struct span client_id, struct span username)
{
    struct session *s;
    if (client_id.n == 0 || client_id.n > UINT16_MAX)
        return MD_INVAL;
    if (session_find(b, client_id) != NULL)
        return MD_EXIST;
    int err = session_restore(&s, b, client_id, username);
    if (err != MD_OK)
        return err;
    err = persist_session(s);
    if (err != MD_OK)
        session_free(s);
    else
        s->adopted = true;
    return err;
}

/* Errors: MD_NOENT, MD_EXIST: it is ours. */
static int find_adopted(struct broker *b, struct span client_id, struct session **out)
{
    struct session *s = session_find(b, client_id);
    *out = s;
    if (s == NULL)
        return MD_NOENT;
    return s->adopted ? MD_OK : MD_EXIST;
}

int broker_adopt_subscription(struct broker *b, struct span client_id, struct span filter,
                              unsigned qos)
{
    bool added;
    struct session *s;
    int err = find_adopted(b, client_id, &s);
    if (err != MD_OK)
        return err;
    if (!topic_filter_valid(filter) || qos > MQTT_QOS2)
        return MD_INVAL;
    return session_subscribe(s, filter, qos, &added);
}

/* From the client: nobody has it yet. */
static int publish_received(struct broker *b, struct session *s, const struct broker_waiting *w)
{
    struct message *m;
    if (session_qos2_known(s, w->packet_id))
        return MD_EXIST;
    int err = message_new(&m, w->message.topic, w->message.payload, MQTT_QOS2, w->message.retain);
    if (err != MD_OK)
        return err;
    err = session_qos2_add(s, w->packet_id);
    if (err == MD_OK)
        err = route_publish(b, m);
    message_unref(m);
    return err;
}

static bool waiting_possible(const struct broker_waiting *w)
{
    const struct broker_message *m = &w->message;
    bool queued = w->stage == BROKER_STAGE_QUEUED, qos2 = m->qos == MQTT_QOS2;
    return possible(m) && m->qos != MQTT_QOS0 && queued == (w->packet_id == 0) &&
           (qos2 || queued || w->stage == BROKER_STAGE_PUBLISHED);
}

static int append(struct session *s, struct message *m, const struct broker_waiting *w)
{
    struct delivery d = {.m = m,
                         .order = s->out.order,
                         .packet_id = w->packet_id,
                         .qos = w->message.qos & 3u,
                         .retain = w->message.retain};
    if (w->stage == BROKER_STAGE_QUEUED)
        d.state = DELIVERY_QUEUED;
    else
        d.state = m != NULL ? DELIVERY_PUBLISHED : DELIVERY_RELEASED;
    return session_adopt(s, &d);
}

int broker_adopt_waiting(struct broker *b, struct span client_id, const struct broker_waiting *w)
{
    struct message *m;
    struct session *s;
    int err = find_adopted(b, client_id, &s);
    if (err != MD_OK)
        return err;
    if (!waiting_possible(w))
        return MD_INVAL;
    if (w->stage == BROKER_STAGE_RECEIVED)
        return publish_received(b, s, w);
    if (w->stage == BROKER_STAGE_RELEASED) /* the client has the message */
        return append(s, NULL, w);
    err = message_new(&m, w->message.topic, w->message.payload, w->message.qos, false);
    if (err != MD_OK)
        return err;
    err = append(s, m, w);
    message_unref(m);
    return err;
}

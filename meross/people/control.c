#include "meross/people/control.h"

#include "broker/base/check.h"

/* The filters overlap (<base>/+/+/set and <base>/broker/request/+ both match a request called
 * "set"), so each takes only what it is meant for. */
static void take(struct meross *m, const struct broker_message *message, enum topics_kind meant)
{
    struct topics_ref ref = topics_read(&m->topics, message->topic);
    if (ref.kind != meant)
        return;
    if (meant == TOPICS_ASK_SET)
        control_set(m, &ref, message->payload);
    else if (meant == TOPICS_ASK_GET)
        control_get(m, &ref, message->payload);
    else
        control_broker(m, ref.verb, message->payload);
}

static void on_set(void *ctx, const struct broker_message *message)
{
    take(ctx, message, TOPICS_ASK_SET);
}

static void on_get(void *ctx, const struct broker_message *message)
{
    take(ctx, message, TOPICS_ASK_GET);
}

static void on_broker(void *ctx, const struct broker_message *message)
{
    take(ctx, message, TOPICS_ASK_BROKER);
}

int control_subscribe(struct meross *m)
{
    char filter[TOPICS_MAX];
    enum topics_kind kind = TOPICS_OTHER;
    int err = MD_OK;
    for (unsigned i = 0; err == MD_OK && topics_filter(&m->topics, i, filter, &kind) != NULL; i++) {
        broker_message_cb cb = kind == TOPICS_ASK_SET   ? on_set
                               : kind == TOPICS_ASK_GET ? on_get
                                                        : on_broker;
        MD_ASSERT(i < MEROSS_SUBS);
        err = broker_subscribe(m->broker, span_str(filter), cb, m, &m->subs[i]);
    }
    return err;
}

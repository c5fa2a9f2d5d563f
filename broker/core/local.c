/* local.c - publishers and subscribers in this process: broker_publish(), broker_subscribe().
 *
 * Everything passes through two queues, so that a callback never runs inside packet
 * handling or inside another callback: first what subscribers have received, then what publishers
 * have said, each as a snapshot of the turn. */
#include "broker/core/broker_int.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/router.h"

struct broker_sub {
    struct subscriber sub;
    struct list link;
    struct broker *broker;
    broker_message_cb cb;
    void *ctx;
};

void local_init(struct broker *b) { list_init(&b->local.subs); }

static int queue_put(struct local_queue *q, struct broker_sub *sub, struct message *m)
{
    if (q->n == q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 16;
        struct local_item *v = mem_realloc(q->v, cap * sizeof *v);
        if (v == NULL)
            return MD_NOMEM;
        q->v = v;
        q->cap = cap;
    }
    q->v[q->n++] = (struct local_item){sub, message_ref(m)};
    return MD_OK;
}

static struct local_item queue_take(struct local_queue *q)
{
    struct local_item item = q->v[q->head++];
    if (q->head == q->n)
        q->head = q->n = 0;
    return item;
}

static size_t queue_waiting(const struct local_queue *q) { return q->n - q->head; }

/* Moves what waits to the front, so that a queue that is never quite empty does not creep
 * through memory. */
static void queue_compact(struct local_queue *q)
{
    if (q->head == 0)
        return;
    memmove(q->v, q->v + q->head, queue_waiting(q) * sizeof *q->v);
    q->n -= q->head;
    q->head = 0;
}

static void queue_clear(struct local_queue *q)
{
    while (queue_waiting(q) > 0)
        message_unref(queue_take(q).m);
    mem_free(q->v);
    *q = (struct local_queue){0};
}

static void sub_deliver(struct subscriber *me, struct message *m, unsigned qos)
{
    (void)qos;
    struct broker_sub *s = LIST_OF(me, struct broker_sub, sub);
    if (queue_put(&s->broker->local.inbox, s, m) != MD_OK)
        log_warn("broker", "out of memory: a message to %s did not reach merossd's own logic",
                 log_q(message_topic(m)));
}

int broker_subscribe(struct broker *b, struct span filter, broker_message_cb cb, void *ctx,
                     struct broker_sub **out)
{
    bool added;
    if (!topic_filter_valid(filter))
        return MD_INVAL;
    struct broker_sub *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    *s = (struct broker_sub){.sub = {.deliver = sub_deliver}, .broker = b, .cb = cb, .ctx = ctx};
    int err = subs_add(b->subs, filter, &s->sub, MQTT_QOS2, &added);
    if (err != MD_OK) {
        mem_free(s);
        return err;
    }
    list_append(&b->local.subs, &s->link);
    *out = s;
    return MD_OK;
}

void broker_unsubscribe(struct broker_sub *s)
{
    if (s == NULL)
        return;
    struct local_queue *inbox = &s->broker->local.inbox;
    for (size_t i = inbox->head; i < inbox->n; i++)
        if (inbox->v[i].sub == s)
            inbox->v[i].sub = NULL;
    subs_remove_all(s->broker->subs, &s->sub);
    list_remove(&s->link);
    mem_free(s);
}

int broker_publish(struct broker *b, const struct broker_message *m)
{
    struct message *copy;
    if (!topic_name_valid(m->topic) || m->qos > MQTT_QOS2)
        return MD_INVAL;
    int err = message_new(&copy, m->topic, m->payload, m->qos, m->retain);
    if (err != MD_OK)
        return err;
    err = queue_put(&b->local.outbox, NULL, copy);
    message_unref(copy);
    return err;
}

void local_clear(struct broker *b)
{
    LIST_EACH (it, &b->local.subs)
        broker_unsubscribe(LIST_OF(it, struct broker_sub, link));
    queue_clear(&b->local.inbox);
    queue_clear(&b->local.outbox);
}

static void receive(const struct local_item *item)
{
    if (item->sub == NULL) /* unsubscribed meanwhile */
        return;
    struct broker_message m = {message_topic(item->m), message_payload(item->m), item->m->qos,
                               item->m->retain};
    item->sub->cb(item->sub->ctx, &m);
}

bool local_turn(struct broker *b)
{
    struct local_queue *in = &b->local.inbox, *out = &b->local.outbox;
    for (size_t budget = queue_waiting(in); budget > 0 && queue_waiting(in) > 0; budget--) {
        struct local_item item = queue_take(in);
        receive(&item);
        message_unref(item.m);
    }
    queue_compact(in);
    for (size_t budget = queue_waiting(out); budget > 0; budget--) {
        struct local_item item = queue_take(out);
        if (route_publish(b, item.m) != MD_OK)
            log_warn("broker", "out of memory: merossd's own message to %s is lost",
                     log_q(message_topic(item.m)));
        message_unref(item.m);
    }
    queue_compact(out);
    return queue_waiting(in) + queue_waiting(out) > 0;
}

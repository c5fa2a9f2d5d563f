/* local.c - publishers and subscribers in this process: broker_publish(), broker_subscribe().
 *
 * Everything passes through two queues, so that a callback never runs inside packet
 * handling or inside another callback: first what subscribers have received, then what publishers
 * have said.  A turn has a budget, because one small request may have a large answer; the inbox has
 * the limits of any Session. */
#include "broker/core/broker_int.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/router.h"

#define TURN_ITEMS 64                  /* received by modules in one turn, at most   */
#define TURN_BYTES ((size_t)256 << 10) /* and until they have said so much           */

struct broker_sub {
    struct subscriber sub;
    struct list link;
    struct broker *broker;
    broker_message_cb cb;
    void *ctx;
};

void local_init(struct broker *b) { list_init(&b->local.subs); }

static size_t queue_waiting(const struct local_queue *q) { return q->n - q->head; }

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
    q->bytes += message_size(m);
    return MD_OK;
}

static struct local_item queue_take(struct local_queue *q)
{
    struct local_item item = q->v[q->head++];
    q->bytes -= message_size(item.m);
    if (q->head == q->n)
        q->head = q->n = 0;
    return item;
}

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

static bool full(const struct local_queue *q, const struct outq_limits *l)
{
    return (l->max_messages != 0 && queue_waiting(q) >= l->max_messages) ||
           (l->max_bytes != 0 && q->bytes >= l->max_bytes);
}

static void sub_deliver(struct subscriber *me, struct message *m, unsigned qos)
{
    (void)qos;
    struct broker_sub *s = LIST_OF(me, struct broker_sub, sub);
    struct local *l = &s->broker->local;
    if (!full(&l->inbox, &s->broker->queue_limits) && queue_put(&l->inbox, s, m) == MD_OK)
        return;
    s->broker->stats.dropped++;
    if (l->dropped++ == 0)
        log_warn("broker",
                 "merossd's own logic gets more than it can do: a message to %s and "
                 "newer ones are dropped until it has caught up",
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
    copy->local = true;
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

static void receive_some(struct local *l)
{
    for (unsigned n = 0; n < TURN_ITEMS && queue_waiting(&l->inbox) > 0; n++) {
        if (l->outbox.bytes >= TURN_BYTES)
            break;
        struct local_item item = queue_take(&l->inbox);
        receive(&item);
        message_unref(item.m);
    }
    if (queue_waiting(&l->inbox) == 0)
        l->dropped = 0;
    queue_compact(&l->inbox);
}

bool local_turn(struct broker *b)
{
    struct local *l = &b->local;
    receive_some(l);
    for (size_t budget = queue_waiting(&l->outbox); budget > 0; budget--) {
        struct local_item item = queue_take(&l->outbox);
        if (route_unanswered(b, item.m) != MD_OK)
            log_warn("broker", "out of memory: merossd's own message to %s is lost",
                     log_q(message_topic(item.m)));
        message_unref(item.m);
    }
    queue_compact(&l->outbox);
    return queue_waiting(&l->inbox) + queue_waiting(&l->outbox) > 0;
}

#include "broker/core/outq.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

#define RING_FIRST 4u
#define RING_KEEP  64u    /* entries an empty ring may keep allocated */
#define IDS        65535u /* usable Packet Identifiers: 1 to 65,535   */

/* How far the window may stretch behind an entry that is never acknowledged while later ones
 * are.  A client acknowledges in order [MQTT-4.6.0-2]; one that does not, waits here. */
#define WINDOW_SPAN(max_inflight) ((max_inflight) + 1024u)

static struct delivery *ring_at(struct ring *r, uint32_t i)
{
    return &r->v[(r->head + i) & (r->cap - 1)];
}

static int ring_grow(struct ring **ring)
{
    struct ring *old = *ring;
    uint32_t n = ring_n(old), cap = old != NULL ? old->cap * 2 : RING_FIRST;
    struct ring *r = mem_alloc_raw(sizeof *r + cap * sizeof r->v[0]);
    if (r == NULL)
        return MD_NOMEM;
    *r = (struct ring){.n = n, .cap = cap};
    for (uint32_t i = 0; i < n; i++)
        r->v[i] = *ring_at(old, i);
    mem_free(old);
    *ring = r;
    return MD_OK;
}

static int ring_push(struct ring **ring, const struct delivery *d)
{
    int err = *ring == NULL || (*ring)->n == (*ring)->cap ? ring_grow(ring) : MD_OK;
    if (err == MD_OK) {
        struct ring *r = *ring;
        *ring_at(r, r->n++) = *d;
    }
    return err;
}

static void ring_free(struct ring **ring)
{
    mem_free(*ring);
    *ring = NULL;
}

static void ring_pop(struct ring **ring)
{
    struct ring *r = *ring;
    r->head = (r->head + 1) & (r->cap - 1);
    if (--r->n == 0 && r->cap > RING_KEEP)
        ring_free(ring);
}

static void ring_clear(struct ring **ring)
{
    for (uint32_t i = 0; i < ring_n(*ring); i++)
        message_unref(ring_at(*ring, i)->m);
    ring_free(ring);
}

void outq_init(struct outq *q) { *q = (struct outq){.first_id = 1, .next_id = 1}; }

void outq_clear(struct outq *q)
{
    ring_clear(&q->qos0);
    ring_clear(&q->queued);
    ring_clear(&q->window);
    outq_init(q);
}

void outq_shrink(struct outq *q)
{
    struct ring **rings[] = {&q->qos0, &q->queued, &q->window};
    for (size_t i = 0; i < sizeof rings / sizeof rings[0]; i++)
        if (ring_n(*rings[i]) == 0)
            ring_free(rings[i]);
}

void outq_drop_qos0(struct outq *q)
{
    for (uint32_t i = 0; i < ring_n(q->qos0); i++)
        q->queued_bytes -= message_size(ring_at(q->qos0, i)->m);
    ring_clear(&q->qos0);
}

static void filter_ring(struct outq *q, struct ring *r,
                        bool (*keep)(void *ctx, const struct delivery *d), void *ctx)
{
    for (uint32_t n = ring_n(r); n > 0; n--) { /* once around: the order stays */
        struct delivery d = *ring_at(r, 0);
        r->head = (r->head + 1) & (r->cap - 1);
        r->n--;
        if (keep(ctx, &d)) {
            *ring_at(r, r->n++) = d;
            continue;
        }
        q->queued_bytes -= message_size(d.m);
        message_unref(d.m);
    }
}

void outq_filter(struct outq *q, bool (*keep)(void *ctx, const struct delivery *d), void *ctx)
{
    filter_ring(q, q->qos0, keep, ctx);
    filter_ring(q, q->queued, keep, ctx);
}

void outq_each(const struct outq *q, void (*each)(void *ctx, const struct delivery *d), void *ctx)
{
    for (uint32_t i = 0; i < ring_n(q->window); i++)
        if (ring_at(q->window, i)->state != DELIVERY_DONE)
            each(ctx, ring_at(q->window, i));
    for (uint32_t i = 0; i < ring_n(q->queued); i++)
        each(ctx, ring_at(q->queued, i));
}

static bool full(const struct outq *q, const struct outq_limits *l, const struct message *m)
{
    uint32_t waiting = outq_waiting(q);
    if (l->max_messages != 0 && waiting >= l->max_messages)
        return true;
    /* One message always fits: otherwise one larger than the limit could never be sent. */
    return l->max_bytes != 0 && waiting > 0 && q->queued_bytes + message_size(m) > l->max_bytes;
}

int outq_push(struct outq *q, const struct outq_limits *limits, struct message *m, unsigned qos,
              bool retain, struct delivery **out)
{
    struct ring **r = qos == 0 ? &q->qos0 : &q->queued;
    if (full(q, limits, m))
        return MD_FULL;
    struct delivery d = {
        .m = m, .order = q->order, .qos = qos & 3u, .retain = retain, .state = DELIVERY_QUEUED};
    int err = ring_push(r, &d);
    if (err != MD_OK)
        return err;
    message_ref(m);
    q->order++;
    q->queued_bytes += message_size(m);
    *out = ring_at(*r, (*r)->n - 1);
    return MD_OK;
}

void outq_unpush(struct outq *q, unsigned qos)
{
    struct ring **r = qos == 0 ? &q->qos0 : &q->queued;
    struct message *m = ring_at(*r, --(*r)->n)->m;
    q->order--;
    q->queued_bytes -= message_size(m);
    message_unref(m);
}

static unsigned max_inflight(const struct outq_limits *l)
{
    return l->max_inflight == 0 || l->max_inflight > IDS ? IDS : l->max_inflight;
}

static bool window_open(const struct outq *q, const struct outq_limits *l)
{
    unsigned max = max_inflight(l);
    uint32_t span = WINDOW_SPAN(max) < IDS ? WINDOW_SPAN(max) : IDS;
    if (l->max_inflight_bytes != 0 && q->inflight_bytes > 0 && ring_n(q->queued) > 0 &&
        q->inflight_bytes + message_size(ring_at(q->queued, 0)->m) > l->max_inflight_bytes)
        return false;
    return q->n_inflight < max && ring_n(q->window) < span;
}

static uint16_t id_after(uint16_t id) { return id == IDS ? 1 : (uint16_t)(id + 1); }

bool outq_admit(struct outq *q, const struct outq_limits *limits, struct delivery **out)
{
    if (ring_n(q->queued) == 0 || !window_open(q, limits))
        return false;
    struct delivery e = *ring_at(q->queued, 0);
    e.packet_id = q->next_id;
    e.state = DELIVERY_PUBLISHED;
    if (ring_push(&q->window, &e) != MD_OK)
        return false;
    if (q->window->n == 1)
        q->first_id = e.packet_id;
    q->next_id = id_after(q->next_id);
    q->n_inflight++;
    q->queued_bytes -= message_size(e.m);
    q->inflight_bytes += message_size(e.m);
    ring_pop(&q->queued);
    *out = ring_at(q->window, q->window->n - 1);
    return true;
}

/* The next entry of the window that this connection has not seen; NULL when there is none. */
static struct delivery *unsent(const struct outq *q)
{
    for (uint32_t i = q->n_sent; i < ring_n(q->window); i++)
        if (ring_at(q->window, i)->state != DELIVERY_DONE)
            return ring_at(q->window, i);
    return NULL;
}

static void take_window(struct outq *q, const struct delivery *e, struct delivery *d)
{
    while (ring_at(q->window, q->n_sent) != e)
        q->n_sent++; /* holes */
    q->n_sent++;
    *d = *e;
    if (d->m != NULL)
        message_ref(d->m);
}

static void take_qos0(struct outq *q, struct delivery *d)
{
    *d = *ring_at(q->qos0, 0);
    ring_pop(&q->qos0);
    q->queued_bytes -= message_size(d->m);
}

bool outq_ready(const struct outq *q) { return ring_n(q->qos0) > 0 || unsent(q) != NULL; }

bool outq_next(struct outq *q, struct delivery *d)
{
    const struct delivery *e = unsent(q);
    /* The older one first; what is sent again is older than anything. */
    if (e != NULL && (ring_n(q->qos0) == 0 || (int32_t)(e->order - ring_at(q->qos0, 0)->order) < 0))
        take_window(q, e, d);
    else if (ring_n(q->qos0) > 0)
        take_qos0(q, d);
    else
        return false;
    return true;
}

/* The window entry of an id, NULL when it is not in flight. */
static struct delivery *find(struct outq *q, uint16_t id)
{
    if (ring_n(q->window) == 0 || id == 0)
        return NULL;
    uint32_t i = id >= q->first_id ? (uint32_t)(id - q->first_id)
                                   : IDS - (uint32_t)(q->first_id - id); /* wrapped, 0 skipped */
    if (i >= q->n_sent) /* beyond the window, or not sent again yet on this connection */
        return NULL;
    struct delivery *d = ring_at(q->window, i);
    MD_DCHECK(d->packet_id == id);
    return d->state == DELIVERY_DONE ? NULL : d;
}

/* The window does not need the message any more; its reference is the caller's. */
static void forget_message(struct outq *q, struct delivery *d)
{
    if (d->m != NULL)
        q->inflight_bytes -= message_size(d->m);
    d->m = NULL;
}

static void finish(struct outq *q, struct delivery *d)
{
    forget_message(q, d);
    d->state = DELIVERY_DONE;
    q->n_inflight--;
    while (ring_n(q->window) > 0 && ring_at(q->window, 0)->state == DELIVERY_DONE) {
        ring_pop(&q->window);
        q->first_id = id_after(q->first_id);
        if (q->n_sent > 0) /* after a rewind a hole may go before it was passed */
            q->n_sent--;
    }
}

int outq_ack(struct outq *q, enum mqtt_type type, uint16_t packet_id, struct delivery *was)
{
    struct delivery *d = find(q, packet_id);
    if (d == NULL)
        return MD_NOENT;
    if (d->qos == MQTT_QOS1 ? type != MQTT_PUBACK : type == MQTT_PUBACK)
        return MD_PROTO;
    if (type == MQTT_PUBCOMP && d->state != DELIVERY_RELEASED)
        return MD_PROTO;
    *was = *d;
    if (type != MQTT_PUBREC) {
        finish(q, d);
        return MD_OK;
    }
    /* PUBREL follows, also for a repeated PUBREC; the message is not needed any more
     * [MQTT-4.3.3-1]. */
    forget_message(q, d);
    d->state = DELIVERY_RELEASED;
    return MD_OK;
}

void outq_rewind(struct outq *q)
{
    for (uint32_t i = 0; i < q->n_sent; i++)
        ring_at(q->window, i)->dup = ring_at(q->window, i)->state == DELIVERY_PUBLISHED;
    q->n_sent = 0; /* [MQTT-3.3.1-1] */
}

/* Ids between those that were stored are holes: what they belonged to is done. */
static int restore_window(struct outq *q, const struct delivery *d)
{
    struct delivery hole = {.state = DELIVERY_DONE, .order = d->order};
    if (ring_n(q->window) == 0)
        q->first_id = q->next_id = d->packet_id;
    while (q->next_id != d->packet_id) {
        hole.packet_id = q->next_id;
        int err = ring_n(q->window) >= IDS - 1 ? MD_FULL : ring_push(&q->window, &hole);
        if (err != MD_OK)
            return err;
        q->next_id = id_after(q->next_id);
    }
    int err = ring_push(&q->window, d);
    if (err != MD_OK)
        return err;
    ring_at(q->window, q->window->n - 1)->dup = d->state == DELIVERY_PUBLISHED;
    q->inflight_bytes += d->m == NULL ? 0 : message_size(d->m);
    q->next_id = id_after(q->next_id);
    q->n_inflight++;
    return MD_OK;
}

int outq_append(struct outq *q, const struct delivery *d)
{
    /* What was sent stands before what was not. */
    if (d->packet_id != 0 && ring_n(q->queued) > 0)
        return MD_FULL;
    int err = d->packet_id != 0 ? restore_window(q, d) : ring_push(&q->queued, d);
    if (err != MD_OK)
        return err;
    if (d->packet_id == 0)
        q->queued_bytes += message_size(d->m);
    q->order = d->order + 1;
    return MD_OK;
}

int outq_restore(struct outq *q, struct delivery *v, size_t n)
{
    int err = MD_OK;
    for (size_t i = 0; i < n && err == MD_OK; i++)
        err = outq_append(q, &v[i]);
    if (err != MD_OK) {
        ring_free(&q->window);
        ring_free(&q->queued);
        outq_init(q);
    }
    return err;
}

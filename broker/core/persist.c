#include "broker/core/persist.h"

#include "broker/base/log.h"

#define FLAG_QOS    3u
#define FLAG_RETAIN 4u
#define FLAG_STATE  3u /* shift */

struct key {
    uint8_t b[12];
    size_t n;
};

static void key_put(struct key *k, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        k->b[k->n++] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static struct span key_span(const struct key *k) { return span_of(k->b, k->n); }

static struct key queue_key(const struct session *s, const struct delivery *d)
{
    struct key k = {.n = 0};
    key_put(&k, s->number, 4);
    key_put(&k, d->order, 4);
    return k;
}

static struct store *store_of(const struct session *s)
{
    return s->number == 0 ? NULL : s->broker->store;
}

/* A deletion that finds no memory leaves something behind that the next start cleans up. */
static void forget(struct store *st, enum store_ns ns, struct span key, enum store_when when)
{
    if (store_del(st, ns, key, when) != MD_OK)
        log_warn("store", "out of memory: something done will be taken for undone after a restart");
}

int persist_session(struct session *s)
{
    struct broker *b = s->broker;
    if (b->store == NULL)
        return MD_OK;
    struct buf value;
    struct key k = {.n = 0};
    uint32_t number = s->number != 0 ? s->number : ++b->session_number;
    key_put(&k, number, 4);
    key_put(&k, s->username != NULL, 1);
    buf_init(&value, SIZE_MAX);
    int err = buf_put(&value, key_span(&k));
    if (err == MD_OK && s->username != NULL)
        err = buf_put_str(&value, s->username);
    if (err == MD_OK)
        err = store_put(b->store, STORE_SESSION, session_id(s), buf_view(&value), STORE_NOW);
    buf_free(&value);
    if (err == MD_OK)
        s->number = number;
    return err;
}

/* number | filter, in one allocation that is short-lived. */
static int sub_key(const struct session *s, struct span filter, struct buf *out)
{
    struct key k = {.n = 0};
    key_put(&k, s->number, 4);
    buf_init(out, SIZE_MAX);
    int err = buf_put(out, key_span(&k));
    return err == MD_OK ? buf_put(out, filter) : err;
}

int persist_sub(struct session *s, struct span filter, unsigned qos)
{
    struct store *st = store_of(s);
    struct buf key;
    uint8_t value = (uint8_t)qos;
    if (st == NULL)
        return MD_OK;
    int err = sub_key(s, filter, &key);
    if (err == MD_OK)
        err = store_put(st, STORE_SUB, buf_view(&key), span_of(&value, 1), STORE_NOW);
    buf_free(&key);
    return err;
}

void persist_unsub(struct session *s, struct span filter)
{
    struct store *st = store_of(s);
    struct buf key;
    if (st == NULL)
        return;
    if (sub_key(s, filter, &key) == MD_OK)
        forget(st, STORE_SUB, buf_view(&key), STORE_NOW);
    buf_free(&key);
}

static struct key replay_key(const struct session *s, bool done)
{
    struct key k = {.n = 0};
    key_put(&k, s->number, 4);
    key_put(&k, 0, done ? 1 : 0);
    return k;
}

int persist_replay(struct session *s, struct span list)
{
    struct key k = replay_key(s, false);
    if (store_of(s) == NULL)
        return MD_OK;
    return store_put(store_of(s), STORE_REPLAY, key_span(&k), list, STORE_FRESH);
}

int persist_replay_done(struct session *s, uint32_t done)
{
    struct key k = replay_key(s, true), value = {.n = 0};
    key_put(&value, done, 4);
    if (store_of(s) == NULL)
        return MD_OK;
    return store_put(store_of(s), STORE_REPLAY, key_span(&k), key_span(&value), STORE_NOW);
}

void persist_replay_gone(struct session *s)
{
    struct key list = replay_key(s, false), done = replay_key(s, true);
    if (store_of(s) == NULL)
        return;
    forget(store_of(s), STORE_REPLAY, key_span(&list), STORE_NOW);
    forget(store_of(s), STORE_REPLAY, key_span(&done), STORE_NOW);
}

/* --- messages ------------------------------------------------------------------------------- */

static struct key message_key(const struct message *m)
{
    struct key k = {.n = 0};
    key_put(&k, m->stored_id, 8);
    return k;
}

/* Stored with the first queue that needs it. */
static int hold_message(struct broker *b, struct message *m)
{
    if (m->stored_id != 0) {
        m->stored_refs++;
        return MD_OK;
    }
    struct buf value;
    uint8_t qos = m->qos;
    buf_init(&value, SIZE_MAX);
    int err = buf_reserve(&value, 1 + message_wire_topic(m).n + m->payload_n);
    if (err == MD_OK)
        err = buf_put(&value, span_of(&qos, 1));
    if (err == MD_OK)
        err = buf_put(&value, message_wire_topic(m));
    if (err == MD_OK)
        err = buf_put(&value, message_payload(m));
    m->stored_id = ++b->message_id;
    if (err == MD_OK) {
        struct key k = message_key(m);
        err = store_put(b->store, STORE_MESSAGE, key_span(&k), buf_view(&value), STORE_FRESH);
    }
    buf_free(&value);
    if (err != MD_OK)
        m->stored_id = 0;
    else
        m->stored_refs = 1;
    return err;
}

static void release_message(struct broker *b, struct message *m)
{
    if (m == NULL || m->stored_id == 0 || --m->stored_refs > 0)
        return;
    struct key k = message_key(m);
    forget(b->store, STORE_MESSAGE, key_span(&k), STORE_NOW);
    m->stored_id = 0;
}

/* --- queues --------------------------------------------------------------------------------- */

static int put_delivery(struct session *s, const struct delivery *d, enum store_when when)
{
    struct key k = queue_key(s, d), value = {.n = 0};
    unsigned flags = d->qos | (d->retain ? FLAG_RETAIN : 0) | (unsigned)d->state << FLAG_STATE;
    key_put(&value, d->m == NULL ? 0 : d->m->stored_id, 8);
    key_put(&value, d->packet_id, 2);
    key_put(&value, flags, 1);
    return store_put(store_of(s), STORE_QUEUE, key_span(&k), key_span(&value), when);
}

int persist_delivery(struct session *s, const struct delivery *d)
{
    if (store_of(s) == NULL || d->qos == 0)
        return MD_OK;
    return d->state == DELIVERY_QUEUED ? persist_delivery_new(s, d) : put_delivery(s, d, STORE_NOW);
}

int persist_delivery_new(struct session *s, const struct delivery *d)
{
    if (store_of(s) == NULL)
        return MD_OK;
    int err = d->m != NULL ? hold_message(s->broker, d->m) : MD_OK;
    if (err != MD_OK)
        return err;
    err = put_delivery(s, d, STORE_FRESH);
    if (err != MD_OK)
        release_message(s->broker, d->m);
    return err;
}

void persist_delivery_done(struct session *s, const struct delivery *d, struct message *m)
{
    struct store *st = store_of(s);
    if (st == NULL || d->qos == 0)
        return;
    struct key k = queue_key(s, d);
    forget(st, STORE_QUEUE, key_span(&k), STORE_NOW);
    release_message(s->broker, m);
}

void persist_delivery_released(struct session *s, const struct delivery *d, struct message *m)
{
    struct delivery now = *d;
    if (store_of(s) == NULL)
        return;
    now.m = NULL;
    now.state = DELIVERY_RELEASED;
    if (put_delivery(s, &now, STORE_NOW) != MD_OK)
        log_warn("store", "out of memory: a message may be delivered twice after a restart");
    release_message(s->broker, m);
}

static struct key qos2_key(const struct session *s, uint16_t packet_id)
{
    struct key k = {.n = 0};
    key_put(&k, s->number, 4);
    key_put(&k, packet_id, 2);
    return k;
}

int persist_qos2(struct session *s, uint16_t packet_id)
{
    struct key k = qos2_key(s, packet_id);
    if (store_of(s) == NULL)
        return MD_OK;
    /* The id may have been used before within this flush, so it is not FRESH. */
    return store_put(store_of(s), STORE_QOS2, key_span(&k), span_of(NULL, 0), STORE_NOW);
}

void persist_qos2_done(struct session *s, uint16_t packet_id)
{
    struct key k = qos2_key(s, packet_id);
    if (store_of(s) != NULL)
        forget(store_of(s), STORE_QOS2, key_span(&k), STORE_NOW);
}

/* --- the end of a Session ------------------------------------------------------------------- */

static void forget_delivery(void *ctx, const struct delivery *d)
{
    persist_delivery_done(ctx, d, d->m);
}

static void forget_sub(void *ctx, struct span filter, unsigned qos)
{
    (void)qos;
    persist_unsub(ctx, filter);
}

void persist_session_gone(struct session *s)
{
    if (store_of(s) == NULL)
        return;
    outq_each(&s->out, forget_delivery, s);
    (void)subs_each(s->broker->subs, &s->sub, forget_sub, s);
    if (s->replaying)
        persist_replay_gone(s);
    for (uint32_t i = 0; i < session_qos2_n(s); i++)
        persist_qos2_done(s, s->qos2_in->v[i]);
    forget(store_of(s), STORE_SESSION, session_id(s), STORE_NOW);
    s->number = 0;
}

/* --- retained ------------------------------------------------------------------------------- */

static bool same(const struct message *a, const struct message *b)
{
    return a->qos == b->qos && span_eq(message_payload(a), message_payload(b));
}

int persist_retained(struct broker *b, const struct message *m, const struct message *old)
{
    struct span topic = message_topic(m);
    /* An unacknowledged one may wait in memory for the next flush. */
    enum store_when when = m->qos == 0 ? STORE_SOON : STORE_NOW;
    if (b->store == NULL || m->local || span_starts(topic, "$SYS"))
        return MD_OK;
    if (m->payload_n == 0)
        return old == NULL ? MD_OK : store_del(b->store, STORE_RETAIN, topic, when);
    if (old != NULL && !old->local && same(old, m))
        return MD_OK;
    struct buf value;
    uint8_t qos = m->qos;
    buf_init(&value, SIZE_MAX);
    int err = buf_reserve(&value, 1 + (size_t)m->payload_n);
    if (err == MD_OK)
        err = buf_put(&value, span_of(&qos, 1));
    if (err == MD_OK)
        err = buf_put(&value, message_payload(m));
    if (err == MD_OK)
        err = store_put(b->store, STORE_RETAIN, topic, buf_view(&value), when);
    buf_free(&value);
    return err;
}

/* restore.c - the broker as it was: reads what persist.c stored, once, before the first client.
 *
 * Whatever does not fit together (a queue entry without its message, a subscription without its
 * Session) is left out, counted and removed from the store: the broker starts [F150] [F153]. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/base/rd.h"
#include "broker/codec/topic.h"
#include "broker/core/persist.h"
#include "broker/core/replay.h"

#include <stdlib.h>

#define REPLAY_DONE_KEY 5u /* bytes; the others of STORE_REPLAY have four */

struct loaded_message { /* by id */
    uint64_t id;
    struct message *m;
};

struct loaded_entry { /* of a queue */
    uint32_t number;
    struct delivery d;
    uint64_t message_id;
};

struct loaded_session { /* by number */
    uint32_t number;
    struct session *s;
};

struct restore {
    struct broker *b;
    struct loaded_session *sessions;
    struct loaded_message *messages;
    struct loaded_entry *entries;
    size_t n_sessions, n_messages, n_entries, cap_sessions, cap_messages, cap_entries;
    unsigned odd;        /* records that did not fit                     */
    struct buf odd_keys; /* of them: namespace(1) | length(2) | key | .. */
};

/* What did not fit now would come back to life when its number is given to another Session: it
 * goes before that one is stored, but not while the store is walked. */
static int leave_out(struct restore *r, enum store_ns ns, struct span key)
{
    uint8_t head[3] = {(uint8_t)ns, (uint8_t)(key.n >> 8), (uint8_t)key.n};
    r->odd++;
    int err = buf_reserve(&r->odd_keys, sizeof head + key.n);
    if (err == MD_OK)
        err = buf_put(&r->odd_keys, span_of(head, sizeof head));
    return err == MD_OK ? buf_put(&r->odd_keys, key) : err;
}

/* One that finds no memory stays for the next start. */
static void drop_odd(struct restore *r)
{
    struct rd rd = rd_of(buf_view(&r->odd_keys));
    while (rd_left(&rd) > 0) {
        enum store_ns ns = (enum store_ns)rd_u8(&rd);
        (void)!store_del(r->b->store, ns, rd_bin16(&rd), STORE_NOW);
    }
}

/* Makes room for one more element of `size` bytes.  Errors: MD_NOMEM. */
static int grow(void **v, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return MD_OK;
    size_t bigger = *cap ? *cap * 2 : 64;
    void *p = mem_realloc(*v, bigger * size);
    if (p == NULL)
        return MD_NOMEM;
    *v = p;
    *cap = bigger;
    return MD_OK;
}

static int on_retained(void *ctx, struct span topic, struct span value)
{
    struct restore *r = ctx;
    struct rd rd = rd_of(value);
    unsigned qos = rd_u8(&rd);
    struct message *m;
    if (!rd_ok(&rd) || qos > 2 || !topic_name_valid(topic) || rd_left(&rd) == 0)
        return leave_out(r, STORE_RETAIN, topic);
    int err = message_new(&m, topic, rd_rest(&rd), qos, true);
    if (err != MD_OK)
        return err;
    err = retain_set(r->b->retain, m);
    message_unref(m);
    return err;
}

static int on_session(void *ctx, struct span client_id, struct span value)
{
    struct restore *r = ctx;
    struct rd rd = rd_of(value);
    uint32_t number = rd_u32(&rd);
    bool named = rd_u8(&rd) != 0;
    if (!rd_ok(&rd) || number == 0 || client_id.n == 0 || session_find(r->b, client_id) != NULL)
        return leave_out(r, STORE_SESSION, client_id);
    int err = grow((void **)&r->sessions, &r->cap_sessions, r->n_sessions, sizeof *r->sessions);
    struct session *s = NULL;
    if (err == MD_OK)
        err = session_restore(&s, r->b, client_id, named ? rd_rest(&rd) : span_of(NULL, 0));
    if (err != MD_OK)
        return err;
    s->number = number;
    if (number > r->b->session_number)
        r->b->session_number = number;
    r->sessions[r->n_sessions++] = (struct loaded_session){number, s};
    return MD_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct loaded_session *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static struct session *session_of(const struct restore *r, uint32_t number)
{
    struct loaded_session key = {.number = number};
    const struct loaded_session *found =
        r->n_sessions == 0
            ? NULL
            : bsearch(&key, r->sessions, r->n_sessions, sizeof *r->sessions, by_number);
    return found == NULL ? NULL : found->s;
}

static int on_sub(void *ctx, struct span key, struct span value)
{
    struct restore *r = ctx;
    struct rd rd = rd_of(key);
    struct session *s = session_of(r, rd_u32(&rd));
    struct span filter = rd_rest(&rd);
    bool added;
    if (s == NULL || value.n != 1 || value.p[0] > 2 || !topic_filter_valid(filter))
        return leave_out(r, STORE_SUB, key);
    return subs_add(r->b->subs, filter, &s->sub, value.p[0], &added);
}

/* The lists come first: in the store they have no order. */
static int on_replay(void *ctx, struct span key, struct span value)
{
    struct restore *r = ctx;
    struct rd rd = rd_of(key);
    struct session *s = session_of(r, rd_u32(&rd));
    if (key.n == REPLAY_DONE_KEY)
        return MD_OK;
    int err = s == NULL || !rd_done(&rd) ? MD_INVAL : replay_restore(s, value);
    return err == MD_INVAL ? leave_out(r, STORE_REPLAY, key) : err;
}

static int on_replay_done(void *ctx, struct span key, struct span value)
{
    struct restore *r = ctx;
    struct rd rd = rd_of(key), v = rd_of(value);
    struct session *s = session_of(r, rd_u32(&rd));
    uint32_t done = rd_u32(&v);
    if (key.n != REPLAY_DONE_KEY)
        return MD_OK;
    bool fits = s != NULL && s->replaying && rd_done(&v) && replay_skip(s, done) == MD_OK;
    return fits ? MD_OK : leave_out(r, STORE_REPLAY, key);
}

static int on_qos2(void *ctx, struct span key, struct span value)
{
    struct restore *r = ctx;
    struct rd rd = rd_of(key);
    struct session *s = session_of(r, rd_u32(&rd));
    uint16_t id = rd_u16(&rd);
    (void)value;
    if (s == NULL || !rd_done(&rd) || id == 0 || session_qos2_known(s, id))
        return leave_out(r, STORE_QOS2, key);
    return session_qos2_restore(s, id);
}

static int on_message(void *ctx, struct span key, struct span value)
{
    struct restore *r = ctx;
    struct rd k = rd_of(key), rd = rd_of(value);
    uint64_t id = rd_u64(&k);
    unsigned qos = rd_u8(&rd);
    struct span topic = rd_bin16(&rd);
    if (!rd_done(&k) || !rd_ok(&rd) || id == 0 || qos > 2 || !topic_name_valid(topic))
        return leave_out(r, STORE_MESSAGE, key);
    int err = grow((void **)&r->messages, &r->cap_messages, r->n_messages, sizeof *r->messages);
    struct message *m;
    if (err == MD_OK)
        err = message_new(&m, topic, rd_rest(&rd), qos, false);
    if (err != MD_OK)
        return err;
    m->stored_id = id;
    if (id > r->b->message_id)
        r->b->message_id = id;
    r->messages[r->n_messages++] = (struct loaded_message){id, m};
    return MD_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct loaded_message *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static struct message *message_of(const struct restore *r, uint64_t id)
{
    struct loaded_message key = {.id = id};
    const struct loaded_message *found =
        r->n_messages == 0 ? NULL
                           : bsearch(&key, r->messages, r->n_messages, sizeof *r->messages, by_id);
    return found == NULL ? NULL : found->m;
}

static int on_entry(void *ctx, struct span key, struct span value)
{
    struct restore *r = ctx;
    struct rd k = rd_of(key), rd = rd_of(value);
    struct loaded_entry e = {.number = rd_u32(&k)};
    e.d.order = rd_u32(&k);
    e.message_id = rd_u64(&rd);
    e.d.packet_id = rd_u16(&rd);
    unsigned flags = rd_u8(&rd);
    e.d.qos = flags & 3u;
    e.d.retain = (flags >> 2) & 1u;
    e.d.state = (flags >> 3) & 3u;
    bool released = e.d.state == DELIVERY_RELEASED;
    if (!rd_done(&k) || !rd_done(&rd) || session_of(r, e.number) == NULL || e.d.qos == 0 ||
        e.d.qos > 2 || e.d.state == DELIVERY_DONE || (released && e.d.packet_id == 0) ||
        (!released && message_of(r, e.message_id) == NULL))
        return leave_out(r, STORE_QUEUE, key);
    int err = grow((void **)&r->entries, &r->cap_entries, r->n_entries, sizeof *r->entries);
    if (err == MD_OK)
        r->entries[r->n_entries++] = e;
    return err;
}

/* By Session, then by order of arrival; the numbers may have wrapped. */
static int by_order(const void *a, const void *b)
{
    const struct loaded_entry *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    int32_t d = (int32_t)(x->d.order - y->d.order);
    return d < 0 ? -1 : d > 0;
}

/* One Session's entries: v[0..n). */
static int fill_queue(struct restore *r, struct loaded_entry *v, size_t n)
{
    struct session *s = session_of(r, v[0].number);
    struct delivery *d = mem_calloc(n, sizeof *d);
    if (d == NULL)
        return MD_NOMEM;
    for (size_t i = 0; i < n; i++) {
        d[i] = v[i].d;
        d[i].m = d[i].state == DELIVERY_RELEASED ? NULL : message_of(r, v[i].message_id);
        if (d[i].m != NULL) {
            message_ref(d[i].m)->stored_refs++;
        }
    }
    int err = outq_restore(&s->out, d, n);
    for (size_t i = 0; i < n && err != MD_OK; i++)
        message_unref(d[i].m);
    mem_free(d);
    return err;
}

static int fill_queues(struct restore *r)
{
    int err = MD_OK;
    if (r->n_entries > 0)
        qsort(r->entries, r->n_entries, sizeof *r->entries, by_order);
    for (size_t i = 0, n; i < r->n_entries && err == MD_OK; i += n) {
        for (n = 1; i + n < r->n_entries && r->entries[i + n].number == r->entries[i].number; n++)
            ;
        err = fill_queue(r, &r->entries[i], n);
    }
    return err;
}

/* Messages that no queue needs: left behind by a crash between two records. */
static void drop_orphans(struct restore *r)
{
    for (size_t i = 0; i < r->n_messages; i++) {
        struct message *m = r->messages[i].m;
        if (m->stored_refs == 0) {
            uint8_t key[8];
            for (unsigned k = 0; k < 8; k++)
                key[k] = (uint8_t)(m->stored_id >> (8 * (7 - k)));
            (void)!store_del(r->b->store, STORE_MESSAGE, span_of(key, 8), STORE_SOON);
        }
    }
}

static void clear(struct restore *r)
{
    for (size_t i = 0; i < r->n_messages; i++)
        message_unref(r->messages[i].m);
    mem_free(r->sessions);
    mem_free(r->messages);
    mem_free(r->entries);
    buf_free(&r->odd_keys);
}

static int read_all(struct restore *r)
{
    struct store *st = r->b->store;
    int err = store_each(st, STORE_RETAIN, on_retained, r);
    if (err == MD_OK)
        err = store_each(st, STORE_SESSION, on_session, r);
    if (r->n_sessions > 0)
        qsort(r->sessions, r->n_sessions, sizeof *r->sessions, by_number);
    if (err == MD_OK)
        err = store_each(st, STORE_SUB, on_sub, r);
    if (err == MD_OK)
        err = store_each(st, STORE_REPLAY, on_replay, r);
    if (err == MD_OK)
        err = store_each(st, STORE_REPLAY, on_replay_done, r);
    if (err == MD_OK)
        err = store_each(st, STORE_QOS2, on_qos2, r);
    if (err == MD_OK)
        err = store_each(st, STORE_MESSAGE, on_message, r);
    if (r->n_messages > 0)
        qsort(r->messages, r->n_messages, sizeof *r->messages, by_id);
    if (err == MD_OK)
        err = store_each(st, STORE_QUEUE, on_entry, r);
    return err == MD_OK ? fill_queues(r) : err;
}

int broker_restore(struct broker *b, struct store *store)
{
    struct restore r = {.b = b};
    buf_init(&r.odd_keys, SIZE_MAX);
    b->store = store;
    int err = read_all(&r);
    if (err == MD_OK) { /* otherwise nobody knows what belongs to what */
        drop_orphans(&r);
        drop_odd(&r);
    }
    clear(&r);
    if (r.odd > 0)
        log_warn("store", "%u stored records did not fit together and were left out", r.odd);
    if (err == MD_OK)
        log_info("store", "restored %zu sessions, %zu waiting messages, %zu retained messages",
                 r.n_sessions, r.n_entries, retain_count(b->retain));
    return err;
}

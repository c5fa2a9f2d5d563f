#include "tools/import_db.h"

#include "broker/base/mem.h"
#include "broker/base/rd.h"
#include "broker/codec/topic.h"

#include <stdlib.h>

#define MAGIC_N  15
#define HEADER_N (MAGIC_N + 4 + 4) /* magic, a checksum that is always 0, version */

enum chunk_kind {
    CHUNK_MESSAGE = 2,
    CHUNK_QUEUED = 3,
    CHUNK_RETAIN = 4,
    CHUNK_SUB = 5,
    CHUNK_CLIENT = 6
};

struct stored { /* a message by its id */
    uint64_t id;
    struct import_message m;
    bool expired;
};

struct reader {
    int64_t now_s;
    const struct import_writer *to;
    struct import_counts *counts;
    struct stored *v;
    size_t n, cap;
};

/* Ids and times are as the machine wrote them. */
static uint64_t native64(struct rd *c)
{
    uint64_t v = 0;
    struct span s = rd_take(c, sizeof v);
    if (s.n == sizeof v)
        memcpy(&v, s.p, sizeof v);
    return v;
}

static int damaged(struct reader *r)
{
    r->counts->damaged++;
    return MD_OK;
}

/* --- messages ------------------------------------------------------------------------------ */

static int keep(struct reader *r, const struct stored *s)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct stored *v = mem_realloc(r->v, cap * sizeof *v);
        if (v == NULL)
            return MD_NOMEM;
        r->v = v;
        r->cap = cap;
    }
    r->v[r->n++] = *s;
    return MD_OK;
}

/* Behind the texts stand, of MQTT 5, properties. */
static int read_message(struct reader *r, struct rd c)
{
    struct stored s = {.id = native64(&c)};
    int64_t expiry = (int64_t)native64(&c);
    uint32_t payload_n = rd_u32(&c);
    (void)rd_u16(&c); /* the publisher's Packet Identifier */
    uint16_t source_n = rd_u16(&c), user_n = rd_u16(&c), topic_n = rd_u16(&c);
    (void)rd_u16(&c); /* the port it came in by */
    s.m.qos = rd_u8(&c);
    (void)rd_u8(&c); /* RETAIN */
    (void)rd_take(&c, source_n);
    (void)rd_take(&c, user_n);
    s.m.topic = rd_take(&c, topic_n);
    s.m.payload = rd_take(&c, payload_n);
    if (!rd_ok(&c) || !topic_name_valid(s.m.topic) || s.m.qos > 2)
        return damaged(r);
    s.expired = expiry > 0 && expiry <= r->now_s;
    return keep(r, &s);
}

static int compare(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static const struct stored *find(const struct reader *r, uint64_t id)
{
    struct stored key = {.id = id};
    return r->n == 0 ? NULL : bsearch(&key, r->v, r->n, sizeof key, compare);
}

/* --- what refers to them ------------------------------------------------------------------- */

static int read_retain(struct reader *r, struct rd c)
{
    uint64_t id = native64(&c);
    const struct stored *s = rd_ok(&c) ? find(r, id) : NULL;
    if (s == NULL)
        return damaged(r);
    if (s->m.payload.n == 0 || s->m.topic.p[0] == '$')
        return MD_OK; /* nothing to keep, or a number of the old broker */
    if (s->expired) {
        r->counts->expired++;
        return MD_OK;
    }
    r->counts->retained++;
    return r->to->on_retained == NULL ? MD_OK : r->to->on_retained(r->to->ctx, &s->m);
}

static int read_client(struct reader *r, struct rd c)
{
    struct import_session s = {.last_packet_id = 0};
    uint16_t user_n = 0;
    int64_t expiry = (int64_t)native64(&c);
    uint32_t interval = rd_u32(&c);
    s.last_packet_id = rd_u16(&c);
    uint16_t id_n = rd_u16(&c);
    if (r->counts->version == 6) {
        (void)rd_u16(&c); /* the port of its listener */
        user_n = rd_u16(&c);
        (void)rd_u32(&c); /* padding */
    }
    s.client_id = rd_take(&c, id_n);
    struct span user = rd_take(&c, user_n);
    if (!rd_ok(&c) || id_n == 0)
        return damaged(r);
    if (user_n > 0)
        s.username = user;
    if (expiry > 0 && expiry <= r->now_s && interval != UINT32_MAX) {
        r->counts->expired++;
        return MD_OK;
    }
    r->counts->sessions++;
    return r->to->on_session == NULL ? MD_OK : r->to->on_session(r->to->ctx, &s);
}

static int read_sub(struct reader *r, struct rd c)
{
    struct import_subscription s = {.qos = 0};
    (void)rd_u32(&c); /* MQTT 5: its identifier */
    uint16_t id_n = rd_u16(&c), filter_n = rd_u16(&c);
    s.qos = rd_u8(&c);
    (void)rd_u24(&c); /* MQTT 5: options; padding */
    s.client_id = rd_take(&c, id_n);
    s.filter = rd_take(&c, filter_n);
    if (!rd_ok(&c) || id_n == 0 || !topic_filter_valid(s.filter) || s.qos > 2)
        return damaged(r);
    if (span_starts(s.filter, "$share/")) {
        r->counts->shared++;
        return MD_OK;
    }
    r->counts->subscriptions++;
    return r->to->on_subscription == NULL ? MD_OK : r->to->on_subscription(r->to->ctx, &s);
}

/* Numbers of mosquitto's enum mosquitto_msg_state. */
enum state {
    STATE_PUBLISH_QOS0 = 1,
    STATE_PUBLISH_QOS1 = 2,
    STATE_WAIT_FOR_PUBACK = 3,
    STATE_PUBLISH_QOS2 = 4,
    STATE_WAIT_FOR_PUBREC = 5,
    STATE_RESEND_PUBREL = 6,
    STATE_WAIT_FOR_PUBREL = 7,
    STATE_RESEND_PUBCOMP = 8,
    STATE_WAIT_FOR_PUBCOMP = 9,
    STATE_SEND_PUBREC = 10,
    STATE_QUEUED = 11
};

enum meaning { MEANS_STAGE, MEANS_NOTHING, MEANS_DAMAGE };

/* From a client: after PUBREC it will not send the message again; before, it will, and after
 * PUBREL all is done. */
static enum meaning incoming_stage(unsigned state, enum import_stage *out)
{
    *out = IMPORT_RECEIVED;
    if (state == STATE_WAIT_FOR_PUBREL || state == STATE_SEND_PUBREC)
        return MEANS_STAGE;
    return state == STATE_QUEUED || state == STATE_RESEND_PUBCOMP ? MEANS_NOTHING : MEANS_DAMAGE;
}

static enum meaning outgoing_stage(unsigned state, enum import_stage *out)
{
    if (state == STATE_QUEUED || state == STATE_PUBLISH_QOS0)
        *out = IMPORT_QUEUED;
    else if (state >= STATE_PUBLISH_QOS1 && state <= STATE_WAIT_FOR_PUBREC)
        *out = IMPORT_PUBLISHED;
    else if (state == STATE_RESEND_PUBREL || state == STATE_WAIT_FOR_PUBCOMP)
        *out = IMPORT_RELEASED;
    else
        return MEANS_DAMAGE;
    return MEANS_STAGE;
}

static int hand_on(struct reader *r, struct import_queued *q, const struct stored *s)
{
    if (s->expired && q->stage == IMPORT_QUEUED) {
        r->counts->expired++;
        return MD_OK;
    }
    q->message = s->m;
    if (q->stage == IMPORT_QUEUED)
        q->packet_id = 0;
    else if (q->packet_id == 0 || q->qos == 0)
        return damaged(r);
    r->counts->queued++;
    return r->to->on_queued == NULL ? MD_OK : r->to->on_queued(r->to->ctx, q);
}

static int read_queued(struct reader *r, struct rd c)
{
    struct import_queued q = {.packet_id = 0};
    const struct stored *s = find(r, native64(&c));
    q.packet_id = rd_u16(&c);
    uint16_t id_n = rd_u16(&c);
    q.qos = rd_u8(&c);
    unsigned state = rd_u8(&c);
    q.retain = rd_u8(&c) >> 4 != 0; /* DUP is the lower half */
    unsigned outgoing = rd_u8(&c);
    q.client_id = rd_take(&c, id_n);
    if (!rd_ok(&c) || id_n == 0 || q.qos > 2 || outgoing > 1)
        return damaged(r);
    enum meaning means =
        outgoing ? outgoing_stage(state, &q.stage) : incoming_stage(state, &q.stage);
    if (means == MEANS_NOTHING)
        return MD_OK;
    return means == MEANS_DAMAGE || s == NULL ? damaged(r) : hand_on(r, &q, s);
}

/* --- the walk ------------------------------------------------------------------------------ */

typedef int (*chunk_cb)(struct reader *r, struct rd chunk);

/* Every chunk of one kind, in the order of the file. */
static int each(struct reader *r, struct span file, uint32_t kind, chunk_cb read)
{
    struct rd in = rd_of(span_skip(file, HEADER_N));
    int err = MD_OK;
    while (err == MD_OK && rd_left(&in) > 0) {
        uint32_t this_kind = rd_u32(&in), n = rd_u32(&in);
        struct span body = rd_take(&in, n);
        if (!rd_ok(&in))
            r->counts->cut = true;
        else if (this_kind == kind)
            err = read(r, rd_of(body));
    }
    return err;
}

static int walk(struct reader *r, struct span file)
{
    static const struct {
        uint32_t kind;
        chunk_cb read;
    } passes[] = {{CHUNK_RETAIN, read_retain},
                  {CHUNK_CLIENT, read_client},
                  {CHUNK_SUB, read_sub},
                  {CHUNK_QUEUED, read_queued}};
    int err = each(r, file, CHUNK_MESSAGE, read_message);
    if (r->n > 1)
        qsort(r->v, r->n, sizeof *r->v, compare);
    for (size_t i = 0; i < sizeof passes / sizeof passes[0] && err == MD_OK; i++)
        err = each(r, file, passes[i].kind, passes[i].read);
    return err;
}

int import_db_read(struct span file, int64_t now_s, const struct import_writer *to,
                   struct import_counts *counts)
{
    static const uint8_t magic[MAGIC_N] = "\0\xb5\0mosquitto db";
    struct reader r = {.now_s = now_s, .to = to, .counts = counts};
    *counts = (struct import_counts){.version = 0};
    if (file.n < HEADER_N || memcmp(file.p, magic, MAGIC_N) != 0)
        return MD_PROTO;
    struct rd version = rd_of(span_skip(file, MAGIC_N + 4));
    counts->version = rd_u32(&version);
    if (counts->version != 5 && counts->version != 6)
        return MD_INVAL;
    int err = walk(&r, file);
    mem_free(r.v);
    return err;
}

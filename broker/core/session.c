#include "broker/core/session.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/core/bridge_int.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"
#include "broker/core/mount.h"
#include "broker/core/persist.h"
#include "broker/core/replay.h"

static void count_dropped(struct session *s)
{
    s->broker->stats.dropped++;
    if (s->dropped++ == 0)
        log_warn("broker",
                 "client=%s its queue is full (%u messages, %zu bytes): newer messages are dropped "
                 "until it reads; see max_queued_messages and max_queued_bytes",
                 log_q(session_id(s)), outq_waiting(&s->out), s->out.queued_bytes);
}

/* memory_limit; QoS 0 goes first. */
static bool memory_short(const struct session *s, unsigned qos)
{
    enum pressure p = broker_pressure(s->broker);
    return p == PRESSURE_FULL || (p == PRESSURE_HIGH && qos == MQTT_QOS0);
}

static void wake(struct session *s)
{
    if (s->conn != NULL)
        conn_wake(s->conn);
}

static bool may_receive(struct session *s, const struct message *m)
{
    const struct broker_hooks *h = &s->broker->hooks;
    if (s->conn != NULL && !mount_shows(conn_mount(s->conn), m))
        return false;
    if (h->may_receive == NULL || s->bridge != NULL) /* its topics are the operator's word */
        return true;
    if (s->conn != NULL)
        return h->may_receive(h->ctx, conn_who(s->conn), message_topic(m));
    struct broker_client away = {.client_id = session_id(s), .peer = ""};
    if (s->username != NULL)
        away.username = span_str(s->username);
    return h->may_receive(h->ctx, &away, message_topic(m));
}

/* Gives Packet Identifiers to as many as the window takes, and writes that down. */
static void admit(struct session *s)
{
    struct delivery *d;
    while (s->conn != NULL && outq_admit(&s->out, &s->broker->queue_limits, &d))
        if (persist_delivery(s, d) != MD_OK)
            log_warn("broker", "client=%s out of memory: a message may come twice after a restart",
                     log_q(session_id(s)));
}

static int push(struct session *s, const struct outq_limits *limits, struct message *m,
                unsigned qos, bool retain)
{
    struct delivery *d;
    int err = outq_push(&s->out, limits, m, qos, retain, &d);
    if (err != MD_OK)
        return err;
    err = persist_delivery(s, d);
    if (err != MD_OK) {
        outq_unpush(&s->out, qos);
        return err;
    }
    if (qos != MQTT_QOS0)
        admit(s);
    wake(s);
    return MD_OK;
}

static bool waits(const struct session *s)
{
    return s->broker->limits.queue_qos0 || (s->bridge != NULL && s->bridge->cfg->lazy);
}

/* QoS 0 does not wait for absent clients, unless it is what makes a bridge connect. */
static bool is_away(const struct session *s, unsigned qos)
{
    return s->conn == NULL && qos == MQTT_QOS0 && !waits(s);
}

void session_send(struct session *s, struct message *m, unsigned qos, bool retain)
{
    if (is_away(s, qos) || !may_receive(s, m))
        return;
    if (memory_short(s, qos) || push(s, &s->broker->queue_limits, m, qos, retain) != MD_OK)
        count_dropped(s);
}

/* Never closes the connection: a receiver's capacity is not the publisher's business
 * [MQTT-4.5.0-1], and the router is walking its hits. */
static void session_deliver(struct subscriber *me, struct message *m, unsigned qos)
{
    struct session *s = LIST_OF(me, struct session, sub);
    if (!bridge_echoes(s, m))
        session_send(s, m, qos, s->origin != 0 && m->retain);
}

int session_deliver_retained(struct session *s, struct message *m, unsigned qos)
{
    struct outq_limits limits = s->broker->queue_limits;
    if (is_away(s, qos) || bridge_echoes(s, m) || !may_receive(s, m))
        return MD_OK;
    if (limits.max_messages != 0)
        limits.max_messages += (unsigned)retain_count(s->broker->retain);
    limits.max_bytes = 0;
    int err = memory_short(s, qos) ? MD_FULL : push(s, &limits, m, qos, true);
    if (err == MD_FULL)
        count_dropped(s);
    return err;
}

static void stop_expiry(struct session *s)
{
    if (s->expiry != NULL)
        timers_stop(&s->broker->timers, &s->expiry->timer);
    mem_free(s->expiry);
    s->expiry = NULL;
}

static void on_expiry(struct timer *t)
{
    struct session *s = LIST_OF(t, struct expiry, timer)->session;
    log_info("client",
             "client=%s its Session ended: away for longer than "
             "persistent_client_expiration",
             log_q(session_id(s)));
    s->broker->stats.expired++;
    session_discard(s);
}

static int start_expiry(struct session *s, uint64_t due_ms)
{
    s->expiry = mem_alloc(sizeof *s->expiry);
    if (s->expiry == NULL)
        return MD_NOMEM;
    *s->expiry = (struct expiry){.timer.fire = on_expiry, .session = s};
    int err = timers_start(&s->broker->timers, &s->expiry->timer, due_ms);
    if (err != MD_OK)
        stop_expiry(s);
    return err;
}

void session_expire_later(struct session *s)
{
    struct broker *b = s->broker;
    uint64_t after_ms = (uint64_t)b->limits.session_expiry_s * 1000;
    stop_expiry(s);
    if (s->conn != NULL || s->bridge != NULL || after_ms == 0)
        return;
    if (start_expiry(s, s->since_ms + after_ms) != MD_OK)
        log_warn("broker", "client=%s out of memory for a timer: its Session stays",
                 log_q(session_id(s)));
}

struct session *session_find(struct broker *b, struct span client_id)
{
    struct map_node *node = map_get(&b->sessions, client_id);
    return node == NULL ? NULL : MAP_OF(node, struct session, by_id);
}

static int session_new(struct session **out, struct broker *b, struct span client_id)
{
    /* What the struct would be padded with is room for the name as well. */
    struct session *s = mem_alloc(offsetof(struct session, client_id) + client_id.n);
    if (s == NULL)
        return MD_NOMEM;
    s->sub.deliver = session_deliver;
    s->broker = b;
    outq_init(&s->out);
    if (client_id.n > 0)
        memcpy(s->client_id, client_id.p, client_id.n);
    map_put(&b->sessions, &s->by_id, span_of(s->client_id, client_id.n));
    *out = s;
    return MD_OK;
}

/* Everything but the Client Identifier is forgotten [MQTT-3.1.2-6]. */
static void reset(struct session *s)
{
    if (s->replaying)
        replay_stop(s);
    subs_remove_all(s->broker->subs, &s->sub);
    outq_clear(&s->out);
    mem_free(s->qos2_in);
    mem_free(s->username);
    s->username = NULL;
    s->qos2_in = NULL;
}

void session_discard(struct session *s)
{
    persist_session_gone(s);
    session_free(s);
}

int session_restore(struct session **out, struct broker *b, struct span client_id,
                    struct span username)
{
    struct session *s;
    int err = session_new(&s, b, client_id);
    if (err != MD_OK)
        return err;
    err = session_identify(s, username);
    if (err != MD_OK) {
        session_free(s);
        return err;
    }
    s->since_ms = env_mono_ms(b->env); /* clocks may be wrong at the start: it counts anew */
    session_expire_later(s);
    *out = s;
    return MD_OK;
}

int session_adopt(struct session *s, const struct delivery *d)
{
    int err = persist_delivery_new(s, d);
    if (err != MD_OK)
        return err;
    err = outq_append(&s->out, d);
    if (err != MD_OK)
        persist_delivery_done(s, d, d->m);
    else if (d->m != NULL)
        message_ref(d->m);
    return err;
}

int session_subscribe(struct session *s, struct span filter, unsigned qos, bool *added)
{
    int err = persist_sub(s, filter, qos);
    return err == MD_OK ? subs_add(s->broker->subs, filter, &s->sub, qos, added) : err;
}

void session_unsubscribe(struct session *s, struct span filter)
{
    if (subs_remove(s->broker->subs, filter, &s->sub))
        persist_unsub(s, filter);
}

int session_ack(struct session *s, enum mqtt_type type, uint16_t packet_id)
{
    struct delivery was;
    int err = outq_ack(&s->out, type, packet_id, &was);
    if (err != MD_OK)
        return err;
    if (type == MQTT_PUBREC)
        persist_delivery_released(s, &was, was.m);
    else
        persist_delivery_done(s, &was, was.m);
    message_unref(was.m);
    admit(s);
    if (outq_ready(&s->out))
        wake(s);
    return MD_OK;
}

void session_free(struct session *s)
{
    reset(s);
    stop_expiry(s);
    map_del(&s->broker->sessions, &s->by_id);
    mem_free(s);
}

int session_attach(struct session **out, struct broker *b, struct span client_id, bool clean,
                   struct conn *c, bool *present)
{
    struct session *s = session_find(b, client_id);
    MD_ASSERT(s == NULL || s->conn == NULL);
    *present = s != NULL && !clean;
    if (s != NULL && clean) {
        persist_session_gone(s);
        reset(s);
    }
    int err = s != NULL ? MD_OK : session_new(&s, b, client_id);
    if (err != MD_OK)
        return err;
    stop_expiry(s);
    s->since_ms = env_mono_ms(b->env);
    s->clean = clean;
    s->conn = c;
    if (s->replaying)
        replay_back(s);
    s->dropped = 0;
    outq_rewind(&s->out);
    *out = s;
    return MD_OK;
}

static bool keep(void *ctx, const struct delivery *d)
{
    struct session *s = ctx;
    if (may_receive(s, d->m))
        return true;
    persist_delivery_done(s, d, d->m);
    return false;
}

int session_identify(struct session *s, struct span username)
{
    char *name = NULL;
    if (username.p != NULL && !s->clean) {
        name = mem_alloc(username.n + 1);
        if (name == NULL)
            return MD_NOMEM;
        memcpy(name, username.p, username.n);
    }
    mem_free(s->username);
    s->username = name;
    if (s->conn == NULL)
        return MD_OK; /* it is being restored */
    if (s->broker->hooks.may_receive != NULL || s->conn->mount != NULL)
        outq_filter(&s->out, keep, s);
    int err = s->clean ? MD_OK : persist_session(s);
    if (err == MD_OK)
        admit(s);
    return err;
}

void session_detach(struct session *s)
{
    s->conn = NULL;
    s->since_ms = env_mono_ms(s->broker->env);
    if (s->clean) {
        session_discard(s); /* [MQTT-3.1.2-6] */
        return;
    }
    session_expire_later(s);
    if (s->replaying)
        replay_away(s);
    if (!waits(s))
        outq_drop_qos0(&s->out);
}

/* The place of an id in the ascending array, or where it would have to be. */
static uint32_t qos2_place(const struct session *s, uint16_t id)
{
    uint32_t lo = 0, hi = session_qos2_n(s);
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (s->qos2_in->v[mid] < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool session_qos2_known(const struct session *s, uint16_t packet_id)
{
    uint32_t i = qos2_place(s, packet_id);
    return i < session_qos2_n(s) && s->qos2_in->v[i] == packet_id;
}

static int qos2_grow(struct session *s)
{
    uint32_t n = session_qos2_n(s), cap = n > 0 ? n * 2 : 8;
    struct qos2_ids *ids = mem_realloc(s->qos2_in, sizeof *ids + cap * sizeof ids->v[0]);
    if (ids == NULL)
        return MD_NOMEM;
    ids->n = n;
    ids->cap = cap;
    s->qos2_in = ids;
    return MD_OK;
}

int session_qos2_restore(struct session *s, uint16_t packet_id)
{
    if (s->qos2_in == NULL || s->qos2_in->n == s->qos2_in->cap) {
        int err = qos2_grow(s);
        if (err != MD_OK)
            return err;
    }
    struct qos2_ids *ids = s->qos2_in;
    uint32_t i = qos2_place(s, packet_id);
    memmove(ids->v + i + 1, ids->v + i, (ids->n - i) * sizeof ids->v[0]);
    ids->v[i] = packet_id;
    ids->n++;
    return MD_OK;
}

int session_qos2_add(struct session *s, uint16_t packet_id)
{
    int err = session_qos2_restore(s, packet_id);
    if (err != MD_OK)
        return err;
    err = persist_qos2(s, packet_id);
    if (err != MD_OK)
        session_qos2_release(s, packet_id);
    return err;
}

void session_qos2_release(struct session *s, uint16_t packet_id)
{
    if (!session_qos2_known(s, packet_id))
        return; /* the Session may have been lost; PUBCOMP is right all the same */
    struct qos2_ids *ids = s->qos2_in;
    uint32_t i = qos2_place(s, packet_id);
    persist_qos2_done(s, packet_id);
    ids->n--;
    memmove(ids->v + i, ids->v + i + 1, (ids->n - i) * sizeof ids->v[0]);
    if (ids->n > 0)
        return;
    mem_free(ids);
    s->qos2_in = NULL;
}

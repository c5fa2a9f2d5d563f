#include "broker/core/bridge.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_int.h"
#include "broker/core/bridge_topics.h"
#include "broker/core/persist.h"

#define SAY_AGAIN_MS 60000u

unsigned bridge_waiting(const struct bridge *g)
{
    return g->session == NULL ? 0 : outq_waiting(&g->session->out);
}

uint64_t bridge_idle_ms(const struct bridge *g) { return env_mono_ms(g->broker->env) - g->busy_ms; }

bool bridge_has_id(const struct broker *b, struct span client_id)
{
    const struct list *head = &b->bridges;
    for (struct list *it = head->next; it != head; it = it->next)
        if (span_is(client_id, LIST_OF(it, struct bridge, link)->cfg->local_id))
            return true;
    return false;
}

void bridge_serve_peer(struct session *s, bool private_bit)
{
    if (!private_bit)
        s->origin = 0;
    else if (s->origin == 0)
        s->origin = ++s->broker->origins;
}

/* --- what goes out -------------------------------------------------------------------------- */

static bool again(const struct broker *b, uint64_t *said_ms)
{
    uint64_t now = env_mono_ms(b->env);
    if (*said_ms != 0 && now - *said_ms < SAY_AGAIN_MS)
        return false;
    *said_ms = now;
    return true;
}

void bridge_mark(const struct session *s, struct message *m)
{
    struct broker *b = s->broker;
    m->origin = s->origin;
    m->loops = m->origin != 0 && bridge_echo_seen(b->echo, m, env_mono_ms(b->env));
    if (m->loops && again(b, &b->loop_said_ms))
        log_warn(
            "bridge",
            "client=%s a message to %s goes round in a loop of bridges and is stopped here; let "
            "each topic cross between two brokers over one bridge only",
            log_q(session_id(s)), log_q(message_topic(m)));
}

static bool too_large(struct bridge *g, const struct message *m)
{
    size_t max = g->cfg->max_packet_size;
    if (max == 0 || MQTT_HEAD_MAX + 4 + g->name.n + m->payload_n <= max)
        return false;
    if (again(g->broker, &g->said_ms))
        log_warn("bridge",
                 "connection=%s a message to %s does not go out: larger than "
                 "bridge_max_packet_size",
                 log_q(span_str(g->cfg->name)), log_q(message_topic(m)));
    return true;
}

/* The message as the other side is to see it; *out is given.  Errors: MD_NOENT: it stays here. */
static int translate(struct bridge *g, struct message *m, unsigned *qos, struct message **out)
{
    const struct bridge_topic *t;
    g->name.n = 0;
    int err =
        bridge_topics_map(g->cfg->topics, g->cfg->n_topics, true, message_topic(m), &t, &g->name);
    if (err != MD_OK)
        return err;
    if (too_large(g, m))
        return MD_NOENT;
    if (*qos > t->qos)
        *qos = t->qos;
    if (span_eq(buf_view(&g->name), message_topic(m))) {
        *out = message_ref(m);
        return MD_OK;
    }
    err = message_new(out, buf_view(&g->name), message_payload(m), m->qos, m->retain);
    if (err == MD_OK)
        (*out)->origin = m->origin;
    return err;
}

static void say_lost(struct bridge *g, const struct message *m, int err)
{
    g->broker->stats.dropped++;
    if (again(g->broker, &g->said_ms))
        log_warn("bridge", "connection=%s a message to %s does not go out: %s",
                 log_q(span_str(g->cfg->name)), log_q(message_topic(m)), md_err_text(err));
}

static void deliver(struct subscriber *me, struct message *m, unsigned qos)
{
    struct session *s = LIST_OF(me, struct session, sub);
    struct bridge *g = s->bridge;
    struct message *there;
    if (bridge_echoes(s, m))
        return;
    int err = translate(g, m, &qos, &there);
    if (err == MD_OK) {
        session_send(s, there, qos, m->retain && g->cfg->outgoing_retain);
        message_unref(there);
        g->busy_ms = env_mono_ms(g->broker->env);
    } else if (err != MD_NOENT) {
        say_lost(g, m, err);
    }
}

static int replay_one(void *ctx, struct message *m)
{
    struct bridge *g = ctx;
    struct message *there;
    unsigned qos = m->qos;
    if (bridge_echoes(g->session, m))
        return MD_OK;
    int err = translate(g, m, &qos, &there);
    if (err != MD_OK)
        return err == MD_NOENT ? MD_OK : err;
    if (g->cfg->outgoing_retain)
        err = session_deliver_retained(g->session, there, qos);
    else
        session_send(g->session, there, qos, false);
    message_unref(there);
    return err;
}

/* Calls `each` with the local filter of every entry that goes out. */
static int each_out(struct bridge *g,
                    int (*each)(struct bridge *g, struct span filter, unsigned qos))
{
    struct buf filter;
    int err = MD_OK;
    buf_init(&filter, SIZE_MAX);
    for (size_t i = 0; i < g->cfg->n_topics && err == MD_OK; i++) {
        const struct bridge_topic *t = &g->cfg->topics[i];
        if ((t->direction & BRIDGE_OUT) == 0)
            continue;
        filter.n = 0;
        err = bridge_topics_filter(t, false, &filter);
        if (err == MD_OK)
            err = each(g, buf_view(&filter), t->qos);
    }
    buf_free(&filter);
    return err;
}

static int subscribe_one(struct bridge *g, struct span filter, unsigned qos)
{
    bool added; /* not stored: the configuration says it anew at each start */
    return subs_add(g->broker->subs, filter, &g->session->sub, qos, &added);
}

static int replay_filter(struct bridge *g, struct span filter, unsigned qos)
{
    (void)qos;
    return retain_match(g->broker->retain, filter, replay_one, g);
}

int bridge_replay(struct bridge *g)
{
    int err = each_out(g, replay_filter);
    return err == MD_FULL ? MD_OK : err; /* the queue has its limits, and says so */
}

/* --- its Session ---------------------------------------------------------------------------- */

static int open_session(struct bridge *g, struct conn *c, bool clean)
{
    bool present;
    int err =
        session_attach(&g->session, g->broker, span_str(g->cfg->local_id), clean, c, &present);
    if (err != MD_OK)
        return err;
    struct session *s = g->session;
    s->bridge = g;
    s->origin = g->origin;
    s->sub.deliver = deliver;
    subs_remove_all(g->broker->subs, &s->sub); /* the configuration may have changed */
    if (!clean)
        err = persist_session(s);
    return err == MD_OK ? each_out(g, subscribe_one) : err;
}

int bridge_attach(struct bridge *g, struct conn *c)
{
    bool present;
    int err;
    g->busy_ms = env_mono_ms(g->broker->env);
    if (g->session == NULL)
        err = open_session(g, c, true);
    else
        err = session_attach(&g->session, g->broker, session_id(g->session), false, c, &present);
    return err == MD_OK ? session_identify(g->session, span_of(NULL, 0)) : err;
}

void bridge_closed(struct conn *c, bool was_open, const char *why)
{
    struct bridge *g = c->bridge;
    /* Some close without a word, some refuse the level: the next CONNECT is an ordinary one. */
    bool at_once = !was_open && g->cfg->try_private && !g->plain && !g->refused && c->ctl.n == 0;
    g->plain = at_once;
    g->refused = false;
    g->conn = NULL;
    c->session = NULL;
    if (g->session != NULL && g->session->conn == c) {
        session_detach(g->session);
        if (g->cfg->local_clean)
            g->session = NULL;
    }
    if (was_open)
        bridge_notify(g, false);
    g->io.down(g->io.ctx, why, at_once);
}

static int init(struct bridge *g)
{
    int err = bridge_notify_topic(g);
    if (err == MD_OK && !g->cfg->local_clean)
        err = open_session(g, NULL, false);
    if (err == MD_OK)
        bridge_notify(g, false);
    return err;
}

static void bridge_free(struct bridge *g)
{
    list_remove(&g->link);
    if (g->session != NULL)
        g->session->bridge = NULL;
    buf_free(&g->name);
    mem_free(g->state_topic);
    mem_free(g);
}

int bridge_new(struct bridge **out, struct broker *b, const struct bridge_config *cfg,
               struct bridge_io io)
{
    struct session *s = session_find(b, span_str(cfg->local_id));
    if (bridge_has_id(b, span_str(cfg->local_id)) || (s != NULL && s->conn != NULL))
        return MD_EXIST;
    if (s != NULL && cfg->local_clean)
        session_discard(s); /* of a time when it was kept */
    struct bridge *g = mem_alloc(sizeof *g);
    if (g == NULL)
        return MD_NOMEM;
    g->broker = b;
    g->cfg = cfg;
    g->io = io;
    g->origin = ++b->origins;
    buf_init(&g->name, UINT16_MAX);
    list_append(&b->bridges, &g->link);
    int err = init(g);
    if (err != MD_OK) {
        bridge_free(g);
        return err;
    }
    *out = g;
    return MD_OK;
}

void bridges_free(struct broker *b)
{
    LIST_EACH (it, &b->bridges)
        bridge_free(LIST_OF(it, struct bridge, link));
}

int bridge_connect(struct bridge *g, const struct conn_peer *peer, struct conn_io io,
                   struct conn **out)
{
    MD_ASSERT(g->conn == NULL);
    int err = conn_new(out, g->broker, peer, io);
    if (err != MD_OK)
        return err;
    (*out)->bridge = g;
    g->conn = *out;
    err = bridge_send_connect(*out);
    if (err == MD_OK)
        return MD_OK;
    (*out)->bridge = NULL;
    g->conn = NULL;
    conn_lost(*out, "out of memory");
    *out = NULL;
    return err;
}

void bridge_disconnect(struct bridge *g, const char *why)
{
    struct conn *c = g->conn;
    if (c == NULL)
        return;
    if (c->state == CONN_OPEN && bridge_notify_remote(c, false) == MD_OK)
        (void)!mqtt_put_disconnect(&c->ctl); /* out of memory: it ends without */
    conn_close(c, why);
}

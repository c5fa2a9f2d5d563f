/* c_connect.c - the client's CONNECT and the answer to it.  [MQTT 3.1, 3.2] */
#include "broker/base/log.h"
#include "broker/core/bridge_int.h"
#include "broker/core/bridge_topics.h"

#define ANSWER_MS 15000u /* for the TLS handshake and CONNACK */

static void keep_alive(struct timer *t)
{
    struct conn *c = LIST_OF(t, struct conn, timer);
    uint64_t now = env_mono_ms(c->broker->env);
    if (c->bridge->pinged && now - c->last_packet_ms >= c->timeout_ms)
        conn_close(c, "the other broker does not answer PINGREQ");
    else if (mqtt_put_pingreq(&c->ctl) != MD_OK ||
             timers_start(&c->broker->timers, t, now + c->timeout_ms) != MD_OK)
        conn_close(c, "out of memory for its keep alive");
    else {
        c->bridge->pinged = true;
        conn_wake(c);
    }
}

static void no_answer(struct timer *t)
{
    conn_close(LIST_OF(t, struct conn, timer), "no CONNACK in time");
}

int bridge_send_connect(struct conn *c)
{
    struct bridge *g = c->bridge;
    const struct bridge_config *cfg = g->cfg;
    struct mqtt_connect p = {.level = (enum mqtt_level)cfg->level,
                             .bridge = cfg->try_private && !g->plain,
                             .clean_session = cfg->clean_session,
                             .keep_alive_s = (uint16_t)cfg->keepalive_s,
                             .client_id = span_str(cfg->remote_id)};
    if (g->state_topic != NULL && !cfg->notify_local_only) {
        p.has_will = p.will_retain = true;
        p.will_qos = MQTT_QOS1;
        p.will_topic = span_str(g->state_topic);
        p.will_payload = span_str("0");
    }
    p.has_username = cfg->username != NULL;
    p.has_password = cfg->username != NULL && cfg->password != NULL;
    if (p.has_username)
        p.username = span_str(cfg->username);
    if (p.has_password)
        p.password = span_str(cfg->password);
    c->timer.fire = no_answer;
    c->timeout_ms = ANSWER_MS;
    c->who.level = (uint8_t)cfg->level;
    c->who.client_id = span_str(cfg->local_id);
    int err = mqtt_put_connect(&c->ctl, &p);
    if (err == MD_OK)
        err = timers_start(&c->broker->timers, &c->timer, c->last_packet_ms + ANSWER_MS);
    if (err == MD_OK)
        conn_wake(c);
    return err;
}

static const char *refusal(enum mqtt_connack code)
{
    switch (code) {
    case MQTT_REFUSED_LEVEL:
        return "the other broker does not speak this level; see bridge_protocol_version";
    case MQTT_REFUSED_ID:
        return "the other broker does not take its Client Identifier; see remote_clientid";
    case MQTT_REFUSED_CREDENTIALS:
        return "the other broker refused it: wrong user name or password; see remote_username and "
               "remote_password";
    case MQTT_REFUSED_NOT_AUTHORIZED:
        return "the other broker does not let it in; see remote_username and remote_password";
    case MQTT_REFUSED_UNAVAILABLE:
    case MQTT_ACCEPTED:
        break;
    }
    return "the other broker is not available";
}

/* Identifiers for SUBSCRIBE from the far side of the 65,535 that PUBLISH takes in turn. */
static uint16_t request_id(const struct conn *c, size_t i)
{
    return (uint16_t)((c->session->out.next_id + 32768u + i) % 65535u + 1);
}

static int request_one(struct conn *c, size_t i, struct buf *filter)
{
    const struct bridge_topic *t = &c->bridge->cfg->topics[i];
    unsigned max = conn_max_qos(c);
    filter->n = 0;
    int err = bridge_topics_filter(t, true, filter);
    if (err != MD_OK)
        return err;
    if ((t->direction & BRIDGE_IN) != 0)
        return mqtt_put_subscribe(&c->ctl, request_id(c, i), buf_view(filter),
                                  (enum mqtt_qos)(t->qos < max ? t->qos : max));
    return c->bridge->cfg->attempt_unsubscribe
               ? mqtt_put_unsubscribe(&c->ctl, request_id(c, i), buf_view(filter))
               : MD_OK;
}

static int request_all(struct conn *c)
{
    struct buf filter;
    int err = MD_OK;
    buf_init(&filter, SIZE_MAX);
    for (size_t i = 0; i < c->bridge->cfg->n_topics && err == MD_OK; i++)
        err = request_one(c, i, &filter);
    buf_free(&filter);
    return err;
}

/* The other broker knows nothing of what it sent before: its identifiers begin anew. */
static void forget_received(struct session *s)
{
    while (s->qos2_in != NULL)
        session_qos2_release(s, s->qos2_in->v[s->qos2_in->n - 1]);
}

static int start_keep_alive(struct conn *c)
{
    struct timers *t = &c->broker->timers;
    timers_stop(t, &c->timer);
    c->timer.fire = keep_alive;
    c->timeout_ms = c->bridge->cfg->keepalive_s * 1000;
    c->bridge->pinged = false;
    return c->timeout_ms == 0 ? MD_OK
                              : timers_start(t, &c->timer, c->last_packet_ms + c->timeout_ms);
}

static int open_session(struct conn *c, bool present)
{
    struct bridge *g = c->bridge;
    int err = bridge_attach(g, c);
    if (err != MD_OK)
        return err;
    c->session = g->session;
    c->who.client_id = session_id(c->session);
    c->state = CONN_OPEN;
    conn_forget_start(c);
    g->plain = false;
    if (!present && g->cfg->level >= MQTT_3_1_1)
        forget_received(c->session);
    err = start_keep_alive(c);
    if (err == MD_OK)
        err = request_all(c);
    if (err == MD_OK)
        err = bridge_notify_remote(c, true);
    return err == MD_OK ? bridge_replay(g) : err;
}

int bridge_on_connack(struct conn *c, const struct mqtt_connack_packet *p, const char **why)
{
    struct bridge *g = c->bridge;
    if (c->state != CONN_NEW) {
        *why = "[MQTT-3.2.0-1]: a second CONNACK";
        return MD_PROTO;
    }
    if (p->code != MQTT_ACCEPTED) {
        *why = refusal(p->code);
        g->refused = p->code != MQTT_REFUSED_LEVEL;
        return MD_DENIED;
    }
    int err = open_session(c, p->session_present);
    if (err != MD_OK)
        return err;
    log_info("bridge", "connection=%s peer=%s connected as client=%s%s",
             log_q(span_str(g->cfg->name)), c->who.peer, log_q(span_str(g->cfg->remote_id)),
             p->session_present ? ", its Session was still there" : "");
    bridge_notify(g, true);
    g->io.up(g->io.ctx);
    conn_wake(c);
    return MD_OK;
}

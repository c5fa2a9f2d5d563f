/* h_connect.c - CONNECT: who are you, may you, and what was left of your Session.  [MQTT 3.1]
 *
 * Nothing of an existing Session or connection is touched before the client is accepted
 * [MQTT-3.1.4-2]. */
#include "broker/core/handlers.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_int.h"
#include "broker/core/broker_int.h"
#include "broker/core/mount.h"

#include <stdio.h>

#define CONNACK_SIZE   4
#define AUTO_ID_RANDOM 16 /* bytes, written as hex */

static int refuse(struct conn *c, enum mqtt_connack code, const char **why, const char *reason)
{
    *why = mqtt_put_connack(&c->ctl, false, code) == MD_OK ? reason : "out of memory";
    return MD_DENIED; /* closes after CONNACK is sent [MQTT-3.2.2-5] */
}

/* Keeps what outlives the packet: the user name.  The Client Identifier is kept by the Session. */
static int keep_username(struct conn *c, const struct mqtt_connect *p)
{
    size_t n = p->username.n;
    if (!p->has_username)
        return MD_OK;
    c->username = mem_alloc_raw(n + 1);
    if (c->username == NULL)
        return MD_NOMEM;
    if (n > 0)
        memcpy(c->username, p->username.p, n);
    c->who.username = span_of(c->username, n);
    return MD_OK;
}

/* A hook may have said that it goes by a name of its certificate, which ends with `start`. */
static int own_username(struct conn *c)
{
    struct span name = c->who.username;
    if (name.p == NULL || (const char *)name.p == c->username)
        return MD_OK;
    char *own = mem_dup(name.p, name.n);
    if (own == NULL)
        return MD_NOMEM;
    conn_start(c)->username = c->username; /* who.client_id may point at it */
    c->username = own;
    c->who.username = span_of(own, name.n);
    return MD_OK;
}

/* An id nobody else has, alphanumeric after its prefix [MQTT-3.1.3-6]. */
static int make_id(struct conn *c)
{
    const char *given = conn_start(c)->told.auto_id_prefix;
    const char *prefix = given != NULL ? given : "auto-";
    uint8_t random[AUTO_ID_RANDOM];
    size_t n = strlen(prefix), size = n + 2 * sizeof random;
    conn_start(c)->told.auto_id_prefix = NULL;
    if (c->who.client_id.n > 0)
        return MD_OK;
    char *id = mem_alloc_raw(size + 1);
    if (id == NULL)
        return MD_NOMEM;
    conn_start(c)->made_id = id;
    env_random(c->broker->env, random, sizeof random);
    memcpy(id, prefix, n);
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(id + n + 2 * i, 3, "%02x", random[i]);
    c->who.client_id = span_of(id, size);
    return MD_OK;
}

static int keep_will(struct conn *c, const struct mqtt_connect *p)
{
    if (!p->has_will)
        return MD_OK;
    return message_new(&c->will, p->will_topic, p->will_payload, p->will_qos, p->will_retain);
}

static enum broker_verdict ask(struct conn *c, const struct mqtt_connect *p)
{
    const struct broker_hooks *h = &c->broker->hooks;
    struct broker_message will = {p->will_topic, p->will_payload, p->will_qos, p->will_retain};
    enum broker_verdict v = BROKER_ALLOW;
    conn_start(c)->told.password = p->has_password ? p->password : span_of(NULL, 0);
    if (h->on_connect != NULL)
        v = h->on_connect(h->ctx, &c->who, p->has_will ? &will : NULL);
    conn_start(c)->told.password = span_of(NULL, 0);
    return v;
}

static enum mqtt_connack code_of(const struct conn *c, const struct mqtt_connect *p,
                                 enum broker_verdict v)
{
    const struct broker_hooks *h = &c->broker->hooks;
    if (v == BROKER_BAD_CREDENTIALS)
        return MQTT_REFUSED_CREDENTIALS;
    if (v == BROKER_BAD_ID)
        return MQTT_REFUSED_ID;
    if (v == BROKER_BUSY)
        return MQTT_REFUSED_UNAVAILABLE;
    if (v != BROKER_ALLOW)
        return MQTT_REFUSED_NOT_AUTHORIZED;
    if (p->has_will && h->may != NULL && !h->may(h->ctx, &c->who, BROKER_PUBLISH, p->will_topic))
        return MQTT_REFUSED_NOT_AUTHORIZED;
    return MQTT_ACCEPTED;
}

static int start_keep_alive(struct conn *c, uint16_t keep_alive_s)
{
    struct timers *t = &c->broker->timers;
    c->timeout_ms = keep_alive_s * 1500u;
    timers_stop(t, &c->timer);
    if (c->timeout_ms == 0)
        return MD_OK;
    return timers_start(t, &c->timer, c->last_packet_ms + c->timeout_ms);
}

static void announce(struct conn *c, const struct mqtt_connect *p)
{
    struct broker *b = c->broker;
    bool named = c->who.username.p != NULL; /* by the client, or by its certificate */
    LOG_IF(c->takeovers.quiet ? LOG_DEBUG : LOG_INFO, "client",
           "peer=%s client=%s connected (p%d, c%d, k%u%s%s)", c->who.peer, log_q(c->who.client_id),
           (int)p->level, p->clean_session, p->keep_alive_s, named ? ", u" : "",
           named ? log_q(c->who.username) : "");
    c->judged = true;
    if (b->hooks.on_connected != NULL)
        b->hooks.on_connected(b->hooks.ctx, &c->who);
    conn_forget_start(c);
}

/* The Session is there already, but the connection does not come about. */
static int abandon(struct conn *c, int err)
{
    struct session *s = c->session;
    c->session = NULL;
    if (s != NULL)
        session_detach(s);
    return err;
}

/* [MQTT-3.1.4-2] */
static void take_over(struct conn *c, struct conn *old)
{
    c->takeovers = old->takeovers;
    unsigned times = takeover_count(&c->takeovers, env_mono_ms(c->broker->env));
    if (times > 0)
        log_warn("client",
                 "client=%s was taken over %u times within a minute: two clients use the same "
                 "Client Identifier, give each its own; until that ends, its connects and "
                 "disconnects are not logged (last: %s, before: %s)",
                 log_q(c->who.client_id), times, c->who.peer, old->who.peer);
    old->hushed = c->takeovers.quiet;
    conn_close(old, "its Client Identifier connected again elsewhere");
}

static int open_session(struct conn *c, const struct mqtt_connect *p)
{
    struct broker *b = c->broker;
    bool present;
    struct session *old = session_find(b, c->who.client_id);
    if (old != NULL && old->conn != NULL)
        take_over(c, old->conn);
    int err = own_username(c);
    if (err == MD_OK)
        err = start_keep_alive(c, p->keep_alive_s);
    if (err == MD_OK)
        err = buf_reserve(&c->ctl, CONNACK_SIZE); /* what follows must not fail half-way */
    if (err == MD_OK)
        err = session_attach(&c->session, b, c->who.client_id, p->clean_session, c, &present);
    if (err == MD_OK)
        err = session_identify(c->session, c->who.username);
    if (err != MD_OK)
        return abandon(c, err);
    c->who.client_id = session_id(c->session);
    bridge_serve_peer(c->session, p->bridge);
    c->state = CONN_OPEN;
    b->n_open++;
    /* Session Present exists from 3.1.1 on [MQTT-3.2.2-1]. */
    err = mqtt_put_connack(&c->ctl, present && p->level == MQTT_3_1_1, MQTT_ACCEPTED);
    MD_ASSERT(err == MD_OK);
    b->stats.connects++;
    if (b->n_open > b->stats.max_clients)
        b->stats.max_clients = b->n_open;
    conn_answered(c);
    announce(c, p);
    return MD_OK;
}

/* max_keepalive, message_size_limit, max_qos and retain_available, as mosquitto answers them: it
 * has no CONNACK for the last two. */
static int check_limits(struct conn *c, const struct mqtt_connect *p, const char **why)
{
    const struct broker_limits *l = &c->broker->limits;
    unsigned max = l->max_keepalive;
    if (max != 0 && (p->keep_alive_s == 0 || p->keep_alive_s > max))
        return refuse(c, MQTT_REFUSED_ID, why, "its Keep Alive is longer than max_keepalive");
    if (!p->has_will)
        return MD_OK;
    if (l->message_size_limit != 0 && p->will_payload.n > l->message_size_limit)
        return refuse(c, MQTT_REFUSED_NOT_AUTHORIZED, why,
                      "its Will Message is longer than message_size_limit");
    *why = "its Will Topic has more levels than max_topic_levels";
    if (l->max_topic_levels != 0 && topic_deeper(p->will_topic, l->max_topic_levels))
        return MD_TOOBIG;
    *why = "its Will has a QoS above max_qos";
    if ((unsigned)p->will_qos > conn_max_qos(c))
        return MD_DENIED;
    *why = "its Will has RETAIN, and retain_available is false";
    return p->will_retain && !l->retain_available ? MD_DENIED : MD_OK;
}

/* What can be said about the CONNECT alone. */
static int check(struct conn *c, const struct mqtt_connect *p, const char **why)
{
    if (p->level == MQTT_LEVEL_UNSUPPORTED) /* [MQTT-3.1.2-2] */
        return refuse(c, MQTT_REFUSED_LEVEL, why,
                      "it asked for a protocol level other than MQTT 3.1 and 3.1.1");
    if (p->client_id.n == 0 && (p->level == MQTT_3_1 || !p->clean_session)) /* [MQTT-3.1.3-8] */
        return refuse(c, MQTT_REFUSED_ID, why,
                      "an empty Client Identifier needs MQTT 3.1.1 and Clean Session 1");
    if (bridge_has_id(c->broker, p->client_id))
        return refuse(c, MQTT_REFUSED_ID, why, "its Client Identifier belongs to a bridge of ours");
    return check_limits(c, p, why);
}

/* memory_limit: people on this host may look at what fills it a little longer. */
static bool memory_short(const struct conn *c)
{
    enum pressure p = broker_pressure(c->broker);
    return c->who.loopback ? p == PRESSURE_FULL : p >= PRESSURE_SOME;
}

/* It ends a connection, so there will not be more of them. */
static bool taking_over(const struct conn *c)
{
    const struct session *s = session_find(c->broker, c->who.client_id);
    return s != NULL && s->conn != NULL;
}

/* What follows the verdict, now or in broker_decide(). */
static int proceed(struct conn *c, const struct mqtt_connect *p, enum broker_verdict v,
                   const char **why)
{
    struct broker *b = c->broker;
    enum mqtt_connack code = code_of(c, p, v);
    if (code != MQTT_ACCEPTED)
        return refuse(c, code, why,
                      v == BROKER_ALLOW ? "it may not publish to its Will Topic"
                                        : "it was refused");
    if (b->limits.max_connections != 0 && b->n_open >= b->limits.max_connections && !taking_over(c))
        return refuse(c, MQTT_REFUSED_UNAVAILABLE, why, "global_max_connections is reached");
    if (memory_short(c))
        return refuse(c, MQTT_REFUSED_UNAVAILABLE, why, "memory_limit is nearly reached");
    int err = keep_will(c, p);
    return err != MD_OK ? err : open_session(c, p);
}

int handle_connect(struct conn *c, const struct mqtt_connect *p, const char **why)
{
    c->who.client_id = p->client_id;
    int err = check(c, p, why);
    if (err != MD_OK)
        return err;
    c->who.level = (uint8_t)p->level;
    err = keep_username(c, p);
    if (err != MD_OK)
        return err;
    enum broker_verdict v = ask(c, p);
    err = make_id(c);
    if (err != MD_OK)
        return err;
    if (v != BROKER_PENDING)
        return proceed(c, p, v, why);
    c->state = CONN_ASKING; /* conn.c parks the packet */
    return MD_OK;
}

static struct conn *asking(struct broker *b, uint64_t ticket)
{
    LIST_EACH (it, &b->conns) {
        struct conn *c = LIST_OF(it, struct conn, link);
        if (c->who.ticket == ticket)
            return c->state == CONN_ASKING ? c : NULL;
    }
    return NULL;
}

bool broker_decide(struct broker *b, uint64_t ticket, enum broker_verdict verdict, void *tag)
{
    struct conn *c = asking(b, ticket);
    struct mqtt_packet p;
    const char *why = "out of memory";
    if (c == NULL)
        return false;
    struct buf packet = conn_start(c)->parked; /* the names of `who` point into it */
    buf_init(&conn_start(c)->parked, packet.max);
    int err = mqtt_decode(buf_view(&packet), MQTT_LEVEL_NONE, &p, &why);
    MD_ASSERT(err == MD_OK); /* it was decoded before */
    c->who.tag = tag;
    c->last_packet_ms = env_mono_ms(b->env); /* it was we who did not read */
    c->state = CONN_NEW;
    struct buf names;
    buf_init(&names, SIZE_MAX);
    err = mount_packet(conn_mount(c), &p, &names);
    if (err == MD_OK)
        err = proceed(c, &p.u.connect, verdict, &why);
    if (err != MD_OK)
        conn_close(c, why);
    buf_free(&names);
    buf_wipe(&packet); /* a password is in it */
    conn_resume(c);
    conn_wake(c); /* reading goes on */
    return true;
}

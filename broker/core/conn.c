#include "broker/core/conn.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "broker/core/bridge_int.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"
#include "broker/core/handlers.h"
#include "broker/core/mount.h"
#include "broker/core/router.h"
#include "broker/core/trace.h"

#include <stdio.h>

/* More unsent answers than this, and nothing more is read from the client. */
#define CTL_FULL ((size_t)64 << 10)
/* Far above what one read can make: a mistake of ours would end here. */
#define CTL_MAX ((size_t)8 << 20)
/* The largest CONNECT the protocol allows is five strings of 65,535 bytes. */
#define CONNECT_MAX ((size_t)5 * (65535 + 2) + 15)

/* A verdict may wait for many others: a whole house coming back after a power cut. */
#define ASKING_MS 60000u
/* A timer that fires so much too late says that the program stood still, not the client. */
#define LATE_MS 500u
/* What a client may have sent behind a CONNECT that waits, before reading stops. */
#define PIPELINED ((size_t)256 << 10)

static void on_timer(struct timer *t);

void conn_forget_start(struct conn *c)
{
    struct conn_start *s = conn_start(c);
    c->who.arrival = NULL;
    if (s == NULL)
        return;
    mem_free(s->texts);
    mem_free(s->cn);
    mem_free(s->subject);
    mem_free(s->made_id);
    mem_free(s->username);
    buf_wipe(&s->parked); /* a password is in it */
    mem_free(s);
}

void conn_secured(struct conn *c, const char *cipher, const char *hello)
{
    size_t n = cipher == NULL ? 0 : strlen(cipher) + 1, h = hello == NULL ? 0 : strlen(hello) + 1;
    struct conn_start *s = conn_start(c);
    char *texts = s == NULL ? NULL : mem_alloc(n + h);
    if (texts == NULL)
        return;
    mem_free(s->texts);
    s->texts = texts;
    s->told.secured_ms = cipher == NULL ? 0 : env_mono_ms(c->broker->env);
    s->told.cipher = cipher == NULL ? NULL : memcpy(texts, cipher, n);
    s->told.hello = hello == NULL ? NULL : memcpy(texts + n, hello, h);
}

void conn_failed(struct conn *c, const char *why)
{
    const struct broker_hooks *h = &c->broker->hooks;
    if (c->judged || c->bridge != NULL)
        return;
    c->judged = true;
    if (h->on_failed != NULL)
        h->on_failed(h->ctx, &c->who, why);
}

/* Errors: MD_NOMEM: nothing is left behind. */
static int start(struct conn *c)
{
    struct broker *b = c->broker;
    c->last_packet_ms = env_mono_ms(b->env);
    c->timeout_ms = b->limits.connect_timeout_s * 1000;
    c->timer.fire = on_timer;
    struct conn_start *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    buf_init(&s->parked, SIZE_MAX);
    s->told.opened_ms = c->last_packet_ms;
    c->who.arrival = &s->told;
    if (c->timeout_ms == 0)
        return MD_OK;
    int err = timers_start(&b->timers, &c->timer, c->last_packet_ms + c->timeout_ms);
    if (err != MD_OK)
        conn_forget_start(c);
    return err;
}

int conn_new(struct conn **out, struct broker *b, const struct conn_peer *peer, struct conn_io io)
{
    size_t n = strlen(peer->address) + 1, max = b->limits.max_packet_size;
    /* What the struct would be padded with is room for the address as well. */
    struct conn *c = mem_alloc(offsetof(struct conn, address) + n);
    if (c == NULL)
        return MD_NOMEM;
    c->broker = b;
    c->io = io;
    c->who = (struct broker_client){.peer = memcpy(c->address, peer->address, n),
                                    .tls = peer->tls,
                                    .loopback = peer->loopback,
                                    .listener = peer->listener};
    buf_init(&c->in, max != 0 && max < SIZE_MAX - PIPELINED ? max + PIPELINED : SIZE_MAX);
    c->mount = peer->mount;
    buf_init(&c->ctl, CTL_MAX);
    if (start(c) != MD_OK) {
        mem_free(c);
        return MD_NOMEM;
    }
    c->who.ticket = ++b->tickets;
    list_append(&b->conns, &c->link);
    b->stats.connections++;
    *out = c;
    return MD_OK;
}

void conn_wake(struct conn *c)
{
    if (c->woken)
        return;
    c->woken = true;
    c->io.wake(c->io.ctx);
}

void conn_answered(struct conn *c)
{
    c->broker->stats.packets_out++;
    conn_wake(c);
}

const char *conn_address(const struct conn *c) { return c->address; }

bool conn_closing(const struct conn *c) { return c->state == CONN_CLOSING; }

bool conn_expects_connect(const struct conn *c) { return c->state == CONN_NEW; }

static bool replaying(const struct conn *c) { return c->session != NULL && c->session->replaying; }

/* What it sends now has to wait for what it has sent before. */
static bool busy(const struct conn *c) { return c->state == CONN_ASKING || replaying(c); }

bool conn_reading(const struct conn *c) { return c->ctl.n < CTL_FULL && !busy(c); }

int conn_identify(struct conn *c, const char *cn, const char *subject)
{
    struct conn_start *s = conn_start(c);
    s->cn = cn == NULL ? NULL : mem_strdup(cn);
    s->subject = subject == NULL ? NULL : mem_strdup(subject);
    s->told.tls_cn = s->cn;
    s->told.tls_subject = s->subject;
    return (cn != NULL && s->cn == NULL) || (subject != NULL && s->subject == NULL) ? MD_NOMEM
                                                                                    : MD_OK;
}

unsigned conn_max_qos(const struct conn *c)
{
    const struct broker_limits *l = &c->broker->limits;
    unsigned at = c->who.listener < BROKER_LISTENERS ? l->max_qos_at[c->who.listener] : 0;
    return at != 0 && at - 1 < l->max_qos ? at - 1 : l->max_qos;
}

bool broker_may(struct broker *b, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    /* Every client that a hook is told of, but for may_receive, is a part of its conn. */
    const struct conn *c = LIST_OF(who, const struct conn, who);
    if (c->bridge != NULL)
        return true;
    return mount_reaches(conn_mount(c), topic) &&
           (b->hooks.may == NULL || b->hooks.may(b->hooks.ctx, who, what, topic));
}

static void publish_will(struct conn *c)
{
    struct message *will = c->will;
    c->will = NULL; /* [MQTT-3.1.2-10] */
    if (will == NULL)
        return;
    struct broker_message m = {message_topic(will), message_payload(will), will->qos, will->retain};
    const struct broker_hooks *h = &c->broker->hooks;
    bool allowed = h->may == NULL || h->may(h->ctx, &c->who, BROKER_PUBLISH, m.topic);
    if (allowed && h->on_publish != NULL)
        allowed = h->on_publish(h->ctx, &c->who, &m);
    if (allowed && route_unanswered(c->broker, will) != MD_OK)
        log_warn("broker", "client=%s out of memory: its Will Message is lost",
                 log_q(c->who.client_id));
    message_unref(will);
}

void conn_close(struct conn *c, const char *why)
{
    if (c->state == CONN_CLOSING)
        return;
    bool was_open = c->state == CONN_OPEN;
    c->state = CONN_CLOSING;
    timers_stop(&c->broker->timers, &c->timer);
    if (was_open)
        buf_free(&c->in);
    else
        buf_wipe(&c->in); /* part of a CONNECT */
    if (why[0] != '\0')
        LOG_IF(c->hushed ? LOG_DEBUG : LOG_INFO, was_open ? "client" : "net",
               "peer=%s client=%s disconnected: %s", c->who.peer, log_q(c->who.client_id), why);
    if (!was_open)
        conn_failed(c, why);
    if (c->bridge != NULL)
        bridge_closed(c, was_open, why);
    else if (was_open) {
        c->broker->n_open--;
        publish_will(c);
        if (c->broker->hooks.on_disconnect != NULL)
            c->broker->hooks.on_disconnect(c->broker->hooks.ctx, &c->who, why);
        struct session *s = c->session;
        c->session = NULL;
        session_detach(s);
    }
    c->who.client_id = span_of(NULL, 0); /* it was the Session's, or the packet's */
    conn_wake(c);
}

void conn_violation(struct conn *c, const char *rule)
{
    char why[160];
    (void)snprintf(why, sizeof why, "protocol error, %s", rule);
    conn_close(c, why);
}

void conn_lost(struct conn *c, const char *why)
{
    c->woken = true; /* nobody to wake any more */
    conn_close(c, why);
    list_remove(&c->link);
    list_append(&c->broker->lost, &c->link);
    c->broker->stats.connections--;
}

void conn_ack(struct conn *c, enum mqtt_type type, uint16_t packet_id)
{
    if (mqtt_put_ack(&c->ctl, type, packet_id) != MD_OK)
        conn_close(c, "out of memory for an acknowledgement"); /* [MQTT-4.8.0-2] */
    else
        conn_answered(c);
}

/* Keep Alive [MQTT-3.1.2-24], and the wait for CONNECT. */
static void on_timer(struct timer *t)
{
    struct conn *c = LIST_OF(t, struct conn, timer);
    uint64_t now = env_mono_ms(c->broker->env);
    uint64_t due = c->last_packet_ms + c->timeout_ms;
    if (c->state == CONN_ASKING)
        due += ASKING_MS; /* whoever waits for its verdict is not to blame */
    if (now >= due && (replaying(c) || now - t->due_ms > LATE_MS))
        due = now + LATE_MS; /* we were held up, and what it sent meanwhile is not read yet */
    if (now >= due)
        conn_close(c, c->state == CONN_OPEN ? "exceeded its Keep Alive" : "no CONNECT in time");
    else if (timers_start(&c->broker->timers, t, due) != MD_OK)
        conn_close(c, "out of memory for a timer");
}

static int dispatch(struct conn *c, struct mqtt_packet *p, const char **why)
{
    switch (p->type) {
    case MQTT_CONNECT:
        return handle_connect(c, &p->u.connect, why);
    case MQTT_PUBLISH:
        return handle_publish(c, &p->u.publish, why);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        return handle_ack(c, p->type, p->u.ack.packet_id, why);
    case MQTT_SUBSCRIBE:
        return handle_subscribe(c, &p->u.filters, why);
    case MQTT_UNSUBSCRIBE:
        return handle_unsubscribe(c, &p->u.filters, why);
    case MQTT_PINGREQ:
        return handle_pingreq(c, why);
    case MQTT_DISCONNECT:
        return handle_disconnect(c, why);
    case MQTT_CONNACK: /* the decoder refuses what only a server sends */
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP:
        break;
    }
    *why = "[MQTT-4.8.0-1]";
    return MD_PROTO;
}

static int mount_and_dispatch(struct conn *c, struct mqtt_packet *p, const char **why)
{
    struct buf names;
    buf_init(&names, SIZE_MAX);
    int err = mount_packet(conn_mount(c), p, &names);
    if (err == MD_TOOBIG)
        *why = "a topic is too long behind the mount_point";
    if (err == MD_OK)
        err = dispatch(c, p, why);
    buf_free(&names);
    return err;
}

/* Keeps the CONNECT while its verdict is being made; the Client Identifier is in it. */
static int park(struct conn *c, struct span packet, const struct mqtt_connect *p)
{
    struct buf *parked = &conn_start(c)->parked;
    int err = buf_put(parked, packet);
    if (err == MD_OK && p->client_id.n > 0 && c->who.client_id.p == p->client_id.p)
        c->who.client_id = span_of(parked->p + (p->client_id.p - packet.p), p->client_id.n);
    return err;
}

static int handle_of_client(struct conn *c, struct span packet, const char **why)
{
    c->broker->stats.packets_in++;
    struct mqtt_packet p;
    enum mqtt_level level = c->state == CONN_NEW ? MQTT_LEVEL_NONE : (enum mqtt_level)c->who.level;
    int err = mqtt_decode(packet, level, &p, why);
    if (err == MD_OK) {
        if (log_wants(LOG_DEBUG))
            trace_received(c->who.client_id, &p);
        c->last_packet_ms = env_mono_ms(c->broker->env);
        err = mount_and_dispatch(c, &p, why);
    }
    if (err == MD_OK && c->state == CONN_ASKING)
        err = park(c, packet, &p.u.connect);
    return err;
}

static void handle(struct conn *c, struct span packet)
{
    const char *why = "out of memory";
    int err =
        c->bridge != NULL ? bridge_handle(c, packet, &why) : handle_of_client(c, packet, &why);
    if (err == MD_PROTO)
        conn_violation(c, why);
    else if (err != MD_OK)
        conn_close(c, why);
}

/* The frame at the head of `in`; errors close.  True: a whole packet of *len bytes. */
static bool frame(struct conn *c, struct span in, size_t *len)
{
    size_t max = c->broker->limits.max_packet_size;
    if (c->state == CONN_NEW) {
        /* Not a byte is kept for somebody who does not begin with CONNECT [MQTT-3.1.0-1], or
         * answers ours with something else [MQTT-3.2.0-1]. */
        if (in.p[0] >> 4 != (c->bridge != NULL ? MQTT_CONNACK : MQTT_CONNECT)) {
            conn_violation(c, c->bridge != NULL ? "[MQTT-3.2.0-1]" : "[MQTT-3.1.0-1]");
            return false;
        }
        max = max != 0 && max < CONNECT_MAX ? max : CONNECT_MAX;
    }
    int err = mqtt_frame(in, max, len);
    if (err == MD_PROTO)
        conn_violation(c, "[MQTT 2.2.3]");
    else if (err == MD_TOOBIG)
        conn_close(c, "a packet is larger than max_packet_size");
    return err == MD_OK;
}

/* Handles every whole packet of `in`; returns what is left, the beginning of one. */
static struct span handle_all(struct conn *c, struct span in)
{
    size_t len = 0;
    while (in.n > 0 && c->state < CONN_CLOSING && !busy(c) && frame(c, in, &len)) {
        handle(c, span_of(in.p, len));
        in = span_skip(in, len);
    }
    return c->state == CONN_CLOSING ? (struct span){NULL, 0} : in;
}

/* The beginning of a packet; of a CONNECT it may hold a password. */
static int keep(struct conn *c, struct span in)
{
    return c->state == CONN_NEW ? buf_put_secret(&c->in, in) : buf_put(&c->in, in);
}

static void handle_whole(struct conn *c)
{
    bool secret = c->state == CONN_NEW;
    struct buf whole = c->in; /* handle() may close, which frees c->in */
    buf_init(&c->in, whole.max);
    handle(c, buf_view(&whole));
    if (secret)
        buf_wipe(&whole);
    else
        buf_free(&whole);
}

/* Takes from `in` what completes the packet that c->in begins, and handles it when it is whole.
 * Returns the rest of `in`. */
static struct span complete(struct conn *c, struct span in)
{
    size_t len = 0;
    if (mqtt_frame(buf_view(&c->in), 0, &len) != MD_AGAIN)
        len = 0;
    /* The length is not known before the fixed header is whole: one more byte then. */
    size_t want = len > c->in.n ? len - c->in.n : 1;
    size_t n = want < in.n ? want : in.n;
    if (keep(c, span_of(in.p, n)) != MD_OK) {
        conn_close(c, "out of memory for a packet");
        return (struct span){NULL, 0};
    }
    if (frame(c, buf_view(&c->in), &len))
        handle_whole(c);
    return span_skip(in, n);
}

static void feed(struct conn *c, struct span in)
{
    while (c->in.n > 0 && in.n > 0 && c->state < CONN_CLOSING && !busy(c))
        in = complete(c, in);
    in = handle_all(c, in);
    if (in.n > 0 && keep(c, in) != MD_OK)
        conn_close(c, "out of memory for a packet");
}

void conn_resume(struct conn *c)
{
    struct buf waiting = c->in;
    buf_init(&c->in, waiting.max);
    if (waiting.n > 0)
        feed(c, buf_view(&waiting)); /* it was counted when it came */
    buf_free(&waiting);
}

void conn_feed(struct conn *c, struct span in)
{
    c->broker->stats.bytes_in += in.n;
    feed(c, in);
}

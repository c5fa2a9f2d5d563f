#include "tools/mqtt_client.h"

#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "broker/codec/topic.h"
#include "broker/tls/tls.h"
#include "tools/tcp.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

struct mqtt_client {
    const struct env *env;
    int fd;
    unsigned timeout_ms;
    struct tls_ctx *tls_ctx; /* NULL: in clear */
    struct tls *tls;
    struct buf in, out; /* plain bytes: whole packets first          */
    size_t lent;        /* length of the packet that `next` lent, 0: none */
    uint16_t packet_id;
    uint64_t ping_at_ms; /* when nothing is sent before                   */
    bool pinged;         /* and nothing came since                        */
};

#define CHUNK 4096u

static uint64_t deadline_of(const struct mqtt_client *c, unsigned ms)
{
    return env_mono_ms(c->env) + ms;
}

/* --- bytes --------------------------------------------------------------------------------- */

static int send_tls_output(struct mqtt_client *c, uint64_t deadline)
{
    struct span s = tls_output(c->tls);
    int err = tcp_send(c->fd, s, c->env, deadline);
    if (err == MD_OK)
        tls_sent(c->tls, s.n);
    return err;
}

static int flush(struct mqtt_client *c, uint64_t deadline)
{
    int err;
    if (c->tls == NULL) {
        err = tcp_send(c->fd, buf_view(&c->out), c->env, deadline);
    } else {
        err = tls_write(c->tls, buf_view(&c->out));
        if (err == MD_OK)
            err = send_tls_output(c, deadline);
    }
    buf_consume(&c->out, c->out.n);
    c->ping_at_ms = deadline_of(c, MQTT_CLIENT_KEEP_ALIVE_S * 500);
    return err;
}

/* Bytes that came are decrypted; that may bring no plain byte at all. */
static int take_tls(struct mqtt_client *c, struct span cipher, uint64_t deadline)
{
    int err = tls_input(c->tls, cipher);
    if (err == MD_OK)
        err = tls_read(c->tls, &c->in);
    int sent = send_tls_output(c, deadline); /* an alert or an answer of TLS itself */
    return err == MD_OK ? sent : err;
}

/* Waits for more and appends it to c->in. */
static int fill(struct mqtt_client *c, uint64_t deadline)
{
    uint8_t chunk[CHUNK];
    size_t n;
    int err = tcp_receive(c->fd, chunk, sizeof chunk, &n, c->env, deadline);
    if (err != MD_OK)
        return err;
    struct span s = span_of(chunk, n);
    c->pinged = false; /* whatever came, the broker lives */
    return c->tls == NULL ? buf_put(&c->in, s) : take_tls(c, s, deadline);
}

/* --- packets ------------------------------------------------------------------------------- */

/* Packets that were handed out or used up leave the front of `in`. */
static void drop(struct mqtt_client *c, size_t at, size_t len)
{
    if (at == 0) {
        buf_consume(&c->in, len);
        return;
    }
    memmove(c->in.p + at, c->in.p + at + len, c->in.n - at - len);
    c->in.n -= len;
}

/* Waits for the next packet that begins at `at`; packets before it stay where they are. */
static int packet_at(struct mqtt_client *c, size_t at, uint64_t deadline, struct mqtt_packet *p,
                     size_t *len)
{
    const char *rule;
    for (;;) {
        struct span rest = span_skip(buf_view(&c->in), at);
        int err = mqtt_frame(rest, MQTT_CLIENT_PACKET_MAX, len);
        if (err == MD_OK)
            return mqtt_decode_client(span_of(rest.p, *len), p, &rule);
        if (err != MD_AGAIN)
            return err;
        err = fill(c, deadline);
        if (err != MD_OK)
            return err;
    }
}

/* Waits for a packet of `type`; PUBLISH packets before it wait in `in`, others are dropped. */
static int await(struct mqtt_client *c, enum mqtt_type type, uint64_t deadline,
                 struct mqtt_packet *p, size_t *at, size_t *len)
{
    *at = 0;
    for (;;) {
        int err = packet_at(c, *at, deadline, p, len);
        if (err != MD_OK || p->type == type)
            return err;
        if (p->type == MQTT_PUBLISH)
            *at += *len;
        else
            drop(c, *at, *len);
    }
}

static void release(struct mqtt_client *c)
{
    if (c->lent > 0)
        drop(c, 0, c->lent);
    c->lent = 0;
}

/* --- opening ------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int failed(char *out, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(out, MQTT_CLIENT_ERR_MAX, fmt, ap);
    va_end(ap);
    return err;
}

/* tls_handshake() until it ends; output goes out before each wait. */
static int shake(struct mqtt_client *c, uint64_t deadline)
{
    uint8_t chunk[CHUNK];
    size_t n;
    if (!tls_lane_acquire(c->tls))
        return MD_TLS;
    for (;;) {
        int err = tls_handshake(c->tls);
        int sent = send_tls_output(c, deadline);
        if (err != MD_AGAIN)
            return err;
        if (sent != MD_OK)
            return sent;
        err = tcp_receive(c->fd, chunk, sizeof chunk, &n, c->env, deadline);
        if (err == MD_OK)
            err = tls_input(c->tls, span_of(chunk, n));
        if (err != MD_OK)
            return err;
    }
}

static int start_tls(struct mqtt_client *c, const struct mqtt_client_config *cfg, uint64_t deadline,
                     char *err)
{
    char why[TLS_ERR_MAX] = "";
    struct tls_config tc = {.ca_file = cfg->ca_file,
                            .ciphers = cfg->ciphers,
                            .max = cfg->ciphers != NULL ? TLS_1_2 : 0};
    int rc = tls_ctx_new(&c->tls_ctx, &tc, 1, why);
    if (rc != MD_OK)
        return failed(err, rc, "%s%s", why[0] ? why : md_err_text(rc),
                      rc == MD_TLS ? "; --cafile takes ca.pem of the broker's state directory"
                                   : "");
    rc = tls_new(&c->tls, c->tls_ctx, cfg->host);
    if (rc == MD_OK)
        rc = shake(c, deadline);
    if (rc == MD_OK)
        return MD_OK;
    const char *cause =
        c->tls != NULL && tls_error(c->tls)[0] ? tls_error(c->tls) : md_err_text(rc);
    return failed(err, rc, "no TLS connection with %s:%u: %s.%s", cfg->host, cfg->port, cause,
                  rc == MD_CLOSED || rc == MD_TIMEOUT ? " Is that a port with TLS?" : "");
}

static const char *refusal(enum mqtt_connack code, bool named)
{
    static const char *const why[] = {
        "accepted",
        "it does not speak MQTT 3.1.1",
        "it does not like the client identifier",
        "it is not available; try again later",
        "wrong user name or password; give them with -u and -P",
        "not authorised; give a user name with -u and -P, or connect from the broker's own host"};
    if (named && code == MQTT_REFUSED_NOT_AUTHORIZED)
        return "not authorised; are the user name and the password (-u, -P) right?";
    return code <= MQTT_REFUSED_NOT_AUTHORIZED ? why[code] : "a code MQTT does not know";
}

static int put_connect(struct mqtt_client *c, const struct mqtt_client_config *cfg)
{
    uint8_t salt[6];
    char id[32];
    env_random(c->env, salt, sizeof salt);
    (void)snprintf(id, sizeof id, "merossd-cli-%02x%02x%02x%02x%02x%02x", salt[0], salt[1], salt[2],
                   salt[3], salt[4], salt[5]);
    struct mqtt_connect m = {.level = cfg->level != 0 ? cfg->level : MQTT_3_1_1,
                             .clean_session = true,
                             .keep_alive_s = MQTT_CLIENT_KEEP_ALIVE_S,
                             .client_id = span_str(cfg->client_id != NULL ? cfg->client_id : id)};
    if (cfg->username != NULL) {
        m.has_username = true;
        m.username = span_str(cfg->username);
        m.has_password = cfg->password != NULL;
        m.password = span_str(cfg->password ? cfg->password : "");
    }
    return mqtt_put_connect(&c->out, &m);
}

static int login(struct mqtt_client *c, const struct mqtt_client_config *cfg, uint64_t deadline,
                 char *err)
{
    struct mqtt_packet p;
    size_t at, len;
    int rc = put_connect(c, cfg);
    if (rc == MD_OK)
        rc = flush(c, deadline);
    if (rc == MD_OK)
        rc = await(c, MQTT_CONNACK, deadline, &p, &at, &len);
    if (rc == MD_OK && p.u.connack.code != MQTT_ACCEPTED)
        return failed(err, MD_DENIED, "the broker at %s:%u refuses this client: %s", cfg->host,
                      cfg->port, refusal(p.u.connack.code, cfg->username != NULL));
    if (rc == MD_OK) {
        drop(c, at, len);
        return MD_OK;
    }
    return failed(err, rc, "%s:%u does not answer as an MQTT broker: %s.%s", cfg->host, cfg->port,
                  md_err_text(rc),
                  c->tls == NULL ? " If that port speaks TLS, give --cafile FILE." : "");
}

static void note_stage(const struct mqtt_client_config *cfg, enum mqtt_client_stage stage)
{
    if (cfg->stage != NULL)
        *cfg->stage = stage;
}

static int open_stages(struct mqtt_client *c, const struct mqtt_client_config *cfg, char *err)
{
    char why[TCP_ERR_MAX];
    uint64_t deadline = deadline_of(c, cfg->timeout_ms);
    note_stage(cfg, MQTT_CLIENT_TCP);
    int rc = tcp_connect(&c->fd, cfg->host, cfg->port, c->env, deadline, why);
    if (rc != MD_OK)
        return failed(err, rc,
                      rc == MD_NOENT
                          ? "cannot reach a broker at %s:%u: %s. Is the name after -h right?"
                          : "cannot reach a broker at %s:%u: %s. Is merossd running? Start it with "
                            "`merossd`, or name another host with -h.",
                      cfg->host, cfg->port, why);
    note_stage(cfg, MQTT_CLIENT_TLS);
    if (cfg->ca_file != NULL || cfg->unverified)
        rc = start_tls(c, cfg, deadline, err);
    if (rc != MD_OK)
        return rc;
    note_stage(cfg, MQTT_CLIENT_LOGIN);
    rc = login(c, cfg, deadline, err);
    if (rc == MD_OK)
        note_stage(cfg, MQTT_CLIENT_OPEN);
    return rc;
}

static void free_all(struct mqtt_client *c)
{
    tls_free(c->tls);
    tls_ctx_free(c->tls_ctx);
    buf_free(&c->in);
    buf_free(&c->out);
    if (c->fd >= 0)
        (void)close(c->fd);
    mem_free(c);
}

int mqtt_client_open(struct mqtt_client **out, const struct mqtt_client_config *cfg,
                     const struct env *env, char err[MQTT_CLIENT_ERR_MAX])
{
    struct mqtt_client *c = mem_alloc(sizeof *c);
    if (c == NULL)
        return failed(err, MD_NOMEM, "out of memory");
    c->env = env;
    c->fd = -1;
    c->timeout_ms = cfg->timeout_ms;
    buf_init(&c->in, 2 * MQTT_CLIENT_PACKET_MAX);
    buf_init(&c->out, MQTT_CLIENT_PACKET_MAX);
    int rc = open_stages(c, cfg, err);
    if (rc == MD_OK)
        *out = c;
    else
        free_all(c);
    return rc;
}

void mqtt_client_close(struct mqtt_client *c)
{
    if (c == NULL)
        return;
    buf_consume(&c->out, c->out.n);
    /* A farewell is a courtesy: when it does not go out, the broker notices by itself. */
    if (mqtt_put_disconnect(&c->out) == MD_OK)
        (void)flush(c, deadline_of(c, 200));
    free_all(c);
}

/* --- use ----------------------------------------------------------------------------------- */

static uint16_t next_id(struct mqtt_client *c)
{
    if (++c->packet_id == 0)
        c->packet_id = 1;
    return c->packet_id;
}

int mqtt_client_subscribe(struct mqtt_client *c, struct span filter, enum mqtt_qos qos)
{
    struct mqtt_packet p;
    size_t at, len;
    uint64_t deadline = deadline_of(c, c->timeout_ms);
    release(c);
    int err = mqtt_put_subscribe(&c->out, next_id(c), filter, qos);
    if (err == MD_OK)
        err = flush(c, deadline);
    if (err == MD_OK)
        err = await(c, MQTT_SUBACK, deadline, &p, &at, &len);
    if (err != MD_OK)
        return err;
    bool granted = p.u.suback.codes.n == 1 && p.u.suback.codes.p[0] <= MQTT_QOS2;
    drop(c, at, len);
    return granted ? MD_OK : MD_DENIED;
}

int mqtt_client_publish(struct mqtt_client *c, struct span topic, struct span payload)
{
    struct mqtt_publish m = {.topic = topic, .payload = payload};
    release(c);
    if (!topic_name_valid(topic))
        return MD_INVAL;
    int err = mqtt_put_publish(&c->out, &m);
    return err == MD_OK ? flush(c, deadline_of(c, c->timeout_ms)) : err;
}

/* MD_CLOSED: the last PINGREQ was not answered, or this one cannot be sent. */
static int ping(struct mqtt_client *c)
{
    if (c->pinged)
        return MD_CLOSED;
    int err = mqtt_put_pingreq(&c->out);
    if (err == MD_OK)
        err = flush(c, deadline_of(c, c->timeout_ms));
    c->pinged = true;
    return err == MD_TIMEOUT ? MD_CLOSED : err;
}

/* We subscribe with QoS 0 and 1 only, so that PUBACK is all there is to say. */
static int acknowledge(struct mqtt_client *c, const struct mqtt_publish *m)
{
    if (m->qos != MQTT_QOS1)
        return MD_OK;
    int err = mqtt_put_ack(&c->out, MQTT_PUBACK, m->packet_id);
    return err == MD_OK ? flush(c, deadline_of(c, c->timeout_ms)) : err;
}

int mqtt_client_next(struct mqtt_client *c, unsigned timeout_ms, struct mqtt_publish *m)
{
    struct mqtt_packet p;
    size_t at, len;
    uint64_t end = deadline_of(c, timeout_ms);
    release(c);
    for (;;) {
        uint64_t until = c->ping_at_ms < end ? c->ping_at_ms : end;
        int err = await(c, MQTT_PUBLISH, until, &p, &at, &len);
        if (err == MD_OK) {
            *m = p.u.publish;
            c->lent = len;
            return acknowledge(c, m);
        }
        if (err != MD_TIMEOUT || until == end)
            return err;
        err = ping(c);
        if (err != MD_OK)
            return err;
    }
}

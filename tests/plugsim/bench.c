#include "tests/plugsim/bench.h"

#include <mbedtls/md.h>
#include <stdio.h>

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"

#define BENCH_TURNS 100000 /* far more than any script needs */

int bench_new(const struct simplug_options *options, struct bench **out)
{
    struct bench *b = mem_alloc(sizeof *b);
    if (b == NULL)
        return MD_NOMEM;
    b->opt = *options;
    b->key = "";
    b->now = BENCH_START_MS;
    b->opt.wall_offset_ms = (int64_t)BENCH_WALL_S * 1000 - (int64_t)BENCH_START_MS;
    buf_init(&b->in, 1u << 20);
    int err = simplug_new(&b->opt, b->now, &b->plug);
    if (err != MD_OK) {
        bench_free(b);
        return err;
    }
    *out = b;
    return MD_OK;
}

void bench_forget(struct bench *b)
{
    for (size_t i = 0; i < b->n_said; i++)
        mem_free(b->said[i].payload);
    b->n_said = 0;
}

void bench_free(struct bench *b)
{
    if (b == NULL)
        return;
    bench_forget(b);
    simplug_free(b->plug);
    buf_free(&b->in);
    mem_free(b);
}

uint64_t bench_time(const struct bench *b) { return b->now - BENCH_START_MS; }

void bench_cut(struct bench *b)
{
    if (!b->open)
        return;
    b->open = false;
    b->closes++;
    b->level = MQTT_LEVEL_NONE;
    buf_consume(&b->in, b->in.n);
    simplug_closed(b->plug, b->now);
}

void bench_feed(struct bench *b, struct span bytes)
{
    if (!b->drip) {
        simplug_feed(b->plug, bytes, b->now);
        return;
    }
    for (size_t i = 0; i < bytes.n; i++)
        simplug_feed(b->plug, span_of(bytes.p + i, 1), b->now);
}

/* Feeds what `out` holds and frees it. */
static void feed_out(struct bench *b, int err, struct buf *out)
{
    if (err == MD_OK)
        bench_feed(b, buf_view(out));
    buf_free(out);
}

void bench_sign(const char *id, const char *key, const char *stamp, char out[33])
{
    char text[200];
    unsigned char digest[16] = {0};
    int n = snprintf(text, sizeof text, "%s%s%s", id, key, stamp);
    (void)mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_MD5), (const unsigned char *)text,
                     (size_t)n, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void bench_publish(struct bench *b, struct span payload, uint8_t flags)
{
    char topic[64];
    struct buf out;
    (void)snprintf(topic, sizeof topic, "/appliance/%s/subscribe", b->opt.uuid);
    struct mqtt_publish m = {
        .dup = (flags & 8) != 0,
        .retain = (flags & 1) != 0,
        .qos = (enum mqtt_qos)(flags >> 1 & 3),
        .packet_id = (flags & 6) != 0 ? 77 : 0,
        .topic = span_str(topic),
        .payload = payload,
    };
    buf_init(&out, 1u << 20);
    int err = mqtt_put_publish(&out, &m);
    feed_out(b, err, &out);
}

void bench_say(struct bench *b, const char *method, const char *ns, const char *id, int64_t stamp,
               const char *sign, const char *payload)
{
    char digits[24], computed[33];
    struct buf json;
    (void)snprintf(digits, sizeof digits, "%lld", (long long)stamp);
    bench_sign(id, b->key, digits, computed);
    buf_init(&json, 1u << 16);
    int err = buf_putf(&json,
                       "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                       "\"payloadVersion\":1,\"from\":\"/app/0-test/subscribe\",\"timestamp\":%s,"
                       "\"timestampMs\":0,\"sign\":\"%s\"},\"payload\":%s}",
                       id, ns, method, digits, sign != NULL ? sign : computed, payload);
    if (err == MD_OK)
        bench_publish(b, buf_view(&json), 0);
    buf_free(&json);
}

void bench_ask(struct bench *b, const char *method, const char *ns, const char *id,
               const char *payload)
{
    if (id == NULL)
        (void)snprintf(b->last_id, sizeof b->last_id, "%032x", ++b->serial);
    else if (id != b->last_id)
        (void)snprintf(b->last_id, sizeof b->last_id, "%s", id);
    int64_t now_s = ((int64_t)b->now + b->opt.wall_offset_ms) / 1000;
    bench_say(b, method, ns, b->last_id, now_s, NULL, payload);
}

/* Keeps a PUBLISH; messages past the table are counted as broken, so that no test overlooks it. */
static const struct bench_message *keep(struct bench *b, const struct mqtt_publish *m)
{
    const struct sim_json *j = &b->json;
    char *copy = b->n_said < BENCH_MESSAGES ? mem_alloc(m->payload.n + 1) : NULL;
    if (copy == NULL || sim_json_parse(&b->json, m->payload) != MD_OK) {
        b->broken++;
        mem_free(copy);
        return NULL;
    }
    struct bench_message *s = &b->said[b->n_said++];
    *s = (struct bench_message){.at = bench_time(b),
                                .dup = m->dup,
                                .retain = m->retain,
                                .qos = m->qos,
                                .packet_id = m->packet_id,
                                .payload = copy,
                                .n = m->payload.n};
    int h = sim_json_get(j, 0, "header");
    memcpy(copy, m->payload.p, m->payload.n);
    if (!span_to_str(m->topic, s->topic, sizeof s->topic) ||
        !sim_json_str(j, sim_json_get(j, h, "messageId"), s->id, sizeof s->id) ||
        !sim_json_str(j, sim_json_get(j, h, "namespace"), s->ns, sizeof s->ns) ||
        !sim_json_str(j, sim_json_get(j, h, "method"), s->method, sizeof s->method))
        b->broken++;
    return s;
}

static void answer(struct bench *b, const struct bench_message *m)
{
    if (b->ack_bind && strcmp(m->ns, "Appliance.Control.Bind") == 0 &&
        strcmp(m->method, "SET") == 0)
        bench_ask(b, "SETACK", m->ns, m->id, "{}");
    if (b->answer_clock && strcmp(m->ns, "Appliance.System.Clock") == 0) {
        char payload[64];
        (void)snprintf(payload, sizeof payload, "{\"clock\":{\"timestamp\":%lld}}",
                       (long long)(((int64_t)b->now + b->opt.wall_offset_ms) / 1000));
        bench_ask(b, "PUSH", m->ns, m->id, payload);
    }
    if (b->answer_config && strcmp(m->ns, "Appliance.Control.ConsumptionConfig") == 0 &&
        strcmp(m->method, "PUSH") == 0)
        bench_ask(b, "PUSH", m->ns, m->id,
                  "{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}");
}

static void on_connect(struct bench *b, const struct mqtt_connect *c)
{
    struct buf out;
    b->level = c->level;
    b->clean_session = c->clean_session;
    b->will = c->has_will;
    b->keep_alive_s = c->keep_alive_s;
    b->connect_at = bench_time(b);
    if (!span_to_str(c->client_id, b->client_id, sizeof b->client_id) ||
        !span_to_str(c->username, b->username, sizeof b->username) ||
        !span_to_str(c->password, b->password, sizeof b->password))
        b->broken++;
    if (b->no_connack)
        return;
    buf_init(&out, 64);
    int err = mqtt_put_connack(&out, false, b->connack);
    feed_out(b, err, &out);
}

static void on_subscribe(struct bench *b, struct mqtt_filters *f)
{
    struct buf out;
    struct span filter;
    uint8_t code = MQTT_QOS1;
    b->first_id = f->packet_id;
    if (!mqtt_next_filter(f, &filter, &b->filter_qos) ||
        !span_to_str(filter, b->filter, sizeof b->filter))
        b->broken++;
    buf_init(&out, 64);
    int err = mqtt_put_suback(&out, f->packet_id, span_of(&code, 1));
    feed_out(b, err, &out);
}

static void on_publish(struct bench *b, const struct mqtt_publish *m)
{
    struct buf out;
    const struct bench_message *kept = keep(b, m);
    buf_init(&out, 64);
    int err = b->no_puback ? MD_OK : mqtt_put_ack(&out, MQTT_PUBACK, m->packet_id);
    feed_out(b, err, &out);
    if (kept != NULL)
        answer(b, kept);
}

static void on_ping(struct bench *b)
{
    struct buf out;
    b->pings++;
    b->ping_at = bench_time(b);
    buf_init(&out, 64);
    int err = b->no_pong ? MD_OK : mqtt_put_pingresp(&out);
    feed_out(b, err, &out);
}

static void on_packet(struct bench *b, struct mqtt_packet *m)
{
    switch (m->type) {
    case MQTT_CONNECT:
        on_connect(b, &m->u.connect);
        return;
    case MQTT_SUBSCRIBE:
        on_subscribe(b, &m->u.filters);
        return;
    case MQTT_PUBLISH:
        on_publish(b, &m->u.publish);
        return;
    case MQTT_PUBACK:
        b->pubacks++;
        return;
    case MQTT_PINGREQ:
        on_ping(b);
        return;
    case MQTT_DISCONNECT:
        b->disconnects++;
        b->disconnect_at = bench_time(b);
        return;
    case MQTT_CONNACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_SUBACK:
    case MQTT_UNSUBSCRIBE:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP:
        b->broken++;
        return;
    }
}

/* Decodes one whole packet, if there is one; false when there is none. */
static bool read_one(struct bench *b)
{
    struct mqtt_packet m;
    const char *rule = "";
    size_t len = 0;
    int err = mqtt_frame(buf_view(&b->in), 0, &len);
    if (err == MD_AGAIN)
        return false;
    struct buf packet = {0};
    buf_init(&packet, 1u << 20);
    if (err == MD_OK)
        err = buf_put(&packet, span_of(b->in.p, len));
    if (err == MD_OK)
        err = mqtt_decode(buf_view(&packet), b->level, &m, &rule);
    buf_consume(&b->in, err == MD_OK ? len : b->in.n);
    if (err == MD_OK)
        on_packet(b, &m);
    else
        b->broken++;
    buf_free(&packet);
    return true;
}

/* Carries what the plug has to say; true while there is more to do at this moment. */
static bool carry(struct bench *b)
{
    struct span out = simplug_output(b->plug);
    if (out.n == 0)
        return false;
    if (out.n > b->longest_piece)
        b->longest_piece = out.n;
    if (buf_put(&b->in, out) != MD_OK)
        b->broken++;
    simplug_sent(b->plug, out.n);
    while (read_one(b))
        continue;
    return true;
}

static uint64_t turn(struct bench *b)
{
    if (!b->open && simplug_wants_connect(b->plug, b->now)) {
        b->open = true;
        b->connects++;
        simplug_connected(b->plug, b->now);
    }
    uint64_t due = simplug_tick(b->plug, b->now);
    while (b->open && carry(b))
        due = simplug_tick(b->plug, b->now);
    if (b->open && simplug_wants_close(b->plug))
        bench_cut(b);
    return b->open ? due : simplug_tick(b->plug, b->now);
}

void bench_run(struct bench *b, uint64_t ms)
{
    uint64_t end = b->now + ms;
    for (unsigned turns = 0; turns < BENCH_TURNS; turns++) {
        uint64_t due = turn(b);
        if (due > end) {
            b->now = end;
            return;
        }
        b->now = due > b->now ? due : b->now;
    }
    MD_ASSERT(false);
}

const struct bench_message *bench_find(const struct bench *b, const char *ns, const char *method,
                                       size_t nth)
{
    for (size_t i = 0; i < b->n_said; i++) {
        const struct bench_message *m = &b->said[i];
        if (strcmp(m->ns, ns) == 0 && strcmp(m->method, method) == 0 && nth-- == 0)
            return m;
    }
    return NULL;
}

size_t bench_count(const struct bench *b, const char *ns, const char *method)
{
    size_t n = 0;
    while (bench_find(b, ns, method, n) != NULL)
        n++;
    return n;
}

const struct bench_message *bench_answer(const struct bench *b)
{
    for (size_t i = 0; i < b->n_said; i++) {
        if (strcmp(b->said[i].id, b->last_id) == 0)
            return &b->said[i];
    }
    return NULL;
}

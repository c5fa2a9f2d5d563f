#include "tests/bench/client.h"

#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"

#define IN_MAX  (4u * 1024 * 1024)
#define OUT_MAX (64u * 1024 * 1024)
#define CHUNK   65536u

static void end(struct client *c, const char *why)
{
    if (c->stage == CLIENT_ENDED)
        return;
    c->stage = CLIENT_ENDED;
    c->why = why;
    c->calls->ended(c);
}

int client_open(struct client *c, const struct link_way *way)
{
    c->stage = CLIENT_DIALLING;
    c->to_subscribe = 0;
    c->packet_id = 0;
    buf_init(&c->in, IN_MAX);
    buf_init(&c->out, OUT_MAX);
    int err = link_open(way, &c->link);
    return err == MD_OK && c->session != NULL ? link_resume(c->link, c->session) : err;
}

void client_close(struct client *c)
{
    link_close(c->link);
    c->link = NULL;
    buf_free(&c->in);
    buf_free(&c->out);
    c->stage = CLIENT_ENDED;
}

void client_forget(struct client *c)
{
    link_session_free(c->session);
    c->session = NULL;
}

static int put_connect(struct client *c)
{
    struct mqtt_connect it = {.level = c->level3 ? MQTT_3_1 : MQTT_3_1_1,
                              .clean_session = !c->keep,
                              .client_id = span_str(c->id),
                              .has_username = c->username != NULL,
                              .has_password = c->username != NULL,
                              .username = span_str(c->username != NULL ? c->username : ""),
                              .password = span_str(c->username != NULL ? c->password : "")};
    return mqtt_put_connect(&c->out, &it);
}

static uint16_t next_id(struct client *c)
{
    if (++c->packet_id == 0)
        c->packet_id = 1;
    return c->packet_id;
}

static void ready(struct client *c)
{
    c->stage = CLIENT_READY;
    c->calls->ready(c);
}

/* All filters at once; the list is as long as the load wants it. */
static int subscribe(struct client *c)
{
    int err = MD_OK;
    c->stage = CLIENT_SUBSCRIBING;
    for (unsigned i = 0; err == MD_OK && c->filters != NULL && c->filters[i] != NULL; i++) {
        err = mqtt_put_subscribe(&c->out, next_id(c), span_str(c->filters[i]), c->qos);
        c->to_subscribe++;
    }
    if (err == MD_OK && c->to_subscribe == 0)
        ready(c);
    return err;
}

static int answer(struct client *c, const struct mqtt_packet *p)
{
    uint16_t id = p->u.publish.packet_id;
    switch (p->type) {
    case MQTT_CONNACK:
        if (p->u.connack.code == MQTT_ACCEPTED)
            return subscribe(c);
        end(c, "CONNECT was refused");
        return MD_OK;
    case MQTT_SUBACK:
        if (--c->to_subscribe == 0)
            ready(c);
        return MD_OK;
    case MQTT_PUBLISH:
        c->calls->message(c, &p->u.publish);
        if (p->u.publish.qos == MQTT_QOS0)
            return MD_OK;
        return mqtt_put_ack(&c->out, p->u.publish.qos == MQTT_QOS1 ? MQTT_PUBACK : MQTT_PUBREC, id);
    case MQTT_PUBREC:
        return mqtt_put_ack(&c->out, MQTT_PUBREL, p->u.ack.packet_id);
    case MQTT_PUBREL:
        return mqtt_put_ack(&c->out, MQTT_PUBCOMP, p->u.ack.packet_id);
    case MQTT_PUBACK:
    case MQTT_PUBCOMP:
        c->calls->released(c);
        return MD_OK;
    case MQTT_CONNECT:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
    case MQTT_UNSUBACK:
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
    case MQTT_DISCONNECT:
        break;
    }
    return MD_PROTO;
}

/* Everything whole in c->in. */
static void take_packets(struct client *c)
{
    struct span rest = buf_view(&c->in);
    while (c->stage != CLIENT_ENDED && rest.n > 0) {
        struct mqtt_packet p;
        const char *rule;
        size_t len;
        int err = mqtt_frame(rest, IN_MAX, &len);
        if (err == MD_AGAIN)
            break;
        if (err == MD_OK)
            err = mqtt_decode_client(span_of(rest.p, len), &p, &rule);
        if (err == MD_OK)
            err = answer(c, &p);
        if (err != MD_OK) {
            end(c, "what the broker sent was not understood");
            return;
        }
        rest = span_skip(rest, len);
    }
    buf_consume(&c->in, c->in.n - rest.n);
}

static void receive(struct client *c)
{
    size_t n = CHUNK;
    while (c->stage != CLIENT_ENDED && n == CHUNK) {
        if (buf_reserve(&c->in, CHUNK) != MD_OK) {
            end(c, "out of memory");
            return;
        }
        int err = link_read(c->link, c->in.p + c->in.n, CHUNK, &n);
        if (err == MD_AGAIN)
            return;
        if (err != MD_OK) {
            end(c, "the broker closed the connection");
            return;
        }
        c->in.n += n;
        take_packets(c);
    }
}

void client_flush(struct client *c)
{
    size_t done = 0, n;
    int err = MD_OK;
    while (c->stage != CLIENT_ENDED && done < c->out.n && err == MD_OK) {
        err = link_write(c->link, span_of(c->out.p + done, c->out.n - done), &n);
        if (err == MD_OK)
            done += n;
    }
    buf_consume(&c->out, done);
    if (err != MD_OK && err != MD_AGAIN)
        end(c, "the broker closed the connection");
}

void client_work(struct client *c)
{
    if (c->stage == CLIENT_DIALLING) {
        int err = link_handshake(c->link);
        if (err == MD_AGAIN)
            return;
        if (err == MD_OK && c->resume)
            err = link_keep_session(c->link, &c->session);
        if (err == MD_OK)
            err = put_connect(c);
        if (err != MD_OK) {
            end(c, err == MD_TLS ? "TLS failed" : "the connection failed");
            return;
        }
        c->stage = CLIENT_CONNECTING;
    }
    if (!c->stalled || c->stage != CLIENT_READY)
        receive(c);
    client_flush(c);
}

int client_publish(struct client *c, struct mqtt_publish *m)
{
    if (m->qos != MQTT_QOS0)
        m->packet_id = next_id(c);
    return mqtt_put_publish(&c->out, m);
}

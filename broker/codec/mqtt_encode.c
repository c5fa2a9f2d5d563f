#include "broker/codec/mqtt_encode.h"

#include "broker/base/check.h"

#define STRING_MAX 65535 /* bytes [MQTT 1.5.3] */

size_t mqtt_head_before(uint8_t *end, uint8_t first, size_t remaining)
{
    MD_ASSERT(remaining <= MQTT_REMAINING_MAX);
    size_t n = remaining < 128 ? 2 : remaining < 16384 ? 3 : remaining < 2097152 ? 4 : 5;
    uint8_t *p = end - n;
    *p++ = first;
    for (; p < end - 1; remaining >>= 7)
        *p++ = (uint8_t)(remaining | 0x80);
    *p = (uint8_t)remaining;
    return n;
}

/* Makes room for a whole packet and writes its fixed header; *body is where the `remaining`
 * bytes belong, which the caller now writes without a way to fail. */
static int open_packet(struct buf *out, uint8_t first, size_t remaining, uint8_t **body)
{
    if (remaining > MQTT_REMAINING_MAX)
        return MD_TOOBIG;
    uint8_t head[MQTT_HEAD_MAX];
    size_t n = mqtt_head_before(head + sizeof head, first, remaining);
    int err = buf_reserve(out, n + remaining);
    if (err != MD_OK)
        return err;
    memcpy(out->p + out->n, head + sizeof head - n, n);
    *body = out->p + out->n + n;
    out->n += n + remaining;
    return MD_OK;
}

static uint8_t *put_u8(uint8_t *p, unsigned v)
{
    *p = (uint8_t)v;
    return p + 1;
}

static uint8_t *put_u16(uint8_t *p, unsigned v) { return put_u8(put_u8(p, v >> 8), v); }

static uint8_t *put_bytes(uint8_t *p, struct span s)
{
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return p + s.n;
}

static uint8_t *put_bin16(uint8_t *p, struct span s)
{
    return put_bytes(put_u16(p, (unsigned)s.n), s);
}

/* A packet of nothing but its header. */
static int put_bare(struct buf *out, enum mqtt_type type)
{
    uint8_t *p;
    return open_packet(out, (uint8_t)(type << 4), 0, &p);
}

int mqtt_put_connack(struct buf *out, bool session_present, enum mqtt_connack code)
{
    uint8_t *p;
    int err = open_packet(out, MQTT_CONNACK << 4, 2, &p);
    if (err != MD_OK)
        return err;
    (void)put_u8(put_u8(p, session_present), code);
    return MD_OK;
}

int mqtt_put_publish(struct buf *out, const struct mqtt_publish *q)
{
    size_t id_n = q->qos == MQTT_QOS0 ? 0 : 2;
    if (q->topic.n > STRING_MAX || q->payload.n > MQTT_REMAINING_MAX)
        return MD_TOOBIG;
    uint8_t *p;
    int err = open_packet(out, mqtt_publish_byte(q->dup, q->qos, q->retain),
                          2 + q->topic.n + id_n + q->payload.n, &p);
    if (err != MD_OK)
        return err;
    p = put_bin16(p, q->topic);
    if (id_n > 0)
        p = put_u16(p, q->packet_id);
    (void)put_bytes(p, q->payload);
    return MD_OK;
}

int mqtt_put_ack(struct buf *out, enum mqtt_type type, uint16_t packet_id)
{
    unsigned flags = type == MQTT_PUBREL ? 2 : 0; /* [MQTT-3.6.1-1] */
    uint8_t *p;
    int err = open_packet(out, (uint8_t)((unsigned)type << 4 | flags), 2, &p);
    if (err != MD_OK)
        return err;
    (void)put_u16(p, packet_id);
    return MD_OK;
}

int mqtt_put_suback(struct buf *out, uint16_t packet_id, struct span codes)
{
    if (codes.n > MQTT_REMAINING_MAX)
        return MD_TOOBIG;
    uint8_t *p;
    int err = open_packet(out, MQTT_SUBACK << 4, 2 + codes.n, &p);
    if (err != MD_OK)
        return err;
    (void)put_bytes(put_u16(p, packet_id), codes);
    return MD_OK;
}

int mqtt_put_pingresp(struct buf *out) { return put_bare(out, MQTT_PINGRESP); }

int mqtt_put_pingreq(struct buf *out) { return put_bare(out, MQTT_PINGREQ); }

int mqtt_put_disconnect(struct buf *out) { return put_bare(out, MQTT_DISCONNECT); }

static unsigned connect_flags(const struct mqtt_connect *c)
{
    unsigned will = c->has_will ? 4u | (unsigned)c->will_qos << 3 | (c->will_retain ? 32u : 0) : 0;
    return (c->clean_session ? 2u : 0) | will | (c->has_password ? 64u : 0) |
           (c->has_username ? 128u : 0);
}

/* The strings of the payload in their order [MQTT-3.1.3-1]; returns how many. */
static size_t connect_fields(const struct mqtt_connect *c, struct span field[5])
{
    size_t n = 0;
    field[n++] = c->client_id;
    if (c->has_will) {
        field[n++] = c->will_topic;
        field[n++] = c->will_payload;
    }
    if (c->has_username)
        field[n++] = c->username;
    if (c->has_password)
        field[n++] = c->password;
    return n;
}

int mqtt_put_connect(struct buf *out, const struct mqtt_connect *c)
{
    if (c->has_password && !c->has_username)
        return MD_INVAL;
    MD_ASSERT(c->level == MQTT_3_1 || c->level == MQTT_3_1_1);
    struct span protocol = span_str(c->level == MQTT_3_1 ? "MQIsdp" : "MQTT");
    struct span field[5];
    size_t fields = connect_fields(c, field);
    size_t remaining = 2 + protocol.n + 1 + 1 + 2;
    for (size_t i = 0; i < fields; i++) {
        if (field[i].n > STRING_MAX)
            return MD_TOOBIG;
        remaining += 2 + field[i].n;
    }
    uint8_t *p;
    int err = open_packet(out, MQTT_CONNECT << 4, remaining, &p);
    if (err != MD_OK)
        return err;
    p = put_bin16(p, protocol);
    p = put_u8(p, (unsigned)c->level | (c->bridge ? 0x80u : 0));
    p = put_u8(p, connect_flags(c));
    p = put_u16(p, c->keep_alive_s);
    for (size_t i = 0; i < fields; i++)
        p = put_bin16(p, field[i]);
    return MD_OK;
}

/* One filter; `after` bytes are left for the caller behind it, at *end.  The flags are 0010
 * [MQTT-3.8.1-1] [MQTT-3.10.1-1]. */
static int put_filter(struct buf *out, enum mqtt_type type, uint16_t packet_id, struct span filter,
                      size_t after, uint8_t **end)
{
    if (filter.n > STRING_MAX)
        return MD_TOOBIG;
    uint8_t *p;
    int err = open_packet(out, (uint8_t)((unsigned)type << 4 | 2), 4 + filter.n + after, &p);
    if (err != MD_OK)
        return err;
    *end = put_bin16(put_u16(p, packet_id), filter);
    return MD_OK;
}

int mqtt_put_subscribe(struct buf *out, uint16_t packet_id, struct span filter, enum mqtt_qos qos)
{
    uint8_t *p;
    int err = put_filter(out, MQTT_SUBSCRIBE, packet_id, filter, 1, &p);
    if (err != MD_OK)
        return err;
    (void)put_u8(p, qos);
    return MD_OK;
}

int mqtt_put_unsubscribe(struct buf *out, uint16_t packet_id, struct span filter)
{
    uint8_t *p;
    return put_filter(out, MQTT_UNSUBSCRIBE, packet_id, filter, 0, &p);
}

#include "broker/codec/mqtt_decode.h"

#include "broker/base/check.h"
#include "broker/base/rd.h"
#include "broker/codec/topic.h"
#include "broker/codec/utf8.h"

#define LENGTH_BYTES 4 /* of Remaining Length at most [MQTT 2.2.3] */

/* One packet while it is taken apart. */
struct parse {
    uint8_t flags; /* low half of the first byte */
    enum mqtt_level level;
    struct rd body; /* what follows the fixed header */
    const char **rule;
};

static int broken(struct parse *d, const char *statement)
{
    *d->rule = statement;
    return MD_PROTO;
}

int mqtt_frame(struct span in, size_t max_len, size_t *len)
{
    *len = 0;
    size_t remaining = 0, i = 0;
    uint8_t byte;
    do {
        if (i == LENGTH_BYTES)
            return MD_PROTO;
        if (i + 1 >= in.n)
            return MD_AGAIN;
        byte = in.p[i + 1];
        remaining |= (size_t)(byte & 0x7f) << 7 * i;
        i++;
    } while (byte & 0x80);
    size_t whole = 1 + i + remaining;
    if (max_len != 0 && whole > max_len)
        return MD_TOOBIG;
    *len = whole;
    return whole <= in.n ? MD_OK : MD_AGAIN;
}

/* The bytes behind the fixed header. */
static struct rd body_of(struct span pkt)
{
    size_t head = 1;
    while (head < pkt.n && (pkt.p[head] & 0x80))
        head++;
    MD_ASSERT(head < pkt.n);
    return rd_of((struct span){pkt.p + head + 1, pkt.n - head - 1});
}

/* 3.1 defines the flags for all packets and lets clients set DUP on a retry, so only 3.1.1 has
 * reserved bits [MQTT-2.2.2-1]. */
static bool flags_are(const struct parse *d, unsigned wanted)
{
    return d->level == MQTT_3_1 || d->flags == wanted;
}

/* NULL for a string, else the statement it breaks: `statement` is the one that makes this field
 * a string. */
static const char *string_fault(struct span s, const char *statement)
{
    if (utf8_valid(s))
        return NULL;
    return memchr(s.p, 0, s.n) != NULL ? "[MQTT-1.5.3-2]" : statement;
}

/* NULL for a Topic Name.  `wildcard` is the statement that forbids wildcards in this field. */
static const char *topic_fault(struct span s, const char *statement, const char *wildcard)
{
    if (topic_name_valid(s))
        return NULL;
    if (s.n == 0)
        return "[MQTT-4.7.3-1]";
    const char *fault = string_fault(s, statement);
    return fault != NULL ? fault : wildcard;
}

/* NULL for a Topic Filter. */
static const char *filter_fault(struct span s, const char *statement)
{
    if (topic_filter_valid(s))
        return NULL;
    if (s.n == 0)
        return "[MQTT-4.7.3-1]";
    const char *fault = string_fault(s, statement);
    if (fault != NULL)
        return fault;
    const uint8_t *hash = memchr(s.p, '#', s.n);
    size_t at = hash != NULL ? (size_t)(hash - s.p) : 0;
    bool hash_good = hash == NULL || (at + 1 == s.n && (at == 0 || s.p[at - 1] == '/'));
    return hash_good ? "[MQTT-4.7.1-3]" : "[MQTT-4.7.1-2]";
}

/* ---- CONNECT ------------------------------------------------------------------------------- */

#define CONNECT_CLEAN       0x02
#define CONNECT_WILL        0x04
#define CONNECT_WILL_QOS    3 /* shift */
#define CONNECT_WILL_RETAIN 0x20
#define CONNECT_PASSWORD    0x40
#define CONNECT_USERNAME    0x80
#define LEVEL_BRIDGE        0x80 /* bit 7 of the level byte */

static int read_level(struct parse *d, struct mqtt_connect *c)
{
    struct span name = rd_bin16(&d->body);
    bool new_name = span_is(name, "MQTT");
    if (!rd_ok(&d->body) || (!new_name && !span_is(name, "MQIsdp")))
        return broken(d, "[MQTT-3.1.2-1]");
    uint8_t byte = rd_u8(&d->body);
    if (!rd_ok(&d->body))
        return broken(d, "[MQTT-3.1.4-1]");
    enum mqtt_level fits = new_name ? MQTT_3_1_1 : MQTT_3_1;
    c->level = (byte & ~LEVEL_BRIDGE) == (int)fits ? fits : MQTT_LEVEL_UNSUPPORTED;
    c->bridge = c->level == fits && (byte & LEVEL_BRIDGE) != 0;
    return MD_OK;
}

/* The rules of 3.1.1 about flags that say nothing; 3.1 does not have them. */
static const char *idle_flags_fault(uint8_t flags)
{
    if (flags & 1)
        return "[MQTT-3.1.2-3]";
    if (flags & CONNECT_WILL)
        return NULL;
    if (flags >> CONNECT_WILL_QOS & 3)
        return "[MQTT-3.1.2-13]";
    return flags & CONNECT_WILL_RETAIN ? "[MQTT-3.1.2-15]" : NULL;
}

static int read_flags(struct parse *d, struct mqtt_connect *c)
{
    uint8_t flags = rd_u8(&d->body);
    c->keep_alive_s = rd_u16(&d->body);
    if (!rd_ok(&d->body))
        return broken(d, "[MQTT-3.1.4-1]");
    const char *fault = d->level == MQTT_3_1 ? NULL : idle_flags_fault(flags);
    if (fault != NULL)
        return broken(d, fault);
    c->clean_session = (flags & CONNECT_CLEAN) != 0;
    c->has_username = (flags & CONNECT_USERNAME) != 0;
    c->has_password = (flags & CONNECT_PASSWORD) != 0;
    if (c->has_password && !c->has_username)
        return broken(d, "[MQTT-3.1.2-22]");
    c->has_will = (flags & CONNECT_WILL) != 0;
    if (!c->has_will)
        return MD_OK;
    unsigned qos = flags >> CONNECT_WILL_QOS & 3;
    if (qos == 3)
        return broken(d, "[MQTT-3.1.2-14]");
    c->will_qos = (enum mqtt_qos)qos;
    c->will_retain = (flags & CONNECT_WILL_RETAIN) != 0;
    return MD_OK;
}

static int read_will(struct parse *d, struct mqtt_connect *c)
{
    c->will_topic = rd_bin16(&d->body);
    c->will_payload = rd_bin16(&d->body);
    if (!rd_ok(&d->body))
        return broken(d, "[MQTT-3.1.2-9]");
    const char *fault = topic_fault(c->will_topic, "[MQTT-3.1.3-10]", "[MQTT-4.7.1-1]");
    return fault != NULL ? broken(d, fault) : MD_OK;
}

/* A field whose flag is set.  In 3.1 Remaining Length wins over the flag, and the field is
 * absent when nothing is left. */
static bool read_flagged(struct parse *d, bool *has, struct span *field)
{
    if (*has && d->level == MQTT_3_1 && rd_done(&d->body))
        *has = false;
    if (*has)
        *field = rd_bin16(&d->body);
    return rd_ok(&d->body);
}

static int read_credentials(struct parse *d, struct mqtt_connect *c)
{
    if (!read_flagged(d, &c->has_username, &c->username))
        return broken(d, "[MQTT-3.1.2-19]");
    const char *fault = string_fault(c->username, "[MQTT-3.1.3-11]");
    if (fault != NULL)
        return broken(d, fault);
    if (!read_flagged(d, &c->has_password, &c->password))
        return broken(d, "[MQTT-3.1.2-21]");
    if (rd_done(&d->body))
        return MD_OK;
    return broken(d, !c->has_username   ? "[MQTT-3.1.2-18]"
                     : !c->has_password ? "[MQTT-3.1.2-20]"
                                        : "[MQTT-3.1.4-1]");
}

/* Client Identifier, Will Topic, Will Message, User Name, Password, in this order
 * [MQTT-3.1.3-1]. */
static int read_connect_payload(struct parse *d, struct mqtt_connect *c)
{
    c->client_id = rd_bin16(&d->body);
    if (!rd_ok(&d->body))
        return broken(d, "[MQTT-3.1.3-3]");
    const char *fault = string_fault(c->client_id, "[MQTT-3.1.3-4]");
    if (fault != NULL)
        return broken(d, fault);
    int err = c->has_will ? read_will(d, c) : MD_OK;
    return err != MD_OK ? err : read_credentials(d, c);
}

static int decode_connect(struct parse *d, struct mqtt_connect *out)
{
    struct mqtt_connect c = {0};
    int err = read_level(d, &c);
    if (err != MD_OK)
        return err;
    d->level = c.level;
    if (c.level != MQTT_LEVEL_UNSUPPORTED) {
        if (!flags_are(d, 0))
            return broken(d, "[MQTT-2.2.2-2]");
        err = read_flags(d, &c);
        if (err == MD_OK)
            err = read_connect_payload(d, &c);
        if (err != MD_OK)
            return err;
    }
    *out = c;
    return MD_OK;
}

/* ---- the other packets --------------------------------------------------------------------- */

static int decode_publish(struct parse *d, struct mqtt_publish *out)
{
    unsigned qos = d->flags >> 1 & 3;
    bool dup = (d->flags & 8) != 0;
    if (qos == 3)
        return broken(d, "[MQTT-3.3.1-4]");
    if (dup && qos == 0 && d->level != MQTT_3_1)
        return broken(d, "[MQTT-3.3.1-2]");
    struct mqtt_publish p = {.qos = (enum mqtt_qos)qos, .retain = (d->flags & 1) != 0};
    p.dup = dup && qos != 0; /* 3.1 does not define DUP for QoS 0: nobody is to see it */
    p.topic = rd_bin16(&d->body);
    if (!rd_ok(&d->body))
        return broken(d, "[MQTT-3.3.2-1]");
    const char *fault = topic_fault(p.topic, "[MQTT-3.3.2-1]", "[MQTT-3.3.2-2]");
    if (fault != NULL)
        return broken(d, fault);
    if (qos != 0) {
        p.packet_id = rd_u16(&d->body);
        if (p.packet_id == 0) /* also when it is missing */
            return broken(d, "[MQTT-2.3.1-1]");
    }
    p.payload = rd_rest(&d->body);
    *out = p;
    return MD_OK;
}

/* A packet that is a Packet Identifier and nothing else.  `statement` says whose it must be. */
static int decode_ack(struct parse *d, const char *statement, struct mqtt_ack *out)
{
    uint16_t packet_id = rd_u16(&d->body);
    if (!rd_done(&d->body))
        return broken(d, "[MQTT-4.8.0-1]");
    if (packet_id == 0)
        return broken(d, statement);
    out->packet_id = packet_id;
    return MD_OK;
}

static int decode_empty(struct parse *d)
{
    return rd_done(&d->body) ? MD_OK : broken(d, "[MQTT-4.8.0-1]");
}

/* One filter off the body: NULL, or the statement that is broken. */
static const char *subscribe_item_fault(struct rd *r)
{
    struct span filter = rd_bin16(r);
    uint8_t qos = rd_u8(r);
    if (!rd_ok(r))
        return "[MQTT-3.8.3-3]";
    const char *fault = filter_fault(filter, "[MQTT-3.8.3-1]");
    if (fault != NULL)
        return fault;
    return qos > MQTT_QOS2 ? "[MQTT-3-8.3-4]" : NULL;
}

static const char *unsubscribe_item_fault(struct rd *r)
{
    struct span filter = rd_bin16(r);
    return rd_ok(r) ? filter_fault(filter, "[MQTT-3.10.3-1]") : "[MQTT-3.10.3-1]";
}

static int decode_filters(struct parse *d, const char *(*item_fault)(struct rd *r),
                          const char *none, struct mqtt_filters *out)
{
    struct mqtt_filters f = {.packet_id = rd_u16(&d->body)};
    if (f.packet_id == 0)
        return broken(d, "[MQTT-2.3.1-1]");
    f.list = (struct span){d->body.p, rd_left(&d->body)};
    if (f.list.n == 0)
        return broken(d, none);
    for (; !rd_done(&d->body); f.count++) {
        const char *fault = item_fault(&d->body);
        if (fault != NULL)
            return broken(d, fault);
    }
    *out = f;
    return MD_OK;
}

bool mqtt_next_filter(struct mqtt_filters *f, struct span *filter, enum mqtt_qos *qos)
{
    if (f->list.n == 0)
        return false;
    struct rd r = rd_of(f->list);
    *filter = rd_bin16(&r);
    if (qos != NULL)
        *qos = (enum mqtt_qos)rd_u8(&r);
    MD_ASSERT(rd_ok(&r));
    f->list = rd_rest(&r);
    return true;
}

/* The statement about the flags in the first byte that 3.1.1 sees broken, or NULL. */
static const char *flags_fault(const struct parse *d, enum mqtt_type type)
{
    switch (type) {
    case MQTT_PUBREL:
        return flags_are(d, 2) ? NULL : "[MQTT-3.6.1-1]";
    case MQTT_SUBSCRIBE:
        return flags_are(d, 2) ? NULL : "[MQTT-3.8.1-1]";
    case MQTT_UNSUBSCRIBE:
        return flags_are(d, 2) ? NULL : "[MQTT-3.10.1-1]";
    case MQTT_DISCONNECT:
        return flags_are(d, 0) ? NULL : "[MQTT-3.14.1-1]";
    case MQTT_CONNACK:
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
        return flags_are(d, 0) ? NULL : "[MQTT-2.2.2-2]";
    case MQTT_CONNECT: /* knows its level only later */
    case MQTT_PUBLISH: /* these flags are fields     */
        return NULL;
    }
    return NULL;
}

/* ---- what a server receives ---------------------------------------------------------------- */

static int decode_body(struct parse *d, enum mqtt_type type, struct mqtt_packet *out)
{
    switch (type) {
    case MQTT_PUBLISH:
        return decode_publish(d, &out->u.publish);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        return decode_ack(d, "[MQTT-2.3.1-6]", &out->u.ack);
    case MQTT_SUBSCRIBE:
        return decode_filters(d, subscribe_item_fault, "[MQTT-3.8.3-3]", &out->u.filters);
    case MQTT_UNSUBSCRIBE:
        return decode_filters(d, unsubscribe_item_fault, "[MQTT-3.10.3-2]", &out->u.filters);
    case MQTT_PINGREQ:
    case MQTT_DISCONNECT:
        return decode_empty(d);
    case MQTT_CONNECT:
        return broken(d, "[MQTT-3.1.0-2]");
    case MQTT_CONNACK:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP:
        return broken(d, "[MQTT-4.8.0-1]"); /* only a server sends these */
    }
    return broken(d, "[MQTT 2.2.1]"); /* types 0 and 15 are forbidden */
}

static int decode_first(struct parse *d, enum mqtt_type type, struct mqtt_packet *out)
{
    return type == MQTT_CONNECT ? decode_connect(d, &out->u.connect) : broken(d, "[MQTT-3.1.0-1]");
}

typedef int (*decode_body_cb)(struct parse *d, enum mqtt_type type, struct mqtt_packet *out);

static int decode_with(decode_body_cb decode, struct span pkt, enum mqtt_level level,
                       struct mqtt_packet *out, const char **rule)
{
    struct parse d = {.body = body_of(pkt), .level = level, .rule = rule};
    enum mqtt_type type = (enum mqtt_type)(pkt.p[0] >> 4);
    d.flags = pkt.p[0] & 15;
    const char *fault = level == MQTT_LEVEL_NONE ? NULL : flags_fault(&d, type);
    int err = fault != NULL ? broken(&d, fault) : decode(&d, type, out);
    if (err == MD_OK)
        out->type = type;
    return err;
}

int mqtt_decode(struct span pkt, enum mqtt_level level, struct mqtt_packet *out, const char **rule)
{
    return decode_with(level == MQTT_LEVEL_NONE ? decode_first : decode_body, pkt, level, out,
                       rule);
}

/* ---- what a client receives ---------------------------------------------------------------- */

static int decode_connack(struct parse *d, struct mqtt_connack_packet *out)
{
    uint8_t flags = rd_u8(&d->body);
    uint8_t code = rd_u8(&d->body);
    if (!rd_done(&d->body) || code > MQTT_REFUSED_NOT_AUTHORIZED)
        return broken(d, "[MQTT-4.8.0-1]");
    if (flags > 1)
        return broken(d, "[MQTT-2.2.2-1]");
    if (flags != 0 && code != MQTT_ACCEPTED)
        return broken(d, "[MQTT-3.2.2-4]");
    *out = (struct mqtt_connack_packet){flags != 0, (enum mqtt_connack)code};
    return MD_OK;
}

static int decode_suback(struct parse *d, struct mqtt_suback *out)
{
    struct mqtt_suback s = {.packet_id = rd_u16(&d->body)};
    if (s.packet_id == 0)
        return broken(d, "[MQTT-2.3.1-7]");
    s.codes = rd_rest(&d->body);
    if (s.codes.n == 0)
        return broken(d, "[MQTT-3.8.4-5]");
    for (size_t i = 0; i < s.codes.n; i++) {
        if (s.codes.p[i] > MQTT_QOS2 && s.codes.p[i] != MQTT_SUBACK_FAILURE)
            return broken(d, "[MQTT-3.9.3-2]");
    }
    *out = s;
    return MD_OK;
}

static int decode_client_body(struct parse *d, enum mqtt_type type, struct mqtt_packet *out)
{
    switch (type) {
    case MQTT_CONNACK:
        return decode_connack(d, &out->u.connack);
    case MQTT_PUBLISH:
        return decode_publish(d, &out->u.publish);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
        return decode_ack(d, "[MQTT-2.3.1-6]", &out->u.ack);
    case MQTT_SUBACK:
        return decode_suback(d, &out->u.suback);
    case MQTT_UNSUBACK:
        return decode_ack(d, "[MQTT-2.3.1-7]", &out->u.ack);
    case MQTT_PINGRESP:
        return decode_empty(d);
    case MQTT_CONNECT:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
    case MQTT_PINGREQ:
    case MQTT_DISCONNECT:
        return broken(d, "[MQTT-4.8.0-1]"); /* only a client sends these */
    }
    return broken(d, "[MQTT 2.2.1]");
}

int mqtt_decode_client(struct span pkt, struct mqtt_packet *out, const char **rule)
{
    return decode_with(decode_client_body, pkt, MQTT_3_1_1, out, rule);
}

/* fuzz_decode.c - a stream of bytes through mqtt_frame() and mqtt_decode().
 *
 * The first byte chooses who reads: 0 a server before CONNECT (which then goes on with the
 * level it found), 1 a server on 3.1, 2 one on 3.1.1, 3 a client. */
#include "broker/base/buf.h"
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "broker/codec/topic.h"
#include "broker/codec/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span pkt)
{
    MD_ASSERT(part.n == 0 ||
              (part.p >= pkt.p && part.n <= pkt.n && part.p <= pkt.p + pkt.n - part.n));
}

static void check_connect(struct span pkt, const struct mqtt_connect *c)
{
    const struct span all[] = {c->client_id, c->will_topic, c->will_payload, c->username,
                               c->password};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        check_inside(all[i], pkt);
    if (c->level == MQTT_LEVEL_UNSUPPORTED)
        return;
    MD_ASSERT(c->level == MQTT_3_1 || c->level == MQTT_3_1_1);
    MD_ASSERT(utf8_valid(c->client_id) && utf8_valid(c->username));
    MD_ASSERT(c->has_will ? topic_name_valid(c->will_topic) : !c->will_retain && !c->will_qos);
    MD_ASSERT(c->has_username || !c->has_password);
}

/* What was read, written again, is what was read; only Remaining Length may have been longer than
 * needed. */
static void check_same(struct span pkt, const struct buf *again)
{
    size_t head = pkt.n, head_again = again->n;
    for (size_t i = 1; head == pkt.n; i++)
        head = pkt.p[i] & 0x80 ? head : i + 1;
    for (size_t i = 1; head_again == again->n; i++)
        head_again = again->p[i] & 0x80 ? head_again : i + 1;
    MD_ASSERT(head_again <= head);
    MD_ASSERT(span_eq(span_skip(pkt, head), span_skip(buf_view(again), head_again)));
}

static void check_publish(struct span pkt, const struct mqtt_publish *p)
{
    check_inside(p->topic, pkt);
    check_inside(p->payload, pkt);
    MD_ASSERT(topic_name_valid(p->topic));
    MD_ASSERT((p->qos == MQTT_QOS0) == (p->packet_id == 0));
    MD_ASSERT(p->qos != MQTT_QOS0 || !p->dup);
    struct buf again;
    buf_init(&again, pkt.n);
    MD_ASSERT(mqtt_put_publish(&again, p) == MD_OK);
    unsigned ignored = p->qos == MQTT_QOS0 ? 8 : 0; /* DUP, which 3.1 does not define there */
    MD_ASSERT((again.p[0] | ignored) == (pkt.p[0] | ignored));
    check_same(pkt, &again);
    buf_free(&again);
}

static void check_filters(struct span pkt, struct mqtt_filters f, bool with_qos)
{
    unsigned seen = 0;
    struct span filter;
    enum mqtt_qos qos = MQTT_QOS0;
    MD_ASSERT(f.packet_id != 0 && f.count > 0);
    while (mqtt_next_filter(&f, &filter, with_qos ? &qos : NULL)) {
        check_inside(filter, pkt);
        MD_ASSERT(topic_filter_valid(filter));
        MD_ASSERT((unsigned)qos <= MQTT_QOS2);
        seen++;
    }
    MD_ASSERT(seen == f.count);
}

static void check_packet(struct span pkt, const struct mqtt_packet *p)
{
    MD_ASSERT(p->type == (enum mqtt_type)(pkt.p[0] >> 4));
    switch (p->type) {
    case MQTT_CONNECT:
        check_connect(pkt, &p->u.connect);
        break;
    case MQTT_CONNACK:
        MD_ASSERT(pkt.n >= 4 && p->u.connack.code <= MQTT_REFUSED_NOT_AUTHORIZED);
        break;
    case MQTT_PUBLISH:
        check_publish(pkt, &p->u.publish);
        break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_UNSUBACK:
        MD_ASSERT(pkt.n >= 4 && p->u.ack.packet_id != 0);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        check_filters(pkt, p->u.filters, p->type == MQTT_SUBSCRIBE);
        break;
    case MQTT_SUBACK:
        check_inside(p->u.suback.codes, pkt);
        MD_ASSERT(p->u.suback.codes.n > 0);
        break;
    case MQTT_PINGREQ:
    case MQTT_PINGRESP:
    case MQTT_DISCONNECT:
        break;
    }
}

/* One packet; false when the connection would be closed. */
static bool read_packet(struct span pkt, unsigned who, enum mqtt_level *level)
{
    struct mqtt_packet p;
    const char *rule = NULL;
    int err = who == 3 ? mqtt_decode_client(pkt, &p, &rule) : mqtt_decode(pkt, *level, &p, &rule);
    if (err != MD_OK) {
        MD_ASSERT(err == MD_PROTO && rule != NULL && rule[0] == '[');
        return false;
    }
    check_packet(pkt, &p);
    if (p.type == MQTT_CONNECT)
        *level = p.u.connect.level;
    return *level != MQTT_LEVEL_UNSUPPORTED;
}

static void read_stream(struct span in, unsigned who)
{
    static const enum mqtt_level levels[] = {MQTT_LEVEL_NONE, MQTT_3_1, MQTT_3_1_1, MQTT_3_1_1};
    enum mqtt_level level = levels[who];
    size_t len;
    int err;
    while ((err = mqtt_frame(in, 1 << 20, &len)) == MD_OK) {
        MD_ASSERT(len >= 2 && len <= in.n);
        /* A copy of its own: one byte too many is seen. */
        uint8_t *pkt = mem_dup(in.p, len);
        MD_ASSERT(pkt != NULL);
        bool goes_on = read_packet(span_of(pkt, len), who, &level);
        mem_free(pkt);
        if (!goes_on)
            return;
        in = span_skip(in, len);
    }
    MD_ASSERT(err == MD_AGAIN ? len == 0 || len > in.n : len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        read_stream(span_of(data + 1, size - 1), data[0] & 3);
    MD_ASSERT(mem_used() == 0);
    return 0;
}

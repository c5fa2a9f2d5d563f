/* Packets to bytes, and back again. */
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "tests/unit/no_leak.h"

#define PLENTY (1u << 20)

static void check_bytes(const struct buf *b, const char *want, size_t n)
{
    assert_int_equal(b->n, n);
    assert_memory_equal(b->p, want, n);
}

#define CHECK_BYTES(b, text) check_bytes(b, text, sizeof(text) - 1)

/* [MQTT-3.2.2-1] to [MQTT-3.2.2-4]: the values come from the caller */
static void test_connack(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    assert_int_equal(mqtt_put_connack(&b, false, MQTT_ACCEPTED), MD_OK);
    assert_int_equal(mqtt_put_connack(&b, true, MQTT_ACCEPTED), MD_OK);
    assert_int_equal(mqtt_put_connack(&b, false, MQTT_REFUSED_LEVEL), MD_OK);
    assert_int_equal(mqtt_put_connack(&b, false, MQTT_REFUSED_NOT_AUTHORIZED), MD_OK);
    CHECK_BYTES(&b, "\x20\2\0\0\x20\2\1\0\x20\2\0\1\x20\2\0\5");
    buf_free(&b);
}

static void test_publish(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    struct mqtt_publish p = {.topic = span_str("a/b"), .payload = span_str("xy")};
    assert_int_equal(mqtt_put_publish(&b, &p), MD_OK);
    CHECK_BYTES(&b, "\x30\7\0\3a/bxy");
    buf_consume(&b, b.n);
    p = (struct mqtt_publish){.dup = true,
                              .retain = true,
                              .qos = MQTT_QOS2,
                              .packet_id = 0x1234,
                              .topic = span_str("a/b")};
    assert_int_equal(mqtt_put_publish(&b, &p), MD_OK);
    CHECK_BYTES(&b, "\x3d\7\0\3a/b\x12\x34");
    buf_free(&b);
}

static void test_acks(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    assert_int_equal(mqtt_put_ack(&b, MQTT_PUBACK, 1), MD_OK);
    assert_int_equal(mqtt_put_ack(&b, MQTT_PUBREC, 0x102), MD_OK);
    assert_int_equal(mqtt_put_ack(&b, MQTT_PUBREL, 3), MD_OK); /* [MQTT-3.6.1-1] */
    assert_int_equal(mqtt_put_ack(&b, MQTT_PUBCOMP, 4), MD_OK);
    assert_int_equal(mqtt_put_ack(&b, MQTT_UNSUBACK, 0xffff), MD_OK);
    CHECK_BYTES(&b, "\x40\2\0\1\x50\2\1\2\x62\2\0\3\x70\2\0\4\xb0\2\xff\xff");
    buf_free(&b);
}

static void test_small_packets(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    assert_int_equal(mqtt_put_suback(&b, 7, span_of("\0\1\2\x80", 4)), MD_OK);
    assert_int_equal(mqtt_put_pingresp(&b), MD_OK);
    assert_int_equal(mqtt_put_pingreq(&b), MD_OK);
    assert_int_equal(mqtt_put_disconnect(&b), MD_OK);
    CHECK_BYTES(&b, "\x90\6\0\7\0\1\2\x80\xd0\0\xc0\0\xe0\0");
    buf_free(&b);
}

/* [MQTT-3.8.1-1] [MQTT-3.10.1-1] */
static void test_subscribe(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    assert_int_equal(mqtt_put_subscribe(&b, 1, span_str("a/#"), MQTT_QOS1), MD_OK);
    assert_int_equal(mqtt_put_unsubscribe(&b, 2, span_str("a/#")), MD_OK);
    CHECK_BYTES(&b, "\x82\x08\0\1\0\3a/#\1\xa2\x07\0\2\0\3a/#");
    buf_free(&b);
}

static void test_connect(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    struct mqtt_connect c = {.level = MQTT_3_1, .client_id = span_str("id"), .keep_alive_s = 120};
    assert_int_equal(mqtt_put_connect(&b, &c), MD_OK);
    CHECK_BYTES(&b, "\x10\x10\0\6MQIsdp\3\0\0\x78\0\2id");
    buf_consume(&b, b.n);
    c = (struct mqtt_connect){.level = MQTT_3_1_1, .bridge = true, .clean_session = true};
    assert_int_equal(mqtt_put_connect(&b, &c), MD_OK);
    CHECK_BYTES(&b, "\x10\x0c\0\4MQTT\x84\2\0\0\0\0");
    buf_consume(&b, b.n);
    c = (struct mqtt_connect){.level = MQTT_3_1_1,
                              .client_id = span_str("id"),
                              .has_will = true,
                              .will_retain = true,
                              .will_qos = MQTT_QOS1,
                              .will_topic = span_str("t"),
                              .will_payload = span_str("m"),
                              .has_username = true,
                              .has_password = true,
                              .username = span_str("u"),
                              .password = span_str("p")};
    assert_int_equal(mqtt_put_connect(&b, &c), MD_OK);
    CHECK_BYTES(&b, "\x10\x1a\0\4MQTT\4\xec\0\0\0\2id\0\1t\0\1m\0\1u\0\1p");
    c.has_username = false; /* [MQTT-3.1.2-22] */
    assert_int_equal(mqtt_put_connect(&b, &c), MD_INVAL);
    assert_int_equal(b.n, 0x1c);
    buf_free(&b);
}

/* ---- there and back ------------------------------------------------------------------------ */

static struct mqtt_packet received(const struct buf *b, enum mqtt_level level)
{
    struct mqtt_packet p;
    const char *rule = "none";
    size_t len;
    assert_int_equal(mqtt_frame(buf_view(b), 0, &len), MD_OK);
    assert_int_equal(len, b->n);
    if (mqtt_decode(buf_view(b), level, &p, &rule) != MD_OK)
        fail_msg("%s", rule);
    return p;
}

static struct mqtt_packet received_by_client(const struct buf *b)
{
    struct mqtt_packet p;
    const char *rule = "none";
    if (mqtt_decode_client(buf_view(b), &p, &rule) != MD_OK)
        fail_msg("%s", rule);
    return p;
}

static void check_connect(const struct mqtt_connect *a, const struct mqtt_connect *b)
{
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->bridge, b->bridge);
    assert_int_equal(a->clean_session, b->clean_session);
    assert_int_equal(a->keep_alive_s, b->keep_alive_s);
    assert_int_equal(a->has_will, b->has_will);
    assert_int_equal(a->will_retain, b->will_retain);
    assert_int_equal(a->will_qos, b->will_qos);
    assert_int_equal(a->has_username, b->has_username);
    assert_int_equal(a->has_password, b->has_password);
    assert_true(span_eq(a->client_id, b->client_id));
    assert_true(span_eq(a->will_topic, b->will_topic));
    assert_true(span_eq(a->will_payload, b->will_payload));
    assert_true(span_eq(a->username, b->username));
    assert_true(span_eq(a->password, b->password));
}

/* One CONNECT per combination of the bits of `bits`. */
static struct mqtt_connect connect_of(unsigned bits)
{
    struct mqtt_connect c = {.level = bits & 1 ? MQTT_3_1 : MQTT_3_1_1,
                             .bridge = (bits & 2) != 0,
                             .clean_session = (bits & 4) != 0,
                             .keep_alive_s = (uint16_t)(bits * 257),
                             .client_id = span_str("a client")};
    if (bits & 8) {
        c.has_will = true;
        c.will_retain = (bits & 16) != 0;
        c.will_qos = bits & 32 ? MQTT_QOS2 : MQTT_QOS1;
        c.will_topic = span_str("will/topic");
        c.will_payload = span_str("gone");
    }
    if (bits & 64) {
        c.has_username = true;
        c.username = span_str("user");
    }
    if ((bits & 192) == 192) {
        c.has_password = true;
        c.password = span_str("secret");
    }
    return c;
}

static void test_connect_round_trip(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 256; bits++) {
        struct mqtt_connect c = connect_of(bits);
        struct buf b;
        buf_init(&b, PLENTY);
        assert_int_equal(mqtt_put_connect(&b, &c), MD_OK);
        struct mqtt_packet p = received(&b, MQTT_LEVEL_NONE);
        check_connect(&p.u.connect, &c);
        buf_free(&b);
    }
}

static void publish_round_trip(enum mqtt_level level, enum mqtt_qos qos, bool dup, bool retain)
{
    struct mqtt_publish q = {.dup = dup && qos != MQTT_QOS0,
                             .retain = retain,
                             .qos = qos,
                             .packet_id = qos != MQTT_QOS0 ? 513 : 0,
                             .topic = span_str("some/topic"),
                             .payload = span_of("\0\xff", 2)};
    struct buf b;
    buf_init(&b, PLENTY);
    assert_int_equal(mqtt_put_publish(&b, &q), MD_OK);
    struct mqtt_packet p = received(&b, level), at_client = received_by_client(&b);
    assert_int_equal(p.type, MQTT_PUBLISH);
    assert_int_equal(p.u.publish.dup, q.dup);
    assert_int_equal(p.u.publish.retain, q.retain);
    assert_int_equal(p.u.publish.qos, q.qos);
    assert_int_equal(p.u.publish.packet_id, q.packet_id);
    assert_true(span_eq(p.u.publish.topic, q.topic));
    assert_true(span_eq(p.u.publish.payload, q.payload));
    assert_true(span_eq(at_client.u.publish.payload, q.payload));
    buf_free(&b);
}

static void test_publish_round_trip(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 24; bits++) {
        enum mqtt_qos qos = (enum mqtt_qos)(bits / 8);
        publish_round_trip(bits & 1 ? MQTT_3_1 : MQTT_3_1_1, qos, (bits & 2) != 0, (bits & 4) != 0);
    }
}

static void test_ack_round_trip(void **state)
{
    (void)state;
    static const enum mqtt_type types[] = {MQTT_PUBACK, MQTT_PUBREC, MQTT_PUBREL, MQTT_PUBCOMP,
                                           MQTT_UNSUBACK};
    for (size_t i = 0; i < 5; i++) {
        struct buf b;
        buf_init(&b, PLENTY);
        assert_int_equal(mqtt_put_ack(&b, types[i], 0x8001), MD_OK);
        struct mqtt_packet p = received_by_client(&b);
        assert_int_equal(p.type, types[i]);
        assert_int_equal(p.u.ack.packet_id, 0x8001);
        if (types[i] != MQTT_UNSUBACK)
            assert_int_equal(received(&b, MQTT_3_1_1).u.ack.packet_id, 0x8001);
        buf_free(&b);
    }
}

static void test_server_packets_round_trip(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    for (unsigned code = MQTT_ACCEPTED; code <= MQTT_REFUSED_NOT_AUTHORIZED; code++) {
        assert_int_equal(mqtt_put_connack(&b, code == 0, (enum mqtt_connack)code), MD_OK);
        struct mqtt_packet p = received_by_client(&b);
        assert_int_equal(p.type, MQTT_CONNACK);
        assert_int_equal(p.u.connack.code, code);
        assert_int_equal(p.u.connack.session_present, code == 0);
        buf_consume(&b, b.n);
    }
    assert_int_equal(mqtt_put_suback(&b, 9, span_of("\2\x80", 2)), MD_OK);
    struct mqtt_packet p = received_by_client(&b);
    assert_int_equal(p.u.suback.packet_id, 9);
    assert_true(span_eq(p.u.suback.codes, span_of("\2\x80", 2)));
    buf_consume(&b, b.n);
    assert_int_equal(mqtt_put_pingresp(&b), MD_OK);
    assert_int_equal(received_by_client(&b).type, MQTT_PINGRESP);
    buf_free(&b);
}

static void test_client_packets_round_trip(void **state)
{
    (void)state;
    struct buf b;
    struct span filter;
    enum mqtt_qos qos;
    buf_init(&b, PLENTY);
    assert_int_equal(mqtt_put_subscribe(&b, 77, span_str("x/+"), MQTT_QOS2), MD_OK);
    struct mqtt_packet p = received(&b, MQTT_3_1_1);
    assert_int_equal(p.u.filters.packet_id, 77);
    assert_true(mqtt_next_filter(&p.u.filters, &filter, &qos));
    assert_true(span_is(filter, "x/+"));
    assert_int_equal(qos, MQTT_QOS2);
    buf_consume(&b, b.n);
    assert_int_equal(mqtt_put_unsubscribe(&b, 78, span_str("x/+")), MD_OK);
    p = received(&b, MQTT_3_1_1);
    assert_int_equal(p.u.filters.packet_id, 78);
    assert_true(mqtt_next_filter(&p.u.filters, &filter, NULL));
    assert_true(span_is(filter, "x/+"));
    buf_consume(&b, b.n);
    assert_int_equal(mqtt_put_pingreq(&b), MD_OK);
    assert_int_equal(received(&b, MQTT_3_1_1).type, MQTT_PINGREQ);
    buf_consume(&b, b.n);
    assert_int_equal(mqtt_put_disconnect(&b), MD_OK);
    assert_int_equal(received(&b, MQTT_3_1).type, MQTT_DISCONNECT);
    buf_free(&b);
}

/* ---- limits -------------------------------------------------------------------------------- */

/* [MQTT 2.2.3], table 2.4 */
static void test_head(void **state)
{
    (void)state;
    static const struct {
        size_t remaining, n;
        const char *bytes;
    } heads[] = {
        {0, 2, "\x30\x00"},
        {127, 2, "\x30\x7f"},
        {128, 3, "\x30\x80\x01"},
        {16383, 3, "\x30\xff\x7f"},
        {16384, 4, "\x30\x80\x80\x01"},
        {2097151, 4, "\x30\xff\xff\x7f"},
        {2097152, 5, "\x30\x80\x80\x80\x01"},
        {268435455, 5, "\x30\xff\xff\xff\x7f"},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        uint8_t room[MQTT_HEAD_MAX + 1];
        memset(room, 0xa5, sizeof room);
        assert_int_equal(mqtt_head_before(room + MQTT_HEAD_MAX, 0x30, heads[i].remaining),
                         heads[i].n);
        assert_memory_equal(room + MQTT_HEAD_MAX - heads[i].n, heads[i].bytes, heads[i].n);
        assert_int_equal(room[MQTT_HEAD_MAX], 0xa5);
        if (heads[i].n < MQTT_HEAD_MAX)
            assert_int_equal(room[MQTT_HEAD_MAX - heads[i].n - 1], 0xa5);
        size_t len;
        struct span head = {room + MQTT_HEAD_MAX - heads[i].n, heads[i].n};
        assert_int_equal(mqtt_frame(head, 0, &len), heads[i].remaining ? MD_AGAIN : MD_OK);
        assert_int_equal(len, heads[i].n + heads[i].remaining);
    }
}

/* Whole packets around each length of the header, through decode. */
static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {127, 128, 16383, 16384, 2097151, 2097152};
    uint8_t *payload = mem_alloc(2097152);
    assert_non_null(payload);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct mqtt_publish q = {.topic = span_str("t"), .payload = {payload, sizes[i] - 3}};
        struct buf b;
        buf_init(&b, 4 * PLENTY);
        assert_int_equal(mqtt_put_publish(&b, &q), MD_OK);
        assert_int_equal(received(&b, MQTT_3_1_1).u.publish.payload.n, sizes[i] - 3);
        buf_free(&b);
    }
    mem_free(payload);
}

static void check_toobig(struct buf *b, int err)
{
    assert_int_equal(err, MD_TOOBIG);
    assert_int_equal(b->n, 0);
}

static void test_longest_strings(void **state)
{
    (void)state;
    char *text = mem_alloc_raw(65536);
    assert_non_null(text);
    memset(text, 'a', 65536);
    struct span longest = span_of(text, 65535), over = span_of(text, 65536);
    struct buf b;
    buf_init(&b, PLENTY);
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .has_will = true,
                             .has_username = true,
                             .has_password = true,
                             .client_id = longest,
                             .will_topic = longest,
                             .will_payload = longest,
                             .username = longest,
                             .password = longest};
    assert_int_equal(mqtt_put_connect(&b, &c), MD_OK);
    struct mqtt_packet p = received(&b, MQTT_LEVEL_NONE);
    check_connect(&p.u.connect, &c);
    buf_consume(&b, b.n);
    struct mqtt_publish q = {.topic = longest};
    assert_int_equal(mqtt_put_publish(&b, &q), MD_OK);
    assert_int_equal(received(&b, MQTT_3_1).u.publish.topic.n, 65535);
    buf_consume(&b, b.n);
    assert_int_equal(mqtt_put_subscribe(&b, 1, longest, MQTT_QOS0), MD_OK);
    assert_int_equal(received(&b, MQTT_3_1).u.filters.count, 1);
    buf_consume(&b, b.n);

    struct span *const fields[] = {&c.client_id, &c.will_topic, &c.will_payload, &c.username,
                                   &c.password};
    for (size_t i = 0; i < 5; i++) {
        *fields[i] = over;
        check_toobig(&b, mqtt_put_connect(&b, &c));
        *fields[i] = longest;
    }
    q.topic = over;
    check_toobig(&b, mqtt_put_publish(&b, &q));
    check_toobig(&b, mqtt_put_subscribe(&b, 1, over, MQTT_QOS0));
    check_toobig(&b, mqtt_put_unsubscribe(&b, 1, over));
    buf_free(&b);
    mem_free(text);
}

/* Lengths only: the bytes are never looked at when the answer is no. */
static void test_past_remaining_max(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    struct mqtt_publish q = {.topic = span_str("t")};
    q.payload = (struct span){(const uint8_t *)"", MQTT_REMAINING_MAX - 2};
    check_toobig(&b, mqtt_put_publish(&b, &q));
    q.payload.n = SIZE_MAX;
    check_toobig(&b, mqtt_put_publish(&b, &q));
    check_toobig(&b, mqtt_put_suback(&b, 1, span_of("", MQTT_REMAINING_MAX - 1)));
    check_toobig(&b, mqtt_put_suback(&b, 1, span_of("", SIZE_MAX)));
    q.payload.n = MQTT_REMAINING_MAX - 3; /* fits, but there is no memory */
    mem_fail_after(1);
    assert_int_equal(mqtt_put_publish(&b, &q), MD_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

/* Appended whole or not at all, at each ceiling. */
static void test_ceiling(void **state)
{
    (void)state;
    struct mqtt_publish q = {.topic = span_str("t"), .payload = span_str("xyz")};
    for (size_t max = 0; max <= 10; max++) {
        struct buf b;
        buf_init(&b, max);
        assert_int_equal(mqtt_put_pingreq(&b), max >= 2 ? MD_OK : MD_TOOBIG);
        size_t before = b.n;
        int err = mqtt_put_publish(&b, &q);
        assert_int_equal(err, max >= 10 ? MD_OK : MD_TOOBIG);
        assert_int_equal(b.n, before + (err == MD_OK ? 8 : 0));
        buf_free(&b);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, PLENTY);
    struct mqtt_connect c = {.level = MQTT_3_1_1};
    mem_fail_after(1);
    assert_int_equal(mqtt_put_connect(&b, &c), MD_NOMEM);
    assert_int_equal(mqtt_put_connack(&b, false, MQTT_ACCEPTED), MD_NOMEM);
    assert_int_equal(mqtt_put_ack(&b, MQTT_PUBACK, 1), MD_NOMEM);
    assert_int_equal(mqtt_put_suback(&b, 1, span_of("\0", 1)), MD_NOMEM);
    assert_int_equal(mqtt_put_subscribe(&b, 1, span_str("a"), MQTT_QOS0), MD_NOMEM);
    assert_int_equal(mqtt_put_unsubscribe(&b, 1, span_str("a")), MD_NOMEM);
    assert_int_equal(mqtt_put_pingresp(&b), MD_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connack),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_acks),
        cmocka_unit_test(test_small_packets),
        cmocka_unit_test(test_subscribe),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_connect_round_trip),
        cmocka_unit_test(test_publish_round_trip),
        cmocka_unit_test(test_ack_round_trip),
        cmocka_unit_test(test_server_packets_round_trip),
        cmocka_unit_test(test_client_packets_round_trip),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_longest_strings),
        cmocka_unit_test(test_past_remaining_max),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_no_memory),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The whole broker without sockets: what needs a stepped clock, a failing allocator or a look
 * inside.  What bytes on a socket can show is in tests/spec. */
#include "broker/codec/mqtt_encode.h"
#include "tests/unit/core/bench.h"

#include <stdio.h>

/* MQTT 3.1.4: no CONNECT in reasonable time.  At the limit and one past it. */
static void a_silent_connection_is_closed_after_ten_seconds(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    wire_open(&w, b->broker, 0);
    wire_send(&w, span_of("\x10\x20\x00", 3)); /* part of a packet is no packet: F20 */
    step(b, 9999);
    wire_take(&w);
    assert_false(w.closed);
    step(b, 1);
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

/* [MQTT-3.1.2-24]: one and a half times the Keep Alive, at the limit and one past it. */
static void keep_alive_is_one_and_a_half_times(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct mqtt_connect c = {.level = MQTT_3_1,
                             .clean_session = true,
                             .keep_alive_s = 120,
                             .client_id = span_str("plug")};
    setup(b);
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &c);
    expect(&w, MQTT_CONNACK);
    step(b, 179000);
    wire_ping(&w); /* starts it anew */
    expect(&w, MQTT_PINGRESP);
    step(b, 179999);
    wire_take(&w);
    assert_false(w.closed);
    step(b, 1);
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

static void keep_alive_zero_is_off(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    connected(&w, b, "x", true);
    step(b, UINT64_C(10) * 365 * 86400 * 1000);
    wire_ping(&w);
    expect(&w, MQTT_PINGRESP);
    wire_close(&w);
    finish(b);
}

static void max_connections_refuses_politely(void **state)
{
    struct bench *b = *state;
    struct wire w[3];
    broker_limits_default(&b->limits);
    b->limits.max_connections = 2;
    setup_with(b, NULL);
    connected(&w[0], b, "a", true);
    connected(&w[1], b, "b", true);
    wire_open(&w[2], b->broker, 0);
    wire_connect(&w[2], "c", true, MQTT_3_1_1);
    assert_int_equal(expect(&w[2], MQTT_CONNACK).u.connack.code, MQTT_REFUSED_UNAVAILABLE);
    assert_true(w[2].closed);
    wire_close(&w[2]);
    connected(&w[2], b, "a", true); /* who takes its own place is not one more */
    wire_close(&w[2]);
    wire_close(&w[0]);
    (void)broker_turn(b->broker);
    connected(&w[2], b, "c", true);
    wire_close(&w[1]);
    wire_close(&w[2]);
    finish(b);
}

/* F131 F135 F144: a stalled subscriber keeps max_queued_messages, then newer ones are dropped;
 * its own acknowledgements are not. */
static void a_stalled_subscriber_drops_the_newest(void **state)
{
    struct bench *b = *state;
    struct wire slow, fast;
    struct broker_stats stats;
    broker_limits_default(&b->limits);
    b->limits.max_queued_messages = 10;
    setup_with(b, NULL);
    connected(&slow, b, "slow", true);
    connected(&fast, b, "fast", true);
    wire_subscribe(&slow, "t", MQTT_QOS0);
    expect(&slow, MQTT_SUBACK);
    char payload[2] = "0";
    for (unsigned i = 0; i < 12; i++) {
        payload[0] = (char)('a' + i);
        wire_publish(&fast, "t", payload, MQTT_QOS1, false, (uint16_t)(i + 1));
        expect(&fast, MQTT_PUBACK); /* [MQTT-4.5.0-1] F75 */
    }
    wire_ping(&slow);
    expect(&slow, MQTT_PINGRESP); /* before the messages */
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(expect(&slow, MQTT_PUBLISH).u.publish.payload.p[0], 'a' + i);
    expect_nothing(&slow);
    broker_stats(b->broker, &stats);
    assert_int_equal(stats.dropped, 2);
    wire_close(&slow);
    wire_close(&fast);
    finish(b);
}

/* A replay larger than the queue limit arrives whole. */
static void retained_messages_are_not_cut_by_the_queue_limit(void **state)
{
    struct bench *b = *state;
    struct wire w;
    broker_limits_default(&b->limits);
    b->limits.max_queued_messages = 10;
    setup_with(b, NULL);
    connected(&w, b, "a", true);
    char topic[16];
    for (unsigned i = 0; i < 500; i++) {
        (void)snprintf(topic, sizeof topic, "r/%u", i);
        wire_publish(&w, topic, "x", MQTT_QOS0, true, 0);
    }
    wire_subscribe(&w, "r/#", MQTT_QOS1);
    expect(&w, MQTT_SUBACK);
    for (unsigned i = 0; i < 500; i++)
        assert_true(expect(&w, MQTT_PUBLISH).u.publish.retain);
    expect_nothing(&w);
    wire_close(&w);
    finish(b);
}

/* F5 F8: nothing is reserved for a length that is only claimed. */
static void memory_follows_received_bytes_not_claims(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    connected(&w, b, "a", true);
    wire_take(&w);
    size_t before = mem_used();
    const uint8_t claim[] = {0x30, 0x80, 0x80, 0x40}; /* 1 MiB follows, it says */
    wire_send(&w, span_of(claim, sizeof claim));
    assert_true(mem_used() - before < 1024);
    wire_close(&w);
    finish(b);
}

/* A large packet in pieces of every size, mixed with small ones. */
static void packets_may_be_cut_anywhere(void **state)
{
    struct bench *b = *state;
    struct wire in, out;
    static char big[3000];
    memset(big, 'x', sizeof big - 1);
    setup(b);
    connected(&out, b, "out", true);
    wire_subscribe(&out, "#", MQTT_QOS0);
    expect(&out, MQTT_SUBACK);
    struct buf bytes;
    buf_init(&bytes, SIZE_MAX);
    struct mqtt_publish small = {.topic = span_str("s"), .payload = span_str("1")};
    struct mqtt_publish large = {.topic = span_str("l"), .payload = span_str(big)};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(mqtt_put_publish(&bytes, &small), MD_OK);
        assert_int_equal(mqtt_put_publish(&bytes, &large), MD_OK);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        connected(&in, b, "in", true);
        for (size_t at = 0; at < bytes.n; at += piece)
            wire_send(&in, span_of(bytes.p + at, piece < bytes.n - at ? piece : bytes.n - at));
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(expect(&out, MQTT_PUBLISH).u.publish.payload.n, 1);
            struct mqtt_packet p = expect(&out, MQTT_PUBLISH);
            assert_true(span_is(p.u.publish.payload, big));
        }
        expect_nothing(&out);
        wire_close(&in);
        (void)broker_turn(b->broker);
    }
    buf_free(&bytes);
    wire_close(&out);
    finish(b);
}

/* One packet may name "#" thousands of times; the replay ends with the queue. */
static void a_replay_is_bounded(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_stats stats;
    struct buf packet;
    setup(b);
    connected(&w, b, "a", true);
    char topic[16];
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(topic, sizeof topic, "r/%u", i);
        wire_publish(&w, topic, "x", MQTT_QOS0, true, 0);
    }
    buf_init(&packet, SIZE_MAX);
    const uint8_t head[] = {0x82, 0xa2, 0x9c, 0x01, 0, 1}; /* 2 + 5,000 filters of 4 bytes */
    assert_int_equal(buf_put(&packet, span_of(head, sizeof head)), MD_OK);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(buf_put(&packet, span_of("\0\1#", 4)), MD_OK);
    wire_send(&w, buf_view(&packet));
    buf_free(&packet);
    expect(&w, MQTT_SUBACK);
    unsigned n = 0;
    struct mqtt_packet p;
    while (wire_next(&w, &p))
        n++;
    assert_int_equal(n, 1000 + 200); /* max_queued_messages and one whole replay */
    broker_stats(b->broker, &stats);
    assert_int_equal(stats.dropped, 1);
    wire_close(&w);
    finish(b);
}

/* When the program stood still, what clients sent meanwhile is read before they are judged. */
static void a_stall_of_ours_does_not_expire_clients(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct mqtt_connect c = {
        .level = MQTT_3_1_1, .clean_session = true, .keep_alive_s = 2, .client_id = span_str("x")};
    setup(b);
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &c);
    expect(&w, MQTT_CONNACK);
    step(b, 20000);
    wire_take(&w);
    assert_false(w.closed);
    wire_ping(&w);
    expect(&w, MQTT_PINGRESP);
    step(b, 2999);
    wire_take(&w);
    assert_false(w.closed);
    step(b, 1);
    wire_take(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

static void broker_disconnect_ends_a_client(void **state)
{
    struct bench *b = *state;
    struct wire w;
    setup(b);
    connected(&w, b, "x", true);
    assert_false(broker_disconnect(b->broker, span_str("y"), "test"));
    assert_true(broker_disconnect(b->broker, span_str("x"), "test"));
    assert_true(w.woken);
    wire_take(&w);
    assert_true(w.closed);
    assert_false(broker_disconnect(b->broker, span_str("x"), "test"));
    wire_close(&w);
    finish(b);
}

/* [MQTT-4.8.0-2], F141: every allocation of a two-client dialogue fails in turn; nothing crashes,
 * nothing leaks, and a bystander goes on. */
static void dialogue(struct bench *b, long fail_after)
{
    struct wire a, c;
    struct mqtt_packet p;
    struct mqtt_connect will = {.level = MQTT_3_1_1,
                                .has_will = true,
                                .will_qos = MQTT_QOS1,
                                .will_topic = span_str("will"),
                                .will_payload = span_str("x"),
                                .client_id = span_str("a"),
                                .has_username = true,
                                .username = span_str("user")};
    wire_open(&a, b->broker, 0);
    wire_open(&c, b->broker, 0);
    a.fail_after = c.fail_after = &fail_after;
    wire_connect_with(&a, &will);
    wire_connect(&c, "", true, MQTT_3_1_1);
    wire_subscribe(&c, "a/+/#", MQTT_QOS2);
    wire_subscribe(&c, "will", MQTT_QOS2);
    wire_publish(&a, "a/b/c", "hello", MQTT_QOS2, true, 1);
    wire_ack(&a, MQTT_PUBREL, 1);
    wire_publish(&a, "a/b", "world", MQTT_QOS1, false, 2);
    wire_subscribe(&a, "#", MQTT_QOS1);
    a.fail_after = c.fail_after = NULL;
    while (wire_next(&c, &p) || wire_next(&a, &p))
        if (p.type == MQTT_PUBLISH && p.u.publish.qos == MQTT_QOS2)
            wire_ack(&c, MQTT_PUBREC, p.u.publish.packet_id);
    wire_lose(&a);
    while (wire_next(&c, &p))
        ;
    (void)broker_turn(b->broker);
    wire_close(&a);
    wire_close(&c);
    (void)broker_turn(b->broker);
}

static void a_conn_that_there_is_no_memory_for(void **state)
{
    struct bench *b = *state;
    struct conn_peer peer = {.address = "192.0.2.1:1"};
    struct conn *c = NULL;
    int err = MD_NOMEM;
    setup(b);
    size_t before = mem_used();
    for (long n = 1; err == MD_NOMEM && n < 10; n++) {
        assert_int_equal(mem_used(), before);
        mem_fail_after(n);
        err = conn_new(&c, b->broker, &peer, (struct conn_io){NULL, NULL});
        mem_fail_after(-1);
    }
    assert_int_equal(err, MD_OK);
    assert_string_equal(conn_address(c), "192.0.2.1:1");
    conn_lost(c, "");
    finish(b);
}

static void out_of_memory_costs_one_connection(void **state)
{
    struct bench *b = *state;
    for (long n = 1; n < 120; n++) {
        struct wire bystander;
        setup(b);
        connected(&bystander, b, "bystander", true);
        wire_subscribe(&bystander, "alive", MQTT_QOS1);
        expect(&bystander, MQTT_SUBACK);
        dialogue(b, n);
        wire_publish(&bystander, "alive", "yes", MQTT_QOS1, false, 9);
        expect(&bystander, MQTT_PUBACK);
        expect(&bystander, MQTT_PUBLISH);
        wire_close(&bystander);
        finish(b);
    }
}

int main(void)
{
    static struct bench bench;
    void *initial = &bench;
#define T(f) cmocka_unit_test_prestate(f, initial)
    const struct CMUnitTest tests[] = {
        T(a_silent_connection_is_closed_after_ten_seconds),
        T(keep_alive_is_one_and_a_half_times),
        T(keep_alive_zero_is_off),
        T(max_connections_refuses_politely),
        T(a_stalled_subscriber_drops_the_newest),
        T(retained_messages_are_not_cut_by_the_queue_limit),
        T(memory_follows_received_bytes_not_claims),
        T(packets_may_be_cut_anywhere),
        T(a_replay_is_bounded),
        T(a_stall_of_ours_does_not_expire_clients),
        T(broker_disconnect_ends_a_client),
        T(a_conn_that_there_is_no_memory_for),
        T(out_of_memory_costs_one_connection),
    };
#undef T
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

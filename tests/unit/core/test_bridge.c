/* Two brokers joined by two arrays: what crosses, what survives, what a hostile remote can do. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "broker/core/bridge.h"
#include "broker/core/bridge_echo.h"
#include "tests/fake/fake_env.h"
#include "tests/fake/fake_wire.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

struct side {
    struct store *store;
    struct broker *broker;
};

struct bench {
    struct fake_env fake;
    struct side near, far;
    struct bridge *bridge;
    struct wire ours, theirs; /* the two ends of the connection; `ours` is the bridge's */
    unsigned ups, downs;
    bool at_once;
    char why[160];
};

static void on_down(void *ctx, const char *why, bool at_once)
{
    struct bench *b = ctx;
    b->downs++;
    b->at_once = at_once;
    (void)snprintf(b->why, sizeof b->why, "%s", why);
}

static void on_up(void *ctx) { ((struct bench *)ctx)->ups++; }

static const struct bridge_topic topics[] = {{"out/#", BRIDGE_OUT, 2, "l/", "r/"},
                                             {"in/#", BRIDGE_IN, 2, "l/", "r/"},
                                             {"x/#", BRIDGE_BOTH, 2, "", ""}};

static struct bridge_config config(void)
{
    return (struct bridge_config){.name = "b",
                                  .local_id = "local.b",
                                  .remote_id = "b",
                                  .topics = topics,
                                  .n_topics = 3,
                                  .level = 4,
                                  .keepalive_s = 60,
                                  .try_private = true,
                                  .outgoing_retain = true};
}

static void start(struct bench *b, struct side *s)
{
    struct broker_limits limits;
    broker_limits_default(&limits);
    assert_int_equal(broker_new(&s->broker, &limits, NULL, &b->fake.env), MD_OK);
    assert_int_equal(broker_restore(s->broker, s->store), MD_OK);
}

static void make_bridge(struct bench *b, const struct bridge_config *cfg)
{
    struct bridge_io io = {on_down, on_up, b};
    assert_int_equal(bridge_new(&b->bridge, b->near.broker, cfg, io), MD_OK);
}

static void setup(struct bench *b, const struct bridge_config *cfg)
{
    *b = (struct bench){.ups = 0};
    fake_env_init(&b->fake);
    assert_int_equal(store_mem_open(&b->near.store), MD_OK);
    assert_int_equal(store_mem_open(&b->far.store), MD_OK);
    start(b, &b->near);
    start(b, &b->far);
    make_bridge(b, cfg);
}

static void on_wake(void *ctx) { ((struct wire *)ctx)->woken = true; }

/* A connection of the bridge; `theirs` is not there yet. */
static void dial(struct bench *b)
{
    static const struct conn_peer peer = {.address = "192.0.2.1:1883"};
    b->ours = (struct wire){.conn = NULL};
    buf_init(&b->ours.in, SIZE_MAX);
    struct conn_io io = {on_wake, &b->ours};
    assert_int_equal(bridge_connect(b->bridge, &peer, io, &b->ours.conn), MD_OK);
}

static void join(struct bench *b)
{
    dial(b);
    wire_open(&b->theirs, b->far.broker, 0);
}

static void cut(struct bench *b)
{
    wire_close(&b->ours);
    wire_close(&b->theirs);
    (void)broker_turn(b->near.broker);
    (void)broker_turn(b->far.broker);
}

/* What one end has to say reaches the other; false: nothing. */
static bool carry(struct wire *from, struct wire *to)
{
    wire_take(from);
    if (from->in.n == 0)
        return false;
    struct buf bytes = from->in;
    buf_init(&from->in, SIZE_MAX);
    wire_send(to, buf_view(&bytes));
    buf_free(&bytes);
    return true;
}

/* At most so many portions cross. */
static unsigned pump(struct bench *b, unsigned most)
{
    unsigned n = 0, idle = 0;
    while (n < most && idle < 2) {
        bool moved = n % 2 == 0 ? carry(&b->ours, &b->theirs) : carry(&b->theirs, &b->ours);
        idle = moved ? 0 : idle + 1;
        n++;
        (void)broker_turn(b->near.broker);
        (void)broker_turn(b->far.broker);
    }
    return n;
}

static void finish(struct bench *b)
{
    wire_close(&b->ours);
    wire_close(&b->theirs);
    broker_free(b->near.broker);
    broker_free(b->far.broker);
    store_close(b->near.store);
    store_close(b->far.store);
    assert_int_equal(mem_used(), 0);
}

static void client(struct wire *w, struct side *s, const char *id, const char *filter)
{
    struct mqtt_packet p;
    wire_open(w, s->broker, 0);
    wire_connect(w, id, false, MQTT_3_1_1);
    assert_true(wire_next(w, &p));
    assert_int_equal(p.u.connack.code, MQTT_ACCEPTED);
    if (filter == NULL)
        return;
    wire_subscribe(w, filter, MQTT_QOS2);
    assert_true(wire_next(w, &p));
}

static void leave(struct wire *w, struct side *s)
{
    wire_close(w);
    (void)broker_turn(s->broker);
}

/* The next PUBLISH, acknowledged in full; false: none. */
static bool receive(struct wire *w, struct mqtt_publish *out)
{
    struct mqtt_packet p;
    while (wire_next(w, &p)) {
        if (p.type == MQTT_PUBREL)
            wire_ack(w, MQTT_PUBCOMP, p.u.ack.packet_id);
        if (p.type != MQTT_PUBLISH)
            continue;
        *out = p.u.publish;
        if (out->qos == MQTT_QOS1)
            wire_ack(w, MQTT_PUBACK, out->packet_id);
        if (out->qos == MQTT_QOS2)
            wire_ack(w, MQTT_PUBREC, out->packet_id);
        return true;
    }
    return false;
}

static void expect(struct wire *w, const char *topic, const char *payload, unsigned qos)
{
    struct mqtt_publish m;
    if (!receive(w, &m))
        fail_msg("%s does not come", topic);
    assert_true(span_is(m.topic, topic));
    assert_true(span_is(m.payload, payload));
    assert_int_equal(m.qos, qos);
}

static void expect_nothing(struct wire *w)
{
    struct mqtt_publish m;
    assert_false(receive(w, &m));
}

/* F197 */
static void every_qos_crosses_under_its_other_name(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    struct wire here, there;
    setup(&b, &cfg);
    join(&b);
    pump(&b, 100);
    assert_int_equal(b.ups, 1);
    client(&here, &b.near, "here", "l/in/#");
    client(&there, &b.far, "there", "r/out/#");
    for (unsigned qos = 0; qos < 3; qos++) {
        for (unsigned n = 0; n < 3; n++) {
            wire_publish(&here, "l/out/a", "o", (enum mqtt_qos)qos, false, (uint16_t)(n + 1));
            pump(&b, 100);
            expect(&there, "r/out/a", "o", qos);
            wire_publish(&there, "r/in/a", "i", (enum mqtt_qos)qos, false, (uint16_t)(n + 1));
            pump(&b, 100);
            expect(&here, "l/in/a", "i", qos);
        }
    }
    wire_publish(&there, "r/secret", "i", MQTT_QOS1, false, 9);
    pump(&b, 100);
    expect_nothing(&here);
    wire_close(&here);
    wire_close(&there);
    finish(&b);
}

static void restart(struct bench *b, struct side *s, const struct bridge_config *cfg)
{
    broker_free(s->broker);
    start(b, s);
    if (s == &b->near)
        make_bridge(b, cfg);
}

#define MESSAGES 5

/* Reads all there is; counts by number. */
static void drain(struct wire *w, unsigned seen[MESSAGES])
{
    struct mqtt_publish m;
    while (receive(w, &m))
        seen[m.payload.p[0] - '0']++;
}

/* Odd numbers with QoS 2, even ones with QoS 1. */
static void publish_all(struct wire *w, const char *topic)
{
    char text[2] = "0";
    struct mqtt_packet p;
    for (unsigned i = 0; i < MESSAGES; i++) {
        text[0] = (char)('0' + i);
        enum mqtt_qos qos = i % 2 == 1 ? MQTT_QOS2 : MQTT_QOS1;
        wire_publish(w, topic, text, qos, false, (uint16_t)(i + 1));
        assert_true(wire_next(w, &p));
        assert_int_equal(p.type, qos == MQTT_QOS2 ? MQTT_PUBREC : MQTT_PUBACK);
    }
}

/* The connection is cut after `at` portions, one or both sides die there, and come back. */
static void one_death(unsigned at, bool near_dies, bool far_dies, bool outward)
{
    static struct bench b;
    struct bridge_config cfg = config();
    struct wire source, sink;
    unsigned seen[MESSAGES] = {0};
    setup(&b, &cfg);
    struct side *from = outward ? &b.near : &b.far, *to = outward ? &b.far : &b.near;
    join(&b);
    pump(&b, 100);
    client(&sink, to, "sink", outward ? "r/out/#" : "l/in/#");
    client(&source, from, "source", NULL);
    publish_all(&source, outward ? "l/out/a" : "r/in/a");
    pump(&b, at);
    leave(&source, from);
    leave(&sink, to);
    cut(&b);
    if (near_dies)
        restart(&b, &b.near, &cfg);
    if (far_dies)
        restart(&b, &b.far, &cfg);
    join(&b);
    pump(&b, 200);
    client(&sink, to, "sink", NULL);
    drain(&sink, seen);
    for (unsigned i = 0; i < MESSAGES; i++)
        if (seen[i] == 0 || (i % 2 == 1 && seen[i] != 1))
            fail_msg("cut after %u, %s: message %u came %u times", at, outward ? "out" : "in", i,
                     seen[i]);
    wire_close(&sink);
    finish(&b);
}

static void nothing_is_lost_wherever_either_side_dies(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 12; at++)
        for (unsigned who = 0; who < 4; who++)
            for (unsigned outward = 0; outward < 2; outward++)
                one_death(at, who & 1, who & 2, outward);
}

/* F196: a bridge each way between the same two brokers, the same topics both ways. */
static void two_bridges_in_a_ring_come_to_rest(void **state)
{
    (void)state;
    static struct bench b, back;
    struct bridge_config cfg = config(), other = config();
    struct wire here;
    other.local_id = "local.c";
    other.remote_id = "c";
    setup(&b, &cfg);
    back = (struct bench){.near = b.far, .far = b.near};
    make_bridge(&back, &other);
    join(&b);
    join(&back);
    pump(&b, 100);
    pump(&back, 100);
    client(&here, &b.near, "here", "x/#");
    wire_publish(&here, "x/1", "once", MQTT_QOS0, false, 0);
    unsigned rounds = 0;
    while (rounds < 1000 && pump(&b, 100) + pump(&back, 100) > 4)
        rounds++;
    assert_true(rounds < 2 * BRIDGE_ECHO_TIMES);
    wire_close(&here);
    wire_close(&back.ours);
    wire_close(&back.theirs);
    finish(&b);
}

static void a_loop_is_a_hundred_rounds_in_ten_seconds(void **state)
{
    (void)state;
    static struct bridge_echo table[BRIDGE_ECHOES];
    struct message *m;
    assert_int_equal(message_new(&m, span_str("t"), span_str("p"), 0, false), MD_OK);
    for (unsigned i = 0; i < BRIDGE_ECHO_TIMES; i++)
        assert_false(bridge_echo_seen(table, m, 5000));
    assert_true(bridge_echo_seen(table, m, 5000));
    assert_true(bridge_echo_seen(table, m, 5000 + BRIDGE_ECHO_MS - 1));
    assert_false(bridge_echo_seen(table, m, 5000 + BRIDGE_ECHO_MS));
    message_unref(m);
    assert_int_equal(mem_used(), 0);
}

static void nothing_comes_back_over_the_same_bridge(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    struct wire here, there;
    setup(&b, &cfg);
    join(&b);
    pump(&b, 100);
    client(&here, &b.near, "here", "x/#");
    client(&there, &b.far, "there", "x/#");
    wire_publish(&here, "x/1", "a", MQTT_QOS0, true, 0);
    pump(&b, 100);
    expect(&here, "x/1", "a", 0);
    expect_nothing(&here);
    struct mqtt_publish m;
    assert_true(receive(&there, &m));
    expect_nothing(&there);
    wire_publish(&there, "x/2", "b", MQTT_QOS0, true, 0);
    pump(&b, 100);
    expect(&here, "x/2", "b", 0);
    expect_nothing(&here);
    expect(&there, "x/2", "b", 0);
    expect_nothing(&there);
    /* RETAIN crossed both ways. */
    wire_subscribe(&here, "x/2", MQTT_QOS0);
    assert_true(receive(&here, &m) && m.retain);
    wire_subscribe(&there, "x/1", MQTT_QOS0);
    assert_true(receive(&there, &m) && m.retain);
    wire_close(&here);
    wire_close(&there);
    finish(&b);
}

/* F199 */
static void a_clean_bridge_keeps_nothing_while_it_is_away(void **state)
{
    (void)state;
    static struct bench b;
    for (unsigned clean = 0; clean < 2; clean++) {
        struct bridge_config cfg = config();
        struct wire here, there;
        cfg.clean_session = cfg.local_clean = clean;
        setup(&b, &cfg);
        client(&here, &b.near, "here", NULL);
        wire_publish(&here, "l/out/a", "early", MQTT_QOS1, false, 1);
        join(&b);
        pump(&b, 100);
        cut(&b);
        wire_publish(&here, "l/out/a", "between", MQTT_QOS1, false, 2);
        assert_int_equal(bridge_waiting(b.bridge), clean ? 0 : 1);
        client(&there, &b.far, "there", "r/out/#");
        join(&b);
        pump(&b, 100);
        if (!clean)
            expect(&there, "r/out/a", "between", 1);
        expect_nothing(&there);
        wire_close(&here);
        wire_close(&there);
        finish(&b);
    }
}

static struct mqtt_connect first_packet(struct bench *b)
{
    struct mqtt_packet p;
    const char *rule;
    wire_take(&b->ours);
    assert_int_equal(mqtt_decode(buf_view(&b->ours.in), MQTT_LEVEL_NONE, &p, &rule), MD_OK);
    return p.u.connect;
}

static void answer(struct bench *b, const void *bytes, size_t n)
{
    wire_send(&b->ours, span_of(bytes, n));
    b->ours.closed = b->ours.conn == NULL || conn_closing(b->ours.conn);
}

static void end(struct bench *b)
{
    wire_close(&b->ours);
    (void)broker_turn(b->near.broker);
}

static void without_the_private_bit_if_it_is_not_liked(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    setup(&b, &cfg);
    dial(&b);
    assert_true(first_packet(&b).bridge);
    answer(&b, "\x20\x02\x00\x01", 4);
    assert_true(b.ours.closed && b.at_once);
    end(&b);
    dial(&b);
    assert_false(first_packet(&b).bridge);
    end(&b); /* that was not the reason */
    assert_false(b.at_once);
    dial(&b);
    assert_true(first_packet(&b).bridge);
    end(&b); /* without a word */
    assert_true(b.at_once);
    dial(&b);
    assert_false(first_packet(&b).bridge);
    answer(&b, "\x20\x02\x00\x05", 4);
    assert_false(b.at_once);
    assert_non_null(strstr(b.why, "remote_password"));
    end(&b);
    dial(&b);
    (void)first_packet(&b);
    answer(&b, "\x20\x02\x00\x04", 4);
    assert_false(b.at_once); /* a wrong password stays wrong */
    assert_int_equal(b.downs, 5);
    finish(&b);
}

/* F195 */
static void a_hostile_remote_is_closed(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"\x30\x03\x00\x01y", 5}, /* [MQTT-3.2.0-1] */
        {"\x10\x02\x00\x00", 4},
        {"\x20\x03\x00\x00\x00", 5},
        {"\x20\x02\x02\x00", 4},
        {"\x20\x02\x00\x06", 4},
        {"\x20\x00", 2},
        {"\x20\xff\xff\xff\xff\x7f", 6},
        {"\x20\x02\x00\x00\x20\x02\x00\x00", 8}, /* twice */
        {"\x20\x02\x00\x00\x82\x06\x00\x01\x00\x01y\x00", 12},
        {"\x20\x02\x00\x00\x30\x05\x00\x09xyz", 11},
        {"\x20\x02\x00\x00\x30\x03\x00\x01#", 9},
        {"\x20\x02\x00\x00\x36\x05\x00\x01y\x00\x01", 11},
        {"\x20\x02\x00\x00\x32\x05\x00\x01y\x00\x00", 11},
        {"\x20\x02\x00\x00\xc0\x00", 6},
        {"\x20\x02\x00\x00\xe0\x00", 6},
        {"\x20\x02\x00\x00\x30\xff\xff\xff\x7f", 9},
        {"\x20\x02\x00\x00\x90\x03\x00\x01\x03", 9},
        {"\x20\x02\x00\x00\xf0\x00", 6},
    };
    static struct bench b;
    struct bridge_config cfg = config();
    setup(&b, &cfg);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dial(&b);
        (void)first_packet(&b);
        answer(&b, rows[i].bytes, rows[i].n);
        if (!b.ours.closed)
            fail_msg("row %zu is taken", i);
        assert_int_equal(b.downs, i + 1);
        end(&b);
    }
    /* Acknowledgements of nothing, and topics that nobody let in, are none of its business. */
    dial(&b);
    (void)first_packet(&b);
    answer(&b, "\x20\x02\x00\x00\x40\x02\x00\x07\x62\x02\x00\x08\x70\x02\x00\x09", 16);
    answer(&b, "\x32\x0e\x00\x0a$CONTROL/x\x00\x01", 16);
    answer(&b, "\xd0\x00\xb0\x02\x00\x01\x90\x03\x00\x01\x80", 11);
    assert_false(b.ours.closed);
    finish(&b);
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    uint8_t junk[64] = {0x20, 2, 0, 0};
    setup(&b, &cfg);
    for (unsigned i = 0; i < 3000; i++) {
        dial(&b);
        env_random(&b.fake.env, junk + 4, sizeof junk - 4);
        junk[4] = (uint8_t)(junk[4] & 0x7f); /* types a server sends, among others */
        junk[5] &= 31;
        answer(&b, junk, sizeof junk);
        end(&b);
    }
    assert_true(b.ups >= 3000);
    dial(&b);
    finish(&b);
}

static void silence_is_noticed(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    setup(&b, &cfg);
    dial(&b);
    fake_env_step(&b.fake, 14999);
    (void)broker_turn(b.near.broker);
    assert_int_equal(b.downs, 0);
    fake_env_step(&b.fake, 1);
    (void)broker_turn(b.near.broker);
    assert_int_equal(b.downs, 1);
    assert_non_null(strstr(b.why, "CONNACK"));
    end(&b);
    join(&b);
    pump(&b, 100);
    for (unsigned i = 0; i < 3; i++) { /* [MQTT-3.1.2-23] */
        fake_env_step(&b.fake, 60000);
        (void)broker_turn(b.near.broker);
        assert_true(pump(&b, 100) > 2); /* PINGREQ, PINGRESP */
    }
    assert_int_equal(b.downs, 1);
    fake_env_step(&b.fake, 60000);
    (void)broker_turn(b.near.broker);
    wire_take(&b.ours); /* and nobody answers */
    fake_env_step(&b.fake, 60000);
    (void)broker_turn(b.near.broker);
    assert_int_equal(b.downs, 2);
    assert_non_null(strstr(b.why, "PINGREQ"));
    finish(&b);
}

static void large_and_retained_as_configured(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    struct wire here, there;
    cfg.outgoing_retain = false;
    cfg.max_packet_size = 5 + 4 + 7 + 3; /* what is in front, "r/out/a", three bytes */
    setup(&b, &cfg);
    join(&b);
    pump(&b, 100);
    client(&here, &b.near, "here", NULL);
    client(&there, &b.far, "there", "r/out/#");
    wire_publish(&here, "l/out/a", "abc", MQTT_QOS1, true, 1);
    wire_publish(&here, "l/out/a", "abcd", MQTT_QOS1, true, 2);
    pump(&b, 100);
    expect(&there, "r/out/a", "abc", 1);
    expect_nothing(&there);
    wire_subscribe(&there, "r/out/#", MQTT_QOS0);
    expect_nothing(&there); /* not retained there */
    wire_close(&here);
    wire_close(&there);
    finish(&b);
}

static void its_identifier_is_its_own(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    struct mqtt_packet p;
    struct wire w;
    setup(&b, &cfg);
    struct bridge *second;
    struct bridge_io io = {on_down, on_up, &b};
    assert_int_equal(bridge_new(&second, b.near.broker, &cfg, io), MD_EXIST); /* F200 */
    wire_open(&w, b.near.broker, 0);
    wire_connect(&w, "local.b", true, MQTT_3_1_1);
    assert_true(wire_next(&w, &p));
    assert_int_equal(p.u.connack.code, MQTT_REFUSED_ID);
    wire_close(&w);
    dial(&b);
    finish(&b);
}

static void the_state_is_told_on_both_sides(void **state)
{
    (void)state;
    static struct bench b;
    struct bridge_config cfg = config();
    struct wire here, there;
    cfg.notify = true;
    setup(&b, &cfg);
    (void)broker_turn(b.near.broker);
    client(&here, &b.near, "here", "$SYS/broker/connection/b/state");
    client(&there, &b.far, "there", "$SYS/broker/connection/b/state");
    expect(&here, "$SYS/broker/connection/b/state", "0", 1);
    join(&b);
    pump(&b, 100);
    expect(&here, "$SYS/broker/connection/b/state", "1", 1);
    expect(&there, "$SYS/broker/connection/b/state", "1", 0);
    cut(&b);
    expect(&here, "$SYS/broker/connection/b/state", "0", 1);
    expect(&there, "$SYS/broker/connection/b/state", "0", 1); /* the Will */
    join(&b);
    pump(&b, 100);
    expect(&there, "$SYS/broker/connection/b/state", "1", 0);
    bridge_disconnect(b.bridge, "the broker stops");
    pump(&b, 100);
    expect(&there, "$SYS/broker/connection/b/state", "0", 0);
    wire_close(&here);
    wire_close(&there);
    finish(&b);
}

/* Memory ends at each allocation in turn: the connection may end, nothing else. */
static void memory_that_ends_ends_a_connection(void **state)
{
    (void)state;
    static struct bench b;
    for (long n = 1; n < 60; n++) {
        struct bridge_config cfg = config();
        static const struct conn_peer peer = {.address = "192.0.2.1:1883"};
        cfg.local_clean = n % 2;
        setup(&b, &cfg);
        b.ours = b.theirs = (struct wire){.conn = NULL};
        buf_init(&b.ours.in, SIZE_MAX);
        (void)mem_fail_after(n);
        int err = bridge_connect(b.bridge, &peer, (struct conn_io){on_wake, &b.ours}, &b.ours.conn);
        if (err == MD_OK)
            conn_feed(b.ours.conn, span_of("\x20\x02\x01\x00\x32\x09\x00\x05x/a/b\x00\x01", 15));
        (void)mem_fail_after(-1);
        if (err != MD_OK)
            b.ours.conn = NULL;
        finish(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_qos_crosses_under_its_other_name),
        cmocka_unit_test(nothing_is_lost_wherever_either_side_dies),
        cmocka_unit_test(two_bridges_in_a_ring_come_to_rest),
        cmocka_unit_test(a_loop_is_a_hundred_rounds_in_ten_seconds),
        cmocka_unit_test(nothing_comes_back_over_the_same_bridge),
        cmocka_unit_test(a_clean_bridge_keeps_nothing_while_it_is_away),
        cmocka_unit_test(without_the_private_bit_if_it_is_not_liked),
        cmocka_unit_test(a_hostile_remote_is_closed),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(silence_is_noticed),
        cmocka_unit_test(large_and_retained_as_configured),
        cmocka_unit_test(its_identifier_is_its_own),
        cmocka_unit_test(the_state_is_told_on_both_sides),
        cmocka_unit_test(memory_that_ends_ends_a_connection)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

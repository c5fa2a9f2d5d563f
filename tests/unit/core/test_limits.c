/* The limits that mosquitto.conf names and that are not about one packet: Keep Alive, QoS, RETAIN,
 * what waits for absent clients and for how long, the memory ceiling, and new limits while the
 * broker runs.  Each at the limit and one past it; 0 is "no limit" in all of them (F132). */
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"
#include "tests/unit/core/bench.h"

#include <stdio.h>

static enum mqtt_connack connack(struct wire *w)
{
    return (enum mqtt_connack)expect(w, MQTT_CONNACK).u.connack.code;
}

/* What the broker answers to a CONNECT with this Keep Alive; closed when it is no CONNACK 0. */
static enum mqtt_connack try_keepalive(struct bench *b, unsigned s)
{
    struct wire w;
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .clean_session = true,
                             .keep_alive_s = (uint16_t)s,
                             .client_id = span_str("k")};
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &c);
    enum mqtt_connack code = connack(&w);
    assert_int_equal(w.closed, code != MQTT_ACCEPTED);
    wire_close(&w);
    (void)broker_turn(b->broker);
    return code;
}

static void max_keepalive_refuses_longer_ones_and_never(void **state)
{
    struct bench *b = *state;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    assert_int_equal(try_keepalive(b, 0), MQTT_ACCEPTED);
    assert_int_equal(try_keepalive(b, 65535), MQTT_ACCEPTED);
    b->limits.max_keepalive = 60;
    broker_set_limits(b->broker, &b->limits);
    assert_int_equal(try_keepalive(b, 60), MQTT_ACCEPTED);
    assert_int_equal(try_keepalive(b, 61), MQTT_REFUSED_ID);
    assert_int_equal(try_keepalive(b, 0), MQTT_REFUSED_ID);
    finish(b);
}

static void max_qos_closes_publishers_and_caps_grants(void **state)
{
    struct bench *b = *state;
    struct wire sub, pub;
    broker_limits_default(&b->limits);
    b->limits.max_qos = 1;
    setup_with(b, NULL);
    connected(&sub, b, "sub", true);
    wire_subscribe(&sub, "t", MQTT_QOS2);
    assert_int_equal(expect(&sub, MQTT_SUBACK).u.suback.codes.p[0], 1);
    connected(&pub, b, "pub", true);
    wire_publish(&pub, "t", "x", MQTT_QOS1, false, 1);
    expect(&pub, MQTT_PUBACK);
    assert_int_equal(expect(&sub, MQTT_PUBLISH).u.publish.qos, MQTT_QOS1);
    wire_publish(&pub, "t", "x", MQTT_QOS2, false, 2);
    expect_nothing(&pub);
    assert_true(pub.closed);
    expect_nothing(&sub);
    wire_close(&pub);
    wire_close(&sub);
    finish(b);
}

static void a_listener_has_a_lower_max_qos_of_its_own(void **state)
{
    struct bench *b = *state;
    struct wire low, free_one;
    broker_limits_default(&b->limits);
    b->limits.max_qos_at[1] = 1 + 0;
    setup_with(b, NULL);
    wire_open(&low, b->broker, 1);
    wire_connect(&low, "low", true, MQTT_3_1_1);
    assert_int_equal(connack(&low), MQTT_ACCEPTED);
    wire_subscribe(&low, "t", MQTT_QOS2);
    assert_int_equal(expect(&low, MQTT_SUBACK).u.suback.codes.p[0], 0);
    wire_publish(&low, "t", "x", MQTT_QOS1, false, 1);
    expect_nothing(&low);
    assert_true(low.closed);
    connected(&free_one, b, "free", true);
    wire_publish(&free_one, "t", "x", MQTT_QOS2, false, 1);
    expect(&free_one, MQTT_PUBREC);
    wire_close(&low);
    wire_close(&free_one);
    finish(b);
}

static bool will_refused(struct bench *b, enum mqtt_qos qos, bool retain)
{
    struct wire w;
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .clean_session = true,
                             .client_id = span_str("w"),
                             .has_will = true,
                             .will_topic = span_str("t"),
                             .will_qos = qos,
                             .will_retain = retain};
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &c);
    struct mqtt_packet p;
    bool answered = wire_next(&w, &p), closed = w.closed;
    assert_int_equal(answered, !closed);
    wire_disconnect(&w);
    wire_close(&w);
    (void)broker_turn(b->broker);
    return closed;
}

static void wills_obey_max_qos_and_retain_available(void **state)
{
    struct bench *b = *state;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    assert_false(will_refused(b, MQTT_QOS2, true));
    b->limits.max_qos = 1;
    b->limits.retain_available = false;
    broker_set_limits(b->broker, &b->limits);
    assert_false(will_refused(b, MQTT_QOS1, false));
    assert_true(will_refused(b, MQTT_QOS2, false));
    assert_true(will_refused(b, MQTT_QOS0, true));
    finish(b);
}

static void without_retain_a_retained_publish_closes(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_stats s;
    broker_limits_default(&b->limits);
    b->limits.retain_available = false;
    setup_with(b, NULL);
    connected(&w, b, "a", true);
    wire_publish(&w, "t", "x", MQTT_QOS1, false, 1);
    expect(&w, MQTT_PUBACK);
    wire_publish(&w, "t", "x", MQTT_QOS1, true, 2);
    expect_nothing(&w);
    assert_true(w.closed);
    broker_stats(b->broker, &s);
    assert_int_equal(s.retained, 0);
    wire_close(&w);
    finish(b);
}

/* An absent Session, one message of each QoS, and what is there when it returns. */
static unsigned waiting_after_absence(struct bench *b)
{
    struct wire sub, pub;
    unsigned n = 0;
    struct mqtt_packet p;
    connected(&sub, b, "sub", false);
    wire_subscribe(&sub, "t", MQTT_QOS2);
    expect(&sub, MQTT_SUBACK);
    wire_close(&sub);
    connected(&pub, b, "pub", true);
    wire_publish(&pub, "t", "0", MQTT_QOS0, false, 0);
    wire_publish(&pub, "t", "1", MQTT_QOS1, false, 1);
    expect(&pub, MQTT_PUBACK);
    connected(&sub, b, "sub", false);
    while (wire_next(&sub, &p))
        n++;
    wire_close(&sub);
    wire_close(&pub);
    (void)broker_turn(b->broker);
    return n;
}

static void queue_qos0_messages_keeps_them_for_the_absent(void **state)
{
    struct bench *b = *state;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    assert_int_equal(waiting_after_absence(b), 1);
    finish(b);
    b->limits.queue_qos0 = true;
    setup_with(b, NULL);
    assert_int_equal(waiting_after_absence(b), 2);
    finish(b);
}

static void upgrade_outgoing_qos_uses_the_granted_one(void **state)
{
    struct bench *b = *state;
    struct wire w;
    broker_limits_default(&b->limits);
    b->limits.upgrade_outgoing_qos = true;
    setup_with(b, NULL);
    connected(&w, b, "a", true);
    wire_publish(&w, "r", "x", MQTT_QOS0, true, 0);
    wire_subscribe(&w, "r", MQTT_QOS1);
    expect(&w, MQTT_SUBACK);
    assert_int_equal(expect(&w, MQTT_PUBLISH).u.publish.qos, MQTT_QOS1);
    wire_publish(&w, "r", "y", MQTT_QOS0, false, 0);
    assert_int_equal(expect(&w, MQTT_PUBLISH).u.publish.qos, MQTT_QOS1);
    wire_close(&w);
    finish(b);
}

/* Topic "t" and payload "12345": six bytes each. */
static unsigned in_flight_at(struct bench *b, size_t max)
{
    struct wire sub, pub;
    struct mqtt_packet p;
    unsigned n = 0;
    broker_limits_default(&b->limits);
    b->limits.max_inflight_bytes = max;
    setup_with(b, NULL);
    connected(&sub, b, "sub", true);
    wire_subscribe(&sub, "t", MQTT_QOS1);
    expect(&sub, MQTT_SUBACK);
    connected(&pub, b, "pub", true);
    for (uint16_t id = 1; id <= 4; id++)
        wire_publish(&pub, "t", "12345", MQTT_QOS1, false, id);
    for (; wire_next(&sub, &p); n++)
        assert_int_equal(p.type, MQTT_PUBLISH);
    wire_ack(&sub, MQTT_PUBACK, 1); /* makes room for exactly one more, if one waits */
    assert_int_equal(wire_next(&sub, &p), n < 4);
    wire_close(&sub);
    wire_close(&pub);
    finish(b);
    return n;
}

static void max_inflight_bytes_is_exact_and_lets_one_pass(void **state)
{
    struct bench *b = *state;
    assert_int_equal(in_flight_at(b, 0), 4);
    assert_int_equal(in_flight_at(b, 1), 1);
    assert_int_equal(in_flight_at(b, 11), 1);
    assert_int_equal(in_flight_at(b, 12), 2);
    assert_int_equal(in_flight_at(b, 24), 4);
}

/* [F128] [F129] */
static void absent_sessions_expire_and_present_ones_do_not(void **state)
{
    struct bench *b = *state;
    struct wire here, away;
    struct broker_stats s;
    broker_limits_default(&b->limits);
    b->limits.session_expiry_s = 60;
    setup_with(b, NULL);
    connected(&here, b, "here", false);
    connected(&away, b, "away", false);
    wire_close(&away);
    step(b, 59999);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 2);
    connected(&away, b, "away", false); /* came back in time */
    wire_close(&away);
    step(b, 59999);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 2);
    step(b, 1);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 1);
    wire_ping(&here);
    expect(&here, MQTT_PINGRESP);
    wire_close(&here);
    b->limits.session_expiry_s = 0; /* never, from now on */
    broker_set_limits(b->broker, &b->limits);
    step(b, UINT64_C(10) * 365 * 86400 * 1000);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 1);
    b->limits.session_expiry_s = 1; /* and again: it has been away long enough */
    broker_set_limits(b->broker, &b->limits);
    step(b, 0);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 0);
    finish(b);
}

/* F128 F129 F159: a clock that is set, as on every start of a computer without one of its own, ends
 * no connection and no Session, and lends none more time. */
static void a_clock_that_is_set_expires_nobody(void **state)
{
    struct bench *b = *state;
    static const int64_t jumps_s[] = {50LL * 365 * 86400, -60LL * 365 * 86400, 3600, -3600};
    struct wire here, away;
    struct broker_stats s;
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .clean_session = false,
                             .keep_alive_s = 60,
                             .client_id = span_str("here")};
    broker_limits_default(&b->limits);
    setup(b);
    b->limits.session_expiry_s = 3600;
    broker_set_limits(b->broker, &b->limits);
    wire_open(&here, b->broker, 0);
    wire_connect_with(&here, &c);
    assert_int_equal(connack(&here), MQTT_ACCEPTED);
    connected(&away, b, "away", false);
    wire_close(&away);
    for (size_t i = 0; i < sizeof jumps_s / sizeof jumps_s[0]; i++) {
        b->fake.wall_ms += jumps_s[i] * 1000;
        step(b, 10000);
        wire_take(&here);
        assert_false(here.closed);
        broker_stats(b->broker, &s);
        assert_int_equal(s.sessions, 2);
    }
    step(b, 49999); /* its Keep Alive ends when it would have ended without */
    wire_take(&here);
    assert_false(here.closed);
    step(b, 1);
    wire_take(&here);
    assert_true(here.closed);
    wire_close(&here);
    step(b, 3600000 - 90001);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 2);
    step(b, 1);
    broker_stats(b->broker, &s);
    assert_int_equal(s.sessions, 1);
    finish(b);
}

/* Puts the ceiling where the memory in use is `percent` of it. */
static void squeeze(struct bench *b, unsigned percent)
{
    b->limits.memory_limit = percent == 0 ? 0 : mem_used() * 100 / percent + 1;
    broker_set_limits(b->broker, &b->limits);
}

static enum mqtt_connack try_connect(struct bench *b, struct wire *w, bool loopback)
{
    wire_open(w, b->broker, 0);
    w->conn->who.loopback = loopback;
    wire_connect(w, "new", true, MQTT_3_1_1);
    return connack(w);
}

static void fill(struct bench *b)
{
    static char big[20000];
    memset(big, 'x', sizeof big - 1);
    struct broker_message m = {span_str("ballast"), span_str(big), 0, true};
    assert_int_equal(broker_publish(b->broker, &m), MD_OK);
    while (broker_turn(b->broker) == 0)
        continue;
}

static void memory_limit_refuses_clients_first(void **state)
{
    struct bench *b = *state;
    struct wire w;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    fill(b);
    squeeze(b, 70);
    assert_int_equal(try_connect(b, &w, false), MQTT_ACCEPTED);
    wire_close(&w);
    (void)broker_turn(b->broker);
    squeeze(b, 82);
    assert_int_equal(try_connect(b, &w, false), MQTT_REFUSED_UNAVAILABLE);
    wire_close(&w);
    (void)broker_turn(b->broker);
    assert_int_equal(try_connect(b, &w, true), MQTT_ACCEPTED);
    wire_close(&w);
    (void)broker_turn(b->broker);
    squeeze(b, 110);
    assert_int_equal(try_connect(b, &w, true), MQTT_REFUSED_UNAVAILABLE);
    wire_close(&w);
    (void)broker_turn(b->broker);
    squeeze(b, 0);
    assert_int_equal(try_connect(b, &w, false), MQTT_ACCEPTED);
    wire_close(&w);
    finish(b);
}

static void memory_limit_then_drops_qos0_then_everything_new(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_stats s;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    fill(b);
    connected(&w, b, "a", true);
    wire_subscribe(&w, "t", MQTT_QOS1);
    expect(&w, MQTT_SUBACK);
    squeeze(b, 92);
    wire_publish(&w, "t", "0", MQTT_QOS0, false, 0);
    wire_publish(&w, "t", "1", MQTT_QOS1, false, 1);
    wire_ack(&w, MQTT_PUBACK, 1);
    expect(&w, MQTT_PUBACK);
    assert_int_equal(expect(&w, MQTT_PUBLISH).u.publish.payload.p[0], '1');
    expect_nothing(&w);
    broker_stats(b->broker, &s);
    assert_int_equal(s.dropped, 1);
    squeeze(b, 110);
    wire_publish(&w, "t", "2", MQTT_QOS1, false, 2);
    expect(&w, MQTT_PUBACK);
    expect_nothing(&w);
    broker_stats(b->broker, &s);
    assert_int_equal(s.dropped, 2);
    wire_close(&w);
    finish(b);
}

static void memory_limit_keeps_retained_messages_from_growing(void **state)
{
    struct bench *b = *state;
    struct wire w;
    struct broker_stats s;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    fill(b);
    connected(&w, b, "a", true);
    wire_publish(&w, "old", "12", MQTT_QOS1, true, 1);
    expect(&w, MQTT_PUBACK);
    squeeze(b, 110);
    wire_publish(&w, "new", "x", MQTT_QOS0, true, 0);  /* delivered, not kept */
    wire_publish(&w, "old", "34", MQTT_QOS1, true, 2); /* no larger than before */
    expect(&w, MQTT_PUBACK);
    broker_stats(b->broker, &s);
    assert_int_equal(s.retained, 2);
    wire_publish(&w, "old", "", MQTT_QOS1, true, 3); /* what makes room always works */
    expect(&w, MQTT_PUBACK);
    broker_stats(b->broker, &s);
    assert_int_equal(s.retained, 1);
    wire_publish(&w, "new", "x", MQTT_QOS1, true, 4); /* would be acknowledged, and lost */
    expect_nothing(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

static size_t retained(struct bench *b)
{
    struct broker_stats s;
    broker_stats(b->broker, &s);
    return s.retained;
}

/* F108: new topics are kept below 3/4, and from there on not; what is there may still change. */
static void memory_limit_leaves_room_beside_retained_messages(void **state)
{
    struct bench *b = *state;
    struct wire w;
    char topic[16];
    size_t n = 0;
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    fill(b);
    connected(&w, b, "a", true);
    squeeze(b, 70);
    for (; retained(b) == n + 1 && n < 10000; n++) {
        (void)snprintf(topic, sizeof topic, "t/%zu", n);
        wire_publish(&w, topic, "1", MQTT_QOS0, true, 0);
    }
    assert_in_range(retained(b), 10, 9999);
    assert_in_range(mem_used() * 1000 / b->limits.memory_limit, 740, 760);
    wire_publish(&w, "t/0", "longer", MQTT_QOS1, true, 1);
    expect(&w, MQTT_PUBACK);
    wire_publish(&w, "t/1", "", MQTT_QOS1, true, 2);
    expect(&w, MQTT_PUBACK);
    assert_int_equal(retained(b), n - 1);
    squeeze(b, 76);
    wire_publish(&w, "new", "1", MQTT_QOS1, true, 3);
    expect_nothing(&w);
    assert_true(w.closed);
    assert_int_equal(retained(b), n - 1);
    wire_close(&w);
    finish(b);
}

/* Nobody would send these again: they are delivered, and not kept. */
static void memory_limit_lets_wills_and_own_messages_pass(void **state)
{
    struct bench *b = *state;
    struct wire sub, dying;
    struct mqtt_connect c = {.level = MQTT_3_1_1,
                             .clean_session = true,
                             .client_id = span_str("dying"),
                             .has_will = true,
                             .will_topic = span_str("new/will"),
                             .will_payload = span_str("gone"),
                             .will_qos = MQTT_QOS1,
                             .will_retain = true};
    struct broker_message own = {span_str("new/own"), span_str("x"), 1, true};
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    fill(b);
    connected(&sub, b, "sub", true);
    wire_subscribe(&sub, "new/#", MQTT_QOS0);
    expect(&sub, MQTT_SUBACK);
    wire_open(&dying, b->broker, 0);
    wire_connect_with(&dying, &c);
    assert_int_equal(connack(&dying), MQTT_ACCEPTED);
    squeeze(b, 78);
    wire_close(&dying);
    assert_true(span_is(expect(&sub, MQTT_PUBLISH).u.publish.payload, "gone"));
    assert_int_equal(broker_publish(b->broker, &own), MD_OK);
    (void)broker_turn(b->broker);
    assert_true(span_is(expect(&sub, MQTT_PUBLISH).u.publish.payload, "x"));
    assert_int_equal(retained(b), 1);
    wire_close(&sub);
    finish(b);
}

/* The level is exact: the byte before 3/4 and the one that is it. */
static void pressure_begins_at_three_quarters(void **state)
{
    struct bench *b = *state;
    setup(b);
    size_t used = mem_used(), limit = used + used / 3;
    while (limit - limit / 4 <= used)
        limit++;
    b->broker->limits.memory_limit = limit;
    assert_int_equal(broker_pressure(b->broker), PRESSURE_NONE);
    b->broker->limits.memory_limit = limit - 1;
    assert_int_equal(broker_pressure(b->broker), PRESSURE_EARLY);
    b->broker->limits.memory_limit = 0;
    finish(b);
}

/* F42: what a Will may not carry is refused at CONNECT. */
static void message_size_limit_is_for_wills_too(void **state)
{
    struct bench *b = *state;
    broker_limits_default(&b->limits);
    setup(b);
    b->limits.message_size_limit = 4;
    broker_set_limits(b->broker, &b->limits);
    for (size_t n = 4; n <= 5; n++) {
        struct wire w;
        struct mqtt_connect c = {.level = MQTT_3_1_1,
                                 .clean_session = true,
                                 .has_will = true,
                                 .client_id = span_str("w"),
                                 .will_topic = span_str("t"),
                                 .will_payload = span_of("12345", n)};
        wire_open(&w, b->broker, 0);
        wire_connect_with(&w, &c);
        assert_int_equal(connack(&w), n == 4 ? MQTT_ACCEPTED : MQTT_REFUSED_NOT_AUTHORIZED);
        assert_int_equal(w.closed, n == 5);
        wire_close(&w);
        (void)broker_turn(b->broker);
    }
    finish(b);
}

static void message_size_limit_drops_and_acknowledges(void **state)
{
    struct bench *b = *state;
    struct wire w;
    broker_limits_default(&b->limits);
    b->limits.message_size_limit = 4;
    setup_with(b, NULL);
    connected(&w, b, "a", true);
    wire_subscribe(&w, "t", MQTT_QOS0);
    expect(&w, MQTT_SUBACK);
    wire_publish(&w, "t", "12345", MQTT_QOS1, true, 1);
    expect(&w, MQTT_PUBACK);
    expect_nothing(&w);
    wire_publish(&w, "t", "1234", MQTT_QOS1, false, 2);
    expect(&w, MQTT_PUBACK);
    expect(&w, MQTT_PUBLISH);
    wire_close(&w);
    finish(b);
}

struct seen {
    unsigned n, connected, subscriptions, queued;
    uint64_t since_s;
};

static void look(void *ctx, const struct broker_session *s)
{
    struct seen *seen = ctx;
    seen->n++;
    seen->connected += s->connected;
    seen->subscriptions += s->subscriptions;
    seen->queued += s->queued;
    if (span_is(s->who->client_id, "away"))
        seen->since_s = s->since_s;
}

static unsigned lines;

static void count_lines(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)line;
    lines += strcmp(module, "dump") == 0;
}

static void every_session_is_shown(void **state)
{
    struct bench *b = *state;
    struct wire here, away;
    struct seen seen = {0};
    broker_limits_default(&b->limits);
    setup_with(b, NULL);
    connected(&away, b, "away", false);
    wire_subscribe(&away, "t", MQTT_QOS1);
    wire_subscribe(&away, "u", MQTT_QOS1);
    wire_close(&away);
    step(b, 5000);
    connected(&here, b, "here", true);
    wire_publish(&here, "t", "x", MQTT_QOS1, false, 1);
    broker_each_session(b->broker, look, &seen);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.connected, 1);
    assert_int_equal(seen.subscriptions, 2);
    assert_int_equal(seen.queued, 1);
    assert_int_equal(seen.since_s, 5);
    lines = 0;
    log_set_sink(count_lines, NULL);
    log_set_level(LOG_INFO);
    broker_dump(b->broker);
    log_set_sink(NULL, NULL);
    log_set_level(LOG_ERROR);
    assert_int_equal(lines, 4); /* totals, two Sessions, the end */
    wire_close(&here);
    finish(b);
}

static void a_larger_packet_fits_after_the_limit_was_raised(void **state)
{
    struct bench *b = *state;
    struct wire w;
    static char text[200];
    memset(text, 'x', sizeof text - 1);
    broker_limits_default(&b->limits);
    b->limits.max_packet_size = 100;
    setup_with(b, NULL);
    connected(&w, b, "a", true);
    b->limits.max_packet_size = 300;
    broker_set_limits(b->broker, &b->limits);
    wire_publish(&w, "t", text, MQTT_QOS1, false, 1);
    expect(&w, MQTT_PUBACK);
    b->limits.max_packet_size = 100;
    broker_set_limits(b->broker, &b->limits);
    wire_publish(&w, "t", text, MQTT_QOS1, false, 2);
    expect_nothing(&w);
    assert_true(w.closed);
    wire_close(&w);
    finish(b);
}

int main(void)
{
    static struct bench b;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(max_keepalive_refuses_longer_ones_and_never, &b),
        cmocka_unit_test_prestate(max_qos_closes_publishers_and_caps_grants, &b),
        cmocka_unit_test_prestate(a_listener_has_a_lower_max_qos_of_its_own, &b),
        cmocka_unit_test_prestate(wills_obey_max_qos_and_retain_available, &b),
        cmocka_unit_test_prestate(without_retain_a_retained_publish_closes, &b),
        cmocka_unit_test_prestate(queue_qos0_messages_keeps_them_for_the_absent, &b),
        cmocka_unit_test_prestate(upgrade_outgoing_qos_uses_the_granted_one, &b),
        cmocka_unit_test_prestate(max_inflight_bytes_is_exact_and_lets_one_pass, &b),
        cmocka_unit_test_prestate(absent_sessions_expire_and_present_ones_do_not, &b),
        cmocka_unit_test_prestate(a_clock_that_is_set_expires_nobody, &b),
        cmocka_unit_test_prestate(memory_limit_refuses_clients_first, &b),
        cmocka_unit_test_prestate(memory_limit_then_drops_qos0_then_everything_new, &b),
        cmocka_unit_test_prestate(memory_limit_keeps_retained_messages_from_growing, &b),
        cmocka_unit_test_prestate(memory_limit_leaves_room_beside_retained_messages, &b),
        cmocka_unit_test_prestate(memory_limit_lets_wills_and_own_messages_pass, &b),
        cmocka_unit_test_prestate(pressure_begins_at_three_quarters, &b),
        cmocka_unit_test_prestate(message_size_limit_is_for_wills_too, &b),
        cmocka_unit_test_prestate(message_size_limit_drops_and_acknowledges, &b),
        cmocka_unit_test_prestate(every_session_is_shown, &b),
        cmocka_unit_test_prestate(a_larger_packet_fits_after_the_limit_was_raised, &b),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A SUBSCRIBE that looks at much takes turns with everybody else. */
#include "broker/core/replay.h"
#include "broker/core/broker_int.h"
#include "tests/unit/core/bench.h"

#include <stdio.h>

#define TOPICS 999u

static void retain_one(struct bench *b, const char *topic)
{
    struct broker_message m = {span_str(topic), span_str("x"), 0, true};
    assert_int_equal(broker_publish(b->broker, &m), MD_OK);
    while (broker_turn(b->broker) == 0)
        continue;
}

static void fill_topics(struct bench *b)
{
    char topic[32];
    for (unsigned i = 0; i < TOPICS; i++) {
        (void)snprintf(topic, sizeof topic, "t%u", i);
        retain_one(b, topic);
    }
}

static void fill(struct bench *b)
{
    setup(b);
    fill_topics(b);
}

/* Filters that look at every topic and find nothing, and `last`. */
static void subscribe_qos(struct wire *w, unsigned n, const char *last, uint8_t qos)
{
    static uint8_t packet[20000];
    size_t at = 6;
    for (unsigned i = 0; i <= n; i++) {
        char filter[32];
        int len = i == n ? snprintf(filter, sizeof filter, "%s", last)
                         : snprintf(filter, sizeof filter, "+/none/%u", i);
        packet[at++] = 0;
        packet[at++] = (uint8_t)len;
        memcpy(packet + at, filter, (size_t)len);
        at += (size_t)len;
        packet[at++] = qos;
    }
    size_t body = at - 4;
    packet[0] = MQTT_SUBSCRIBE << 4 | 2;
    packet[1] = (uint8_t)(body & 127) | 128;
    packet[2] = (uint8_t)(body >> 7 & 127) | 128;
    packet[3] = (uint8_t)(body >> 14);
    packet[4] = 0;
    packet[5] = 7;
    wire_send(w, span_of(packet, at));
}

static void subscribe(struct wire *w, unsigned n, const char *last)
{
    subscribe_qos(w, n, last, 0);
}

/* Turns until nothing is left to do. */
static unsigned turns(struct bench *b)
{
    unsigned n = 0;
    while (broker_turn(b->broker) == 0)
        assert_true(++n < 1000);
    return n;
}

static void expect_retained(struct wire *w, const char *topic)
{
    struct mqtt_publish p = expect(w, MQTT_PUBLISH).u.publish;
    assert_true(p.retain);
    assert_true(span_is(p.topic, topic));
}

/* [MQTT-3.3.1-6] */
static void what_a_turn_has_room_for_is_done_at_once(void **state)
{
    struct bench *b = *state;
    struct wire w;
    fill(b);
    connected(&w, b, "a", true);
    (void)broker_turn(b->broker);
    subscribe(&w, 4, "t5");
    expect(&w, MQTT_SUBACK);
    expect_retained(&w, "t5");
    assert_true(list_empty(&b->broker->replays));
    wire_close(&w);
    finish(b);
}

/* The budget to the step, and one step less. */
static void the_budget_of_a_turn_is_kept_to(void **state)
{
    struct bench *b = *state;
    struct wire w;
    fill(b);
    connected(&w, b, "a", true);
    size_t each = 0;
    for (unsigned spare = 0; spare < 2; spare++) {
        (void)broker_turn(b->broker);
        if (spare == 1) /* the first filter alone spends it all */
            b->broker->replay_budget = each;
        subscribe(&w, 1, "t5");
        if (spare == 0) {
            each = REPLAY_BUDGET - b->broker->replay_budget;
            each -= 1 + 4 + REPLAY_PER_FILTER; /* what "t5" takes */
            assert_in_range(each, TOPICS, REPLAY_BUDGET - 1);
        }
        expect(&w, MQTT_SUBACK);
        assert_int_equal(list_empty(&b->broker->replays), spare == 0);
        if (spare == 1)
            expect_nothing(&w);
        (void)turns(b);
        expect_retained(&w, "t5");
    }
    b->broker->replay_budget = each + 1;
    subscribe(&w, 1, "t5");
    assert_true(list_empty(&b->broker->replays));
    wire_close(&w);
    finish(b);
}

/* [MQTT-3.8.4-1] SUBACK is at once; what comes behind the SUBSCRIBE is answered in its turn, others
 * in between. */
static void others_have_their_turn_meanwhile(void **state)
{
    struct bench *b = *state;
    struct wire w, other;
    fill(b);
    connected(&w, b, "a", true);
    connected(&other, b, "b", true);
    subscribe(&w, 100, "t5");
    uint64_t before = b->broker->stats.bytes_in;
    wire_ping(&w);
    expect(&w, MQTT_SUBACK);
    expect_nothing(&w);
    assert_false(conn_reading(w.conn));
    (void)broker_turn(b->broker);
    wire_ping(&other);
    expect(&other, MQTT_PINGRESP);
    expect_nothing(&w);
    assert_in_range(turns(b), 5, 200);
    assert_true(conn_reading(w.conn));
    assert_int_equal(b->broker->stats.bytes_in, before + 4); /* each ping is counted once */
    /* Answers leave before messages, as always. */
    expect(&w, MQTT_PINGRESP);
    expect_retained(&w, "t5");
    expect_nothing(&w);
    wire_close(&w);
    wire_close(&other);
    finish(b);
}

static void two_of_them_take_turns(void **state)
{
    struct bench *b = *state;
    struct wire long_one, short_one;
    fill(b);
    connected(&long_one, b, "a", true);
    connected(&short_one, b, "b", true);
    subscribe(&long_one, 500, "t5");
    subscribe(&short_one, 20, "t6");
    expect(&long_one, MQTT_SUBACK);
    expect(&short_one, MQTT_SUBACK);
    for (unsigned i = 0; i < 10; i++)
        (void)broker_turn(b->broker);
    expect_retained(&short_one, "t6");
    expect_nothing(&long_one);
    (void)turns(b);
    expect_retained(&long_one, "t5");
    wire_close(&long_one);
    wire_close(&short_one);
    finish(b);
}

static void a_client_that_goes_takes_its_replay_along(void **state)
{
    struct bench *b = *state;
    struct wire w;
    fill(b);
    connected(&w, b, "a", true);
    subscribe(&w, 100, "t5");
    assert_false(list_empty(&b->broker->replays));
    wire_close(&w);
    assert_true(list_empty(&b->broker->replays));
    assert_int_equal(turns(b), 0);
    finish(b);
}

/* "a" subscribes to "t5", which has a message of this QoS, and goes before it was looked at. */
static void go_early(struct bench *b, uint8_t qos)
{
    struct wire w;
    struct broker_message m = {span_str("t5"), span_str("x"), qos, true};
    fill(b);
    assert_int_equal(broker_publish(b->broker, &m), MD_OK);
    (void)turns(b);
    connected(&w, b, "a", false);
    subscribe_qos(&w, 100, "t5", 1);
    expect(&w, MQTT_SUBACK);
    expect_nothing(&w);
    wire_close(&w);
}

static void come_back(struct wire *w, struct bench *b, bool clean)
{
    wire_open(w, b->broker, 0);
    wire_connect(w, "a", clean, MQTT_3_1_1);
    assert_int_equal(expect(w, MQTT_CONNACK).u.connack.session_present, !clean);
}

/* [MQTT-3.3.1-6] [MQTT-3.1.2-5] It has its SUBACK: a kept Session gets what QoS 1 owes it. */
static void a_kept_session_gets_all_of_it(void **state)
{
    struct bench *b = *state;
    struct wire w;
    for (uint8_t qos = 0; qos < 2; qos++) {
        go_early(b, qos);
        (void)turns(b);
        come_back(&w, b, false);
        if (qos == 1) /* as with any message, QoS 0 does not wait for absent clients */
            expect_retained(&w, "t5");
        expect_nothing(&w);
        wire_close(&w);
        finish(b);
    }
}

/* What it sends on its next connection waits for it as it would have on the first. */
static void a_resumed_session_waits_for_its_replay(void **state)
{
    struct bench *b = *state;
    struct wire w;
    go_early(b, 1);
    (void)broker_turn(b->broker);
    come_back(&w, b, false);
    wire_ping(&w);
    expect_nothing(&w);
    assert_false(conn_reading(w.conn));
    (void)turns(b);
    assert_true(conn_reading(w.conn));
    expect(&w, MQTT_PINGRESP);
    expect_retained(&w, "t5");
    wire_close(&w);
    finish(b);
}

/* [MQTT-3.1.2-6] */
static void a_session_that_ends_takes_its_replay_along(void **state)
{
    struct bench *b = *state;
    struct wire w;
    go_early(b, 1);
    assert_false(list_empty(&b->broker->replays));
    come_back(&w, b, true);
    assert_true(list_empty(&b->broker->replays));
    assert_true(conn_reading(w.conn));
    wire_close(&w);
    finish(b);
    go_early(b, 1);
    finish(b); /* the broker stops */
}

/* One with more to do is not worked for while it is away; it is owed all the same. */
static void an_absent_session_has_a_limit(void **state)
{
    struct bench *b = *state;
    for (unsigned past = 0; past < 2; past++) {
        struct wire w;
        struct broker_message m = {span_str("t5"), span_str("x"), 1, true};
        setup(b);
        assert_int_equal(broker_publish(b->broker, &m), MD_OK);
        (void)turns(b);
        connected(&w, b, "a", false);
        b->broker->replay_budget = 0;
        subscribe_qos(&w, REPLAY_AWAY - 1 + past, "t5", 1);
        assert_false(list_empty(&b->broker->replays));
        wire_close(&w);
        assert_int_equal(list_empty(&b->broker->replays), past);
        come_back(&w, b, false);
        assert_false(conn_reading(w.conn));
        (void)turns(b);
        expect_retained(&w, "t5");
        expect_nothing(&w);
        assert_true(conn_reading(w.conn));
        wire_close(&w);
        finish(b);
    }
}

/* Nobody is there to be disconnected: what it is owed waits until it is back. */
static void without_memory_an_absent_session_stays(void **state)
{
    struct bench *b = *state;
    struct wire w;
    log_set_sink(quiet, NULL);
    go_early(b, 1);
    (void)mem_fail_after(1);
    (void)broker_turn(b->broker);
    (void)mem_fail_after(-1);
    log_set_sink(NULL, NULL);
    assert_true(list_empty(&b->broker->replays));
    come_back(&w, b, false);
    wire_ping(&w);
    (void)turns(b);
    expect(&w, MQTT_PINGRESP);
    expect_retained(&w, "t5");
    expect_nothing(&w);
    wire_close(&w);
    finish(b);
}

static int count_one(void *ctx, struct span key, struct span value)
{
    (void)key;
    (void)value;
    ++*(size_t *)ctx;
    return MD_OK;
}

static size_t stored(struct bench *b)
{
    size_t n = 0;
    assert_int_equal(store_each(b->store, STORE_REPLAY, count_one, &n), MD_OK);
    return n;
}

/* "a" is told that it is subscribed to KEPT topics whose messages are on the disk, others between
 * them, and goes. */
#define KEPT 4u
static void subscribe_kept(struct bench *b, uint8_t qos)
{
    static const char *const last[KEPT] = {"kept/0", "kept/1", "kept/2", "kept/3"};
    struct wire w;
    setup_stored(b);
    connected(&w, b, "p", true);
    for (unsigned i = 0; i < KEPT; i++)
        wire_publish(&w, last[i], "x", MQTT_QOS2, true, (uint16_t)(i + 1));
    wire_close(&w);
    fill_topics(b);
    static uint8_t packet[8000] = {MQTT_SUBSCRIBE << 4 | 2, 0x80, 0x80, 0, 0, 7};
    size_t at = 6;
    for (unsigned i = 0; i < 200; i++) {
        char filter[32];
        int n = i % 50 == 49 ? snprintf(filter, sizeof filter, "%s", last[i / 50])
                             : snprintf(filter, sizeof filter, "+/none/%u", i);
        packet[at++] = 0;
        packet[at++] = (uint8_t)n;
        memcpy(packet + at, filter, (size_t)n);
        at += (size_t)n;
        packet[at++] = qos;
    }
    packet[1] = (uint8_t)((at - 4) & 127) | 128;
    packet[2] = (uint8_t)((at - 4) >> 7 & 127) | 128;
    connected(&w, b, "a", false);
    wire_send(&w, span_of(packet, at));
    expect(&w, MQTT_SUBACK);
    wire_close(&w);
}

static void take_kept(struct bench *b, uint8_t qos)
{
    struct wire w;
    bool seen[KEPT] = {false};
    connected(&w, b, "a", false);
    for (unsigned i = 0; i < KEPT; i++) {
        struct mqtt_publish p = expect(&w, MQTT_PUBLISH).u.publish;
        unsigned which = p.topic.p[p.topic.n - 1] - '0';
        assert_int_equal(p.qos, qos);
        assert_false(seen[which]); /* not twice either */
        seen[which] = true;
    }
    expect_nothing(&w);
    wire_close(&w);
}

/* [MQTT-3.3.1-6] [MQTT-3.1.2-4] The broker dies in the middle, once or time and again: SUBACK has
 * promised all of it. */
static void a_restart_takes_nothing_from_a_kept_session(void **state)
{
    struct bench *b = *state;
    for (unsigned done = 0, was = 1; was != 0; done++)
        for (uint8_t qos = 1; qos <= 2; qos++) {
            subscribe_kept(b, qos);
            assert_true(stored(b) > 0);
            for (unsigned i = 0; i < done; i++)
                (void)broker_turn(b->broker);
            was = (unsigned)stored(b);
            restart(b);
            fill_topics(b); /* some turns */
            restart(b);
            fill_topics(b);
            (void)turns(b);
            assert_int_equal(stored(b), 0);
            take_kept(b, qos);
            finish(b);
            assert_true(done < 100);
        }
}

/* It is not left to the next Session of that number. */
static void a_stored_replay_goes_with_its_session(void **state)
{
    struct bench *b = *state;
    struct wire w;
    subscribe_kept(b, 1);
    (void)broker_turn(b->broker);
    assert_int_equal(stored(b), 2);
    restart(b);
    connected(&w, b, "a", true);
    assert_int_equal(stored(b), 0);
    assert_true(list_empty(&b->broker->replays));
    wire_close(&w);
    finish(b);
}

/* F150 F153 */
static void a_stored_replay_that_makes_no_sense_is_left_out(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *key, *value;
        size_t key_n, value_n;
    } odd[] = {{"\0\0\0\1", "", 4, 0},          {"\0\0\0\1", "\0\2t5\3", 4, 5},
               {"\0\0\0\1", "\0\2t5", 4, 4},    {"\0\0\0\1", "\0\2t5\1\0", 4, 6},
               {"\0\0\0\1", "\0\0\1", 4, 3},    {"\0\0\0\7", "\0\2t5\1", 4, 5},
               {"\0\0\1", "\0\2t5\1", 3, 5},    {"\0\0\0\1\0\0", "\0\2t5\1", 6, 5},
               {"\0\0\0\1", "\0\2t6\1", 4, 5},  {"\0\0\0\1", "\0\2t5\1\0\1#\1", 4, 9},
               {"\0\0\0\1\0", "\0\0\0\1", 5, 4}};
    struct wire w;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        setup_stored(b);
        connected(&w, b, "a", false);
        wire_subscribe(&w, "t5", MQTT_QOS1);
        wire_close(&w);
        assert_int_equal(store_put(b->store, STORE_REPLAY, span_of(odd[i].key, odd[i].key_n),
                                   span_of(odd[i].value, odd[i].value_n), STORE_NOW),
                         MD_OK);
        restart(b);
        assert_true(list_empty(&b->broker->replays));
        assert_int_equal(stored(b), 0);
        finish(b);
    }
}

/* How much is done, at what it may say and past it. */
static void how_far_it_came_is_checked(void **state)
{
    struct bench *b = *state;
    for (char done = 0; done <= 2; done++) {
        const char value[] = {0, 0, 0, done};
        struct wire w;
        setup_stored(b);
        connected(&w, b, "a", false);
        wire_subscribe(&w, "t1", MQTT_QOS1);
        wire_subscribe(&w, "t2", MQTT_QOS1);
        wire_close(&w);
        assert_int_equal(store_put(b->store, STORE_REPLAY, span_of("\0\0\0\1", 4),
                                   span_of("\0\2t1\1\0\2t2\1", 10), STORE_NOW),
                         MD_OK);
        assert_int_equal(store_put(b->store, STORE_REPLAY, span_of("\0\0\0\1\0", 5),
                                   span_of(value, 4), STORE_NOW),
                         MD_OK);
        restart(b);
        assert_int_equal(stored(b), done == 2 ? 1 : 2);
        assert_false(list_empty(&b->broker->replays));
        (void)turns(b);
        assert_int_equal(stored(b), 0);
        finish(b);
    }
}

/* It is not held against a client that we did not read. */
static void keep_alive_waits_for_us(void **state)
{
    struct bench *b = *state;
    struct wire w;
    fill(b);
    wire_open(&w, b->broker, 0);
    wire_connect_with(&w, &(struct mqtt_connect){.level = MQTT_3_1_1,
                                                 .clean_session = true,
                                                 .keep_alive_s = 10,
                                                 .client_id = span_str("a")});
    expect(&w, MQTT_CONNACK);
    subscribe(&w, 500, "t5");
    for (unsigned i = 0; i < 20; i++)
        step(b, 1000);
    assert_false(conn_closing(w.conn));
    assert_false(list_empty(&b->broker->replays));
    (void)turns(b);
    step(b, 14000);
    assert_false(conn_closing(w.conn));
    for (unsigned i = 0; i < 4; i++)
        step(b, 400);
    assert_true(conn_closing(w.conn));
    wire_close(&w);
    finish(b);
}

/* [MQTT-4.8.0-2] */
static void without_memory_the_connection_ends(void **state)
{
    struct bench *b = *state;
    struct wire w;
    log_set_sink(quiet, NULL);
    fill(b);
    bool closing = true;
    for (long after = 1; closing; after++) {
        long left = after;
        connected(&w, b, "a", true);
        w.fail_after = &left;
        subscribe(&w, 100, "t5");
        closing = conn_closing(w.conn);
        wire_close(&w);
        (void)turns(b);
        assert_true(list_empty(&b->broker->replays));
        assert_true(after < 1000);
    }
    log_set_sink(NULL, NULL);
    finish(b);
}

/* What is stored has a replay at any time: left alone, it would be done in the place of a later
 * one, or for whoever is given the number of its Session. */
static void without_memory_no_stored_replay_is_left_alone(void **state)
{
    struct bench *b = *state;
    struct wire w;
    log_set_sink(quiet, NULL);
    setup_stored(b);
    fill_topics(b);
    bool closing = true;
    for (long after = 1; closing; after++) {
        long left = after;
        connected(&w, b, "a", false);
        w.fail_after = &left;
        subscribe(&w, 100, "t5");
        closing = conn_closing(w.conn);
        bool any = !list_empty(&b->broker->replays) || !list_empty(&b->broker->replays_paused);
        assert_int_equal(stored(b) > 0, any);
        wire_close(&w);
        connected(&w, b, "a", true);
        wire_close(&w);
        assert_int_equal(stored(b), 0);
        assert_true(after < 1000);
    }
    log_set_sink(NULL, NULL);
    finish(b);
}

int main(void)
{
    static struct bench b;
    void *it = &b;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(what_a_turn_has_room_for_is_done_at_once, it),
        cmocka_unit_test_prestate(the_budget_of_a_turn_is_kept_to, it),
        cmocka_unit_test_prestate(others_have_their_turn_meanwhile, it),
        cmocka_unit_test_prestate(two_of_them_take_turns, it),
        cmocka_unit_test_prestate(a_client_that_goes_takes_its_replay_along, it),
        cmocka_unit_test_prestate(a_kept_session_gets_all_of_it, it),
        cmocka_unit_test_prestate(a_resumed_session_waits_for_its_replay, it),
        cmocka_unit_test_prestate(a_session_that_ends_takes_its_replay_along, it),
        cmocka_unit_test_prestate(an_absent_session_has_a_limit, it),
        cmocka_unit_test_prestate(without_memory_an_absent_session_stays, it),
        cmocka_unit_test_prestate(a_restart_takes_nothing_from_a_kept_session, it),
        cmocka_unit_test_prestate(a_stored_replay_goes_with_its_session, it),
        cmocka_unit_test_prestate(a_stored_replay_that_makes_no_sense_is_left_out, it),
        cmocka_unit_test_prestate(how_far_it_came_is_checked, it),
        cmocka_unit_test_prestate(keep_alive_waits_for_us, it),
        cmocka_unit_test_prestate(without_memory_the_connection_ends, it),
        cmocka_unit_test_prestate(without_memory_no_stored_replay_is_left_alone, it),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

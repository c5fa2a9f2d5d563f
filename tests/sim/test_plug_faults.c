/* The simulated plug notices the mistakes of a broker, and has the vices of real ones. */
#include "tests/sim/plug_asserts.h"

static void test_a_repeated_message_id_is_dropped(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = bound_after(&o, 1000);
    bench_ask(b, "SET", TOGGLEX, NULL, "{\"togglex\":{\"channel\":0,\"onoff\":1}}");
    bench_run(b, 100);
    bench_forget(b);
    bench_ask(b, "SET", TOGGLEX, b->last_id, "{\"togglex\":{\"channel\":0,\"onoff\":0}}");
    bench_run(b, 100);
    assert_true(simplug_status(b->plug)->relay[0]);
    assert_int_equal(b->n_said, 0);
    assert_int_equal(simplug_status(b->plug)->repeats, 1);
    assert_violation(b, "is not new");
    bench_free(b);
}

static void test_a_second_bind_answer_is_dropped(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = bound_after(&o, 1000);
    bench_ask(b, "SETACK", BIND, bench_find(b, BIND, "SET", 0)->id, "{}");
    assert_int_equal(simplug_status(b->plug)->repeats, 1);
    bench_free(b);
}

static void test_wrong_sign_is_answered_with_5001_or_with_nothing(void **state)
{
    (void)state;
    const char *const options[] = {"wrong_key=error", "wrong_key=silence"};
    for (size_t i = 0; i < 2; i++) {
        struct simplug_options o = preset("mss210");
        assert_int_equal(simplug_options_set(&o, options[i]), MD_OK);
        struct bench *b = bound_after(&o, 1000);
        b->key = "another";
        bench_ask(b, "SET", TOGGLEX, NULL, "{\"togglex\":{\"channel\":0,\"onoff\":1}}");
        bench_run(b, 100);
        const struct bench_message *m = bench_answer(b);
        assert_int_equal(m != NULL, i == 0);
        if (m != NULL) {
            assert_string_equal(m->method, "ERROR");
            assert_string_equal(m->topic, "/app/0-test/subscribe");
            assert_non_null(
                strstr(m->payload, "{\"error\":{\"code\":5001,\"detail\":\"sign error\"}}"));
        }
        assert_false(simplug_status(b->plug)->relay[0]);
        assert_int_equal(simplug_status(b->plug)->bad_signs, 1);
        bench_free(b);
    }
}

/* Sheet 2.4: MH#144. */
static void test_malformed_payloads_make_it_click_and_reboot(void **state)
{
    (void)state;
    const char *const payloads[] = {
        "0", "1", "", "hello", "{", "{\"header\":", "[]", "\"x\"", "{}}"};
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        struct simplug_options o = preset("mss210");
        struct bench *b = bound_after(&o, 1000);
        bench_publish(b, span_str(payloads[i]), 0);
        assert_int_equal(simplug_status(b->plug)->reboots, 1);
        assert_led(b, SIMPLUG_LED_BLINKING_GREEN);
        bench_run(b, 2999);
        assert_int_equal(b->closes, 1);
        assert_int_equal(b->disconnects, 0);
        assert_int_equal(b->connects, 1);
        bench_run(b, 1);
        assert_int_equal(b->connects, 2);
        assert_led(b, SIMPLUG_LED_SOLID_GREEN);
        assert_violation(b, "not a JSON object");
        bench_free(b);
    }
}

static void test_retain_and_oversize_make_it_reboot_too(void **state)
{
    (void)state;
    char big[SIMPLUG_MAX_PAYLOAD + 1];
    struct simplug_options o = preset("mss210");
    struct bench *b = bound_after(&o, 1000);
    memset(big, ' ', sizeof big);
    memcpy(big, "{}", 2);
    bench_publish(b, span_of(big, SIMPLUG_MAX_PAYLOAD), 0); /* read, and found wanting */
    assert_non_null(strstr(simplug_violation(b->plug, 0), "messageId"));
    bench_run(b, 5000);
    bench_publish(b, span_of(big, SIMPLUG_MAX_PAYLOAD + 1), 0);
    assert_int_equal(simplug_status(b->plug)->reboots, 2);
    assert_violation(b, "larger than 2 kB");
    bench_run(b, 5000);
    bench_publish(b, span_str("{}"), 1);
    assert_int_equal(simplug_status(b->plug)->reboots, 3);
    assert_violation(b, "RETAIN");
    bench_free(b);
}

static void test_a_sturdy_plug_only_complains(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    o.reboot_on_malformed = false;
    struct bench *b = bound_after(&o, 1000);
    bench_publish(b, span_str("1"), 0);
    assert_int_equal(simplug_status(b->plug)->reboots, 0);
    assert_true(simplug_status(b->plug)->bound);
    assert_violation(b, "not a JSON object");
    bench_free(b);
}

static void test_headers_that_lack_something(void **state)
{
    (void)state;
    const struct {
        const char *json, *fault;
    } cases[] = {
        {"{}", "messageId"},
        {"{\"header\":{\"messageId\":\"0123456789ABCDEF0123456789abcdef\"}}", "messageId"},
        {"{\"header\":{\"messageId\":\"0123456789abcdef0123456789abcdef\"}}", "namespace"},
        {"{\"header\":{\"messageId\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"a\"}}",
         "method"},
        {"{\"header\":{\"messageId\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"a\","
         "\"method\":\"GET\"}}",
         "timestamp"},
        {"{\"header\":{\"messageId\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"a\","
         "\"method\":\"GET\",\"timestamp\":1}}",
         "sign"},
        {"{\"header\":{\"messageId\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"a\","
         "\"method\":\"GET\",\"timestamp\":1,\"sign\":\"\"}}",
         "payload"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct simplug_options o = preset("mss210");
        struct bench *b = bound_after(&o, 1000);
        bench_publish(b, span_str(cases[i].json), 0);
        assert_violation(b, cases[i].fault);
        assert_int_equal(simplug_status(b->plug)->reboots, 1);
        bench_free(b);
    }
}

static void test_old_timestamps(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    assert_int_equal(simplug_options_set(&o, "timestamp_window_s=10"), MD_OK);
    struct bench *b = bound_after(&o, 1000);
    const char *id = "0123456789abcdef0123456789abcdef";
    const char *id2 = "1123456789abcdef0123456789abcdef";
    const char *id3 = "2123456789abcdef0123456789abcdef";
    bench_say(b, "GET", ALL, id, BENCH_WALL_S - 1, NULL, "{}"); /* 2 s: as it should be */
    bench_run(b, 20);
    assert_clean(b);
    assert_int_equal(bench_count(b, ALL, "GETACK"), 1);
    bench_say(b, "GET", ALL, id2, BENCH_WALL_S - 2, NULL, "{}"); /* 3 s: told, answered */
    bench_run(b, 20);
    assert_violation(b, "3 s off");
    assert_int_equal(bench_count(b, ALL, "GETACK"), 2);
    bench_say(b, "GET", ALL, id3, BENCH_WALL_S - 10, NULL, "{}"); /* 11 s: dropped */
    bench_run(b, 20);
    assert_int_equal(bench_count(b, ALL, "GETACK"), 2);
    bench_free(b);
}

static void test_its_own_timestamps_as_strings(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    assert_int_equal(simplug_options_set(&o, "string_timestamp=1"), MD_OK);
    struct bench *b = bound_after(&o, 1000);
    assert_non_null(strstr(bench_find(b, BIND, "SET", 0)->payload,
                           "\"timestamp\":\"1700000000\",\"timestampMs\":"));
    bench_free(b);
}

static void test_silent_death(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    assert_int_equal(simplug_options_set(&o, "silent_after_ms=30000"), MD_OK);
    struct bench *b = bound_after(&o, 1000);
    bench_run(b, 60 * MINUTE);
    assert_true(simplug_status(b->plug)->dead);
    assert_true(b->open);
    assert_int_equal(b->pings, 0);
    assert_int_equal(b->disconnects, 0);
    size_t said = b->n_said;
    bench_ask(b, "GET", ALL, NULL, "{}");
    simplug_button(b->plug, 0, b->now);
    bench_run(b, 1000);
    assert_int_equal(b->n_said, said);
    simplug_power_cycle(b->plug, b->now);
    bench_run(b, 5000);
    assert_int_equal(b->connects, 2);
    assert_true(simplug_status(b->plug)->bound);
    bench_free(b);
}

static void test_byte_by_byte_in_both_directions(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    assert_int_equal(simplug_options_set(&o, "fragment=1"), MD_OK);
    struct bench *b = open_bench(&o);
    b->drip = b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, 1000);
    bench_ask(b, "GET", ALL, NULL, "{}");
    bench_run(b, 1000);
    assert_non_null(bench_answer(b));
    assert_int_equal(b->longest_piece, 1);
    assert_clean(b);
    bench_free(b);
}

static void test_dup_republish(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    assert_int_equal(simplug_options_set(&o, "dup_republish=1"), MD_OK);
    struct bench *b = bound_after(&o, 1000);
    const struct bench_message *first = bench_find(b, BIND, "SET", 0);
    const struct bench_message *second = bench_find(b, BIND, "SET", 1);
    assert_int_equal(first->packet_id, second->packet_id);
    assert_false(first->dup);
    assert_true(second->dup);
    assert_string_equal(first->payload, second->payload);
    assert_int_equal(simplug_status(b->plug)->repeats, 1); /* two answers, the second dropped */
    bench_free(b);
}

static void test_no_pingresp(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = bound_after(&o, 1000);
    b->no_pong = true;
    bench_run(b, 2 * MINUTE + 8999);
    assert_int_equal(b->pings, 1);
    assert_int_equal(b->closes, 0);
    bench_run(b, 1);
    assert_int_equal(b->closes, 1);
    assert_violation(b, "no PINGRESP");
    bench_free(b);
}

static void test_no_puback(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    b->ack_bind = b->no_puback = true;
    bench_run(b, 4999);
    assert_clean(b);
    bench_run(b, 1);
    assert_violation(b, "no PUBACK");
    bench_free(b);
}

static void test_no_connack(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    b->no_connack = true;
    bench_run(b, 9999);
    assert_clean(b);
    assert_int_equal(b->n_said, 0);
    bench_run(b, 1);
    assert_violation(b, "no CONNACK");
    assert_int_equal(b->closes, 1);
    bench_free(b);
}

static void test_refused(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    b->connack = MQTT_REFUSED_LEVEL;
    bench_run(b, 0);
    assert_int_equal(simplug_status(b->plug)->refused, 1);
    assert_int_equal(b->closes, 1);
    bench_run(b, o.retry_ms);
    assert_int_equal(b->connects, 2);
    bench_free(b);
}

/* What a broker may not send, as bytes. */
static void test_faults_of_the_broker(void **state)
{
    (void)state;
    const struct {
        const char *fault;
        uint8_t n, bytes[8];
    } cases[] = {
        {"second CONNACK", 4, {0x20, 2, 0, 0}},
        {"not in flight", 4, {0x40, 2, 0x30, 0x39}},
        {"does not fit the SUBSCRIBE", 5, {0x90, 3, 0, 9, 1}},
        {"PINGRESP without PINGREQ", 2, {0xD0, 0}},
        {"has not subscribed", 7, {0x30, 5, 0, 1, 'a', '{', '}'}},
        {"malformed packet", 2, {0xF0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct simplug_options o = preset("mss210");
        struct bench *b = bound_after(&o, 1000);
        bench_feed(b, span_of(cases[i].bytes, cases[i].n));
        assert_violation(b, cases[i].fault);
        bench_free(b);
    }
}

static void test_suback_faults(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct simplug *p = NULL;
    const uint8_t connack[] = {0x20, 2, 0, 0}, suback[] = {0x90, 3, 0, 1, 0x80};
    assert_int_equal(simplug_new(&o, 0, &p), MD_OK);
    simplug_connected(p, 0);
    simplug_feed(p, span_of(connack, sizeof connack), 0);
    assert_int_equal(simplug_violations(p), 0);
    simplug_feed(p, span_of(suback, sizeof suback), 0);
    assert_string_equal(simplug_violation(p, 0), "SUBACK grants 0x80 instead of QoS 1");
    simplug_free(p);
}

static void test_a_publish_before_connack(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct simplug *p = NULL;
    const uint8_t publish[] = {0x30, 5, 0, 1, 'a', '{', '}'};
    assert_int_equal(simplug_new(&o, 0, &p), MD_OK);
    simplug_connected(p, 0);
    simplug_feed(p, span_of(publish, sizeof publish), 0);
    assert_string_equal(simplug_violation(p, 0), "a packet of type 3 before CONNACK");
    assert_true(simplug_wants_close(p));
    simplug_free(p);
}

static void test_qos_1_and_2_to_it(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    o.reboot_on_malformed = false;
    struct bench *b = bound_after(&o, 1000);
    bench_publish(b, span_str("{}"), 2); /* QoS 1 */
    bench_run(b, 0);
    assert_int_equal(b->pubacks, 1);
    bench_publish(b, span_str("{}"), 4);
    assert_violation(b, "QoS 2");
    bench_free(b);
}

static void test_presets_and_options(void **state)
{
    (void)state;
    struct simplug_options o;
    assert_int_equal(simplug_options_preset(&o, "toaster", 0), MD_NOENT);
    assert_int_equal(simplug_options_preset(&o, "mss310", 7), MD_OK);
    assert_string_equal(o.uuid, "2101011234567890123448e1e912345d");
    assert_string_equal(o.mac, "48:e1:e9:12:34:5d");
    assert_int_equal(simplug_options_set(&o, "fw=7.3.3"), MD_OK);
    assert_string_equal(o.fw, "7.3.3");
    assert_int_equal(simplug_options_set(&o, "channels=8"), MD_OK);
    assert_int_equal(o.channels, 8);
    assert_int_equal(simplug_options_set(&o, "metering=2"), MD_INVAL);
    assert_int_equal(simplug_options_set(&o, "channels=two"), MD_INVAL);
    assert_int_equal(simplug_options_set(&o, "shape=round"), MD_INVAL);
    assert_int_equal(simplug_options_set(&o, "hw=1234567890123"), MD_INVAL);
    assert_int_equal(simplug_options_set(&o, "colour=red"), MD_NOENT);
    assert_int_equal(simplug_options_set(&o, "fw"), MD_INVAL);
    assert_string_equal(o.hw, "6.0.0");
}

static void test_plug_new_refuses_nonsense(void **state)
{
    (void)state;
    struct simplug *p = NULL;
    struct simplug_options o = preset("mss310");
    o.channels = SIMPLUG_MAX_CHANNELS + 1;
    assert_int_equal(simplug_new(&o, 0, &p), MD_INVAL);
    o.channels = 0;
    assert_int_equal(simplug_new(&o, 0, &p), MD_INVAL);
    o.channels = SIMPLUG_MAX_CHANNELS;
    assert_int_equal(simplug_new(&o, 0, &p), MD_OK);
    simplug_free(p);
    o.uuid[0] = '\0';
    assert_int_equal(simplug_new(&o, 0, &p), MD_INVAL);
}

/* Whatever allocation fails, the plug stays sane. */
static void test_out_of_memory(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    for (long n = 1; n < 60; n++) {
        struct bench *b = NULL;
        mem_fail_after(n);
        int err = bench_new(&o, &b);
        if (err == MD_OK) {
            b->ack_bind = b->answer_clock = b->answer_config = true;
            bench_run(b, 1000);
            bench_ask(b, "GET", ALL, NULL, "{}");
            bench_run(b, 1000);
        }
        mem_fail_after(-1);
        if (err == MD_OK)
            bench_run(b, MINUTE);
        bench_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_repeated_message_id_is_dropped),
        TEST(test_a_second_bind_answer_is_dropped),
        TEST(test_wrong_sign_is_answered_with_5001_or_with_nothing),
        TEST(test_malformed_payloads_make_it_click_and_reboot),
        TEST(test_retain_and_oversize_make_it_reboot_too),
        TEST(test_a_sturdy_plug_only_complains),
        TEST(test_headers_that_lack_something),
        TEST(test_old_timestamps),
        TEST(test_its_own_timestamps_as_strings),
        TEST(test_silent_death),
        TEST(test_byte_by_byte_in_both_directions),
        TEST(test_dup_republish),
        TEST(test_no_pingresp),
        TEST(test_no_puback),
        TEST(test_no_connack),
        TEST(test_refused),
        TEST(test_faults_of_the_broker),
        TEST(test_suback_faults),
        TEST(test_a_publish_before_connack),
        TEST(test_qos_1_and_2_to_it),
        TEST(test_presets_and_options),
        TEST(test_plug_new_refuses_nonsense),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("plug faults", tests, NULL, NULL);
}

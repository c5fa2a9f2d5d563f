/* The simulated plug behaves as the recorded one: timeline, credentials, LED, pairing. */
#include "tests/sim/plug_asserts.h"

/* Sheet 2.1 and 11. */
static void test_connects_as_the_sheet_says(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    assert_int_equal(b->level, MQTT_3_1);
    assert_true(b->clean_session);
    assert_false(b->will);
    assert_int_equal(b->keep_alive_s, 120);
    assert_int_equal(strlen(b->client_id), 56);
    assert_memory_equal(b->client_id, "fmware:2101011234567890123448e1e9123456_", 40);
    assert_string_equal(b->username, "48:e1:e9:12:34:56");
    assert_string_equal(b->password, "0_ab3ffddc9a9b94dab1487702ddd054d2");
    assert_string_equal(b->filter, "/appliance/2101011234567890123448e1e9123456/subscribe");
    assert_int_equal(b->filter_qos, MQTT_QOS1);
    assert_clean(b);
    bench_free(b);
}

static void test_password_holds_key_and_user_id(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    assert_int_equal(simplug_options_set(&o, "key=00112233445566778899aabbccddeeff"), MD_OK);
    assert_int_equal(simplug_options_set(&o, "user_id=1234"), MD_OK);
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    assert_string_equal(b->password, "1234_06a100ddbabbe250dd918cb61b390978");
    bench_free(b);
}

static void test_level_4_and_short_keep_alive(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss425e");
    o.level = 4;
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    assert_int_equal(b->level, MQTT_3_1_1);
    assert_int_equal(b->keep_alive_s, 30);
    bench_free(b);
}

/* Sheet 4.1, recorded: Report 388 bytes, Bind 766 bytes at 0, 5 and 10 s, DISCONNECT at 15 s, back
 * at 24 s with the same client id and packet ids that run on. */
static void test_unanswered_it_keeps_the_recorded_timeline(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    char client_id[128];
    bench_run(b, 23999);
    memcpy(client_id, b->client_id, sizeof client_id);
    assert_int_equal(b->connects, 1);
    assert_int_equal(bench_count(b, REPORT, "PUSH"), 1);
    assert_int_equal(bench_find(b, REPORT, "PUSH", 0)->at, 0);
    assert_int_equal(bench_find(b, REPORT, "PUSH", 0)->n, 388);
    assert_int_equal(bench_count(b, BIND, "SET"), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct bench_message *bind = bench_find(b, BIND, "SET", i);
        assert_int_equal(bind->at, 5000 * i);
        assert_int_equal(bind->n, 766);
        assert_int_equal(bind->qos, MQTT_QOS1);
        assert_false(bind->retain);
        assert_string_equal(bind->topic, "/appliance/2101011234567890123448e1e9133456/publish");
        assert_non_null(strstr(
            bind->payload, "\"from\":\"/appliance/2101011234567890123448e1e9133456/subscribe\""));
    }
    assert_int_equal(b->n_said, 4);
    assert_int_equal(b->disconnects, 1);
    assert_int_equal(b->disconnect_at, 15000);
    uint16_t last_id = bench_find(b, BIND, "SET", 2)->packet_id;
    assert_led(b, SIMPLUG_LED_BLINKING_GREEN);

    bench_run(b, 1);
    assert_int_equal(b->connects, 2);
    assert_int_equal(b->connect_at, 24000);
    assert_string_equal(b->client_id, client_id);
    assert_int_equal(b->first_id, last_id + 1);
    assert_int_equal(bench_count(b, REPORT, "PUSH"), 2);
    assert_int_equal(bench_count(b, BIND, "SET"), 4);
    assert_clean(b);
    bench_free(b);
}

static void test_it_tries_for_ever_without_a_time_to_give_up(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    o.give_up_ms = 0;
    struct bench *b = open_bench(&o);
    bench_run(b, 10 * MINUTE - 1);
    assert_int_equal(b->connects, 25); /* every 24 s */
    assert_int_equal(b->disconnects, 25);
    assert_int_equal(bench_count(b, BIND, "SET"), 75);
    assert_led(b, SIMPLUG_LED_BLINKING_GREEN);
    bench_free(b);
}

static void test_gives_up_after_45_s(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    bench_run(b, 44999);
    assert_led(b, SIMPLUG_LED_BLINKING_GREEN);
    bench_run(b, 1);
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    bench_run(b, 10 * MINUTE);
    assert_int_equal(b->connects, 2); /* at 0 and 24 s, none after */
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    bench_free(b);
}

static void test_gives_up_when_only_the_clock_is_missing(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 44999);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 23); /* 0, 2 ... 44 s */
    bench_run(b, 1);
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    assert_int_equal(b->disconnects, 1);
    bench_free(b);
}

static void test_one_answered_bind_is_enough(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 10 * MINUTE);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    assert_true(simplug_status(b->plug)->bound);
    assert_int_equal(bench_count(b, BIND, "SET"), 1);
    assert_int_equal(b->connects, 1);
    assert_int_equal(b->disconnects, 0);
    assert_int_equal(b->pings, 5); /* every 120 s */
    assert_int_equal(b->ping_at, 600000);
    assert_clean(b);
    bench_free(b);
}

/* Sheet 1.2: who does not know the key sends the plug's own id, time and sign back. */
static void test_bind_can_be_acknowledged_without_the_key(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    assert_int_equal(simplug_options_set(&o, "key=secret"), MD_OK);
    struct bench *b = open_bench(&o);
    bench_run(b, 300);
    const struct bench_message *bind = bench_find(b, BIND, "SET", 0);
    char sign[33];
    bench_sign(bind->id, "secret", "1700000000", sign);
    assert_non_null(strstr(bind->payload, sign));
    bench_say(b, "SETACK", BIND, bind->id, 1700000000, sign, "{}");
    assert_true(simplug_status(b->plug)->bound);
    assert_int_equal(simplug_status(b->plug)->bound_ms, 300);
    assert_clean(b);
    bench_free(b);
}

static void test_bind_answers_that_do_not_fit(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    bench_ask(b, "SETACK", BIND, NULL, "{}");
    assert_violation(b, "answers no Bind SET");
    assert_false(simplug_status(b->plug)->bound);
    b->key = "wrong";
    bench_ask(b, "SETACK", BIND, bench_find(b, BIND, "SET", 0)->id, "{}");
    assert_violation(b, "wrong sign on SETACK");
    assert_false(simplug_status(b->plug)->bound);
    b->key = "";
    bench_ask(b, "SETACK", BIND, bench_find(b, BIND, "SET", 0)->id, "{\"bind\":{}}");
    assert_violation(b, "with a payload");
    bench_free(b);
}

static void test_a_late_bind_answer_is_told(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    o.bind_new_ids = true;
    struct bench *b = open_bench(&o);
    bench_run(b, 5001);
    bench_ask(b, "SETACK", BIND, bench_find(b, BIND, "SET", 0)->id, "{}");
    assert_violation(b, "after more than 5 s");
    bench_free(b);
}

static void test_repeated_binds_keep_or_change_their_id(void **state)
{
    (void)state;
    for (int new_ids = 0; new_ids < 2; new_ids++) {
        struct simplug_options o = preset("mss210");
        o.bind_new_ids = new_ids == 1;
        struct bench *b = open_bench(&o);
        bench_run(b, 14000);
        bool same =
            strcmp(bench_find(b, BIND, "SET", 0)->id, bench_find(b, BIND, "SET", 2)->id) == 0;
        assert_int_equal(same, new_ids == 0);
        bench_ask(b, "SETACK", BIND, bench_find(b, BIND, "SET", 2)->id, "{}");
        assert_true(simplug_status(b->plug)->bound);
        assert_clean(b);
        bench_free(b);
    }
}

/* Sheet 4.2: firmware 1.1 pushes Bind and waits for the clock. */
static void test_bind_as_push_wants_no_answer(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss425e");
    struct bench *b = open_bench(&o);
    bench_run(b, 20000);
    assert_int_equal(bench_count(b, BIND, "PUSH"), 1);
    assert_int_equal(bench_count(b, BIND, "SET"), 0);
    assert_int_equal(b->disconnects, 0);
    assert_false(simplug_status(b->plug)->bound);
    bench_ask(b, "GET", ALL, NULL, "{}");
    bench_run(b, 100);
    assert_non_null(bench_answer(b));
    b->answer_clock = true;
    bench_run(b, 2000);
    assert_true(simplug_status(b->plug)->bound);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    assert_clean(b);
    bench_ask(b, "SETACK", BIND, bench_find(b, BIND, "PUSH", 0)->id, "{}");
    assert_violation(b, "answers no Bind SET");
    bench_free(b);
}

static void test_clock_every_2_s_until_answered(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 5000);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 3);
    assert_int_equal(bench_find(b, CLOCK, "PUSH", 1)->at, 2000);
    /* Until then it counts from its boot. */
    assert_non_null(
        strstr(bench_find(b, CLOCK, "PUSH", 1)->payload, "{\"clock\":{\"timestamp\":6}}"));
    b->answer_clock = true;
    bench_run(b, MINUTE);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 4);
    assert_true(simplug_status(b->plug)->clock);
    assert_clean(b);
    bench_free(b);
}

static void test_a_plug_without_clock_ability_never_asks(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    o.clock_ability = false;
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, MINUTE);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 0);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    assert_clean(b);
    bench_ask(b, "PUSH", CLOCK, NULL, "{\"clock\":{\"timestamp\":1700000060}}");
    assert_violation(b, "has none");
    bench_free(b);
}

static void test_clock_must_be_right(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    bench_ask(b, "PUSH", CLOCK, NULL, "{\"clock\":{\"timestamp\":1700000002}}");
    assert_clean(b);
    bench_ask(b, "PUSH", CLOCK, NULL, "{\"clock\":{\"timestamp\":1700000003}}");
    assert_violation(b, "System.Clock is 3000 ms off");
    bench_ask(b, "PUSH", CLOCK, NULL, "{\"clock\":{}}");
    assert_violation(b, "without a timestamp");
    bench_free(b);
}

static void test_an_empty_clock_push_asks_for_its_clock(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 1000);
    bench_ask(b, "PUSH", CLOCK, NULL, "{}");
    bench_run(b, 0);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 1);
    assert_non_null(strstr(bench_find(b, CLOCK, "PUSH", 0)->payload, "{\"timestamp\":1700000001}"));
    assert_clean(b);
    bench_free(b);
}

static void test_consumption_config_comes_back_unchanged(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    const char *id = bench_find(b, CONFIG, "PUSH", 0)->id;
    bench_ask(b, "PUSH", CONFIG, id, "{\"config\":{\"voltageRatio\":1,\"electricityRatio\":102}}");
    assert_violation(b, "came back changed");
    assert_false(simplug_status(b->plug)->config);
    bench_ask(b, "PUSH", CONFIG, NULL,
              "{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}");
    assert_violation(b, "that answers none");
    bench_free(b);
}

/* Sheet 4.4: an mss315 drops the session without it. */
static void test_an_mss315_needs_its_config_answered(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss315");
    struct bench *b = open_bench(&o);
    b->ack_bind = b->answer_clock = true;
    bench_run(b, 15000);
    assert_int_equal(b->disconnects, 1);
    b->answer_config = true;
    bench_run(b, MINUTE);
    assert_int_equal(b->connects, 2);
    assert_int_equal(b->disconnects, 1);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    assert_non_null(strstr(bench_find(b, BIND, "SET", 0)->payload, "\"triggerSrc\":\"DevBoot\""));
    assert_non_null(strstr(bench_find(b, BIND, "SET", 0)->payload, "\"matter\":{"));
    assert_clean(b);
    bench_free(b);
}

static void test_after_a_broken_connection_it_comes_back(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, 1000);
    bench_cut(b);
    assert_led(b, SIMPLUG_LED_SOLID_AMBER);
    bench_run(b, o.retry_ms - 1);
    assert_int_equal(b->connects, 1);
    bench_run(b, 1);
    assert_int_equal(b->connects, 2);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    assert_int_equal(bench_count(b, BIND, "SET"), 2);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 1); /* it still knows the time */
    assert_clean(b);
    bench_free(b);
}

static void test_bind_only_at_boot(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    o.bind_each_connect = false;
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 1000);
    bench_cut(b);
    bench_run(b, 5 * MINUTE);
    assert_int_equal(bench_count(b, BIND, "SET"), 1);
    assert_true(simplug_status(b->plug)->bound);
    simplug_power_cycle(b->plug, b->now);
    bench_run(b, MINUTE);
    assert_int_equal(bench_count(b, BIND, "SET"), 2);
    assert_clean(b);
    bench_free(b);
}

static void test_power_cycle_forgets_the_session(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    struct bench *b = open_bench(&o);
    char client_id[128];
    b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, 1000);
    memcpy(client_id, b->client_id, sizeof client_id);
    simplug_power_cycle(b->plug, b->now);
    assert_led(b, SIMPLUG_LED_BLINKING_GREEN);
    bench_run(b, 10000);
    assert_int_equal(b->connects, 2);
    assert_int_equal(b->disconnects, 0);
    assert_int_equal(b->first_id, 1);
    assert_string_not_equal(b->client_id, client_id);
    assert_int_equal(bench_count(b, CLOCK, "PUSH"), 2);
    assert_led(b, SIMPLUG_LED_SOLID_GREEN);
    bench_free(b);
}

static void test_unbind_resets_it(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 1000);
    bench_ask(b, "PUSH", "Appliance.Control.Unbind", NULL, "{}");
    bench_run(b, 5 * MINUTE);
    assert_led(b, SIMPLUG_LED_AMBER_GREEN);
    assert_int_equal(b->connects, 1);
    assert_clean(b);
    bench_free(b);
}

static void test_every_message_carries_a_valid_sign(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    assert_int_equal(simplug_options_set(&o, "key=meross"), MD_OK);
    struct bench *b = open_bench(&o);
    b->key = "meross";
    b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, 1000);
    assert_true(b->n_said >= 4);
    for (size_t i = 0; i < b->n_said; i++) {
        const struct bench_message *m = &b->said[i];
        char stamp[24], sign[33], text[33];
        assert_int_equal(sim_json_parse(&b->json, span_of(m->payload, m->n)), MD_OK);
        int h = sim_json_get(&b->json, 0, "header");
        struct span digits = sim_json_raw(&b->json, sim_json_get(&b->json, h, "timestamp"));
        assert_true(span_to_str(digits, stamp, sizeof stamp));
        bench_sign(m->id, "meross", stamp, sign);
        assert_true(sim_json_str(&b->json, sim_json_get(&b->json, h, "sign"), text, sizeof text));
        assert_string_equal(sign, text);
    }
    assert_clean(b);
    bench_free(b);
}

/* Sheet 11. */
static void test_sign_vectors(void **state)
{
    (void)state;
    const char *id = "0123456789abcdef0123456789abcdef";
    char sign[33];
    bench_sign(id, "", "1700000000", sign);
    assert_string_equal(sign, "224dd730e3a37f3a004dbf08aaaef729");
    bench_sign(id, "meross", "1700000000", sign);
    assert_string_equal(sign, "6a8923778cfd1aeb95f603c33b999313");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_connects_as_the_sheet_says),
        TEST(test_password_holds_key_and_user_id),
        TEST(test_level_4_and_short_keep_alive),
        TEST(test_unanswered_it_keeps_the_recorded_timeline),
        TEST(test_it_tries_for_ever_without_a_time_to_give_up),
        TEST(test_gives_up_after_45_s),
        TEST(test_gives_up_when_only_the_clock_is_missing),
        TEST(test_one_answered_bind_is_enough),
        TEST(test_bind_can_be_acknowledged_without_the_key),
        TEST(test_bind_answers_that_do_not_fit),
        TEST(test_a_late_bind_answer_is_told),
        TEST(test_repeated_binds_keep_or_change_their_id),
        TEST(test_bind_as_push_wants_no_answer),
        TEST(test_clock_every_2_s_until_answered),
        TEST(test_a_plug_without_clock_ability_never_asks),
        TEST(test_clock_must_be_right),
        TEST(test_an_empty_clock_push_asks_for_its_clock),
        TEST(test_consumption_config_comes_back_unchanged),
        TEST(test_an_mss315_needs_its_config_answered),
        TEST(test_after_a_broken_connection_it_comes_back),
        TEST(test_bind_only_at_boot),
        TEST(test_power_cycle_forgets_the_session),
        TEST(test_unbind_resets_it),
        TEST(test_every_message_carries_a_valid_sign),
        TEST(test_sign_vectors),
    };
    return cmocka_run_group_tests_name("plug model", tests, NULL, NULL);
}

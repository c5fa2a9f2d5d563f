/* The simulated plug obeys commands. */
#include "tests/sim/plug_asserts.h"

/* A bound plug of that type, its first messages forgotten. */
static struct bench *bound_with(const struct simplug_options *o)
{
    struct bench *b = bound_after(o, 1000);
    bench_forget(b);
    return b;
}

static struct bench *bound(const char *type)
{
    struct simplug_options o = preset(type);
    return bound_with(&o);
}

/* Asks and waits; the answer's method is `want`. */
static const struct bench_message *ask(struct bench *b, const char *method, const char *ns,
                                       const char *payload, const char *want)
{
    bench_ask(b, method, ns, NULL, payload);
    bench_run(b, 500);
    const struct bench_message *m = bench_answer(b);
    assert_non_null(m);
    assert_string_equal(m->method, want);
    assert_string_equal(m->ns, ns);
    assert_string_equal(m->topic, "/app/0-test/subscribe");
    return m;
}

static void assert_holds(const struct bench_message *m, const char *part)
{
    assert_non_null(m);
    if (strstr(m->payload, part) == NULL)
        fail_msg("\"%s\" is not in %s", part, m->payload);
}

static void test_answers_everything_in_its_ability_list(void **state)
{
    (void)state;
    const char *const asked[][2] = {
        {ALL, "\"payload\":{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\""},
        {ABILITY, "\"ability\":{\"Appliance.Config.Key\":{}"},
        {"Appliance.System.Hardware", "{\"hardware\":{\"type\":\"mss310\""},
        {"Appliance.System.Firmware", "{\"firmware\":{\"version\":\"6.3.21\""},
        {TIME, "{\"time\":{\"timestamp\":17000000"},
        {"Appliance.System.Online", "{\"online\":{\"status\":1}}"},
        {"Appliance.System.Runtime", "{\"runtime\":{\"signal\":83}}"},
        {"Appliance.System.Debug", "\"secondServer\":"},
        {"Appliance.System.DNDMode", "{\"DNDMode\":{\"mode\":0}}"},
        {TOGGLEX, "{\"channel\":0,\"togglex\":{\"channel\":0,\"onoff\":0,\"lmTime\":0}}"},
        {METER, "\"voltage\":0,\"power\":0"},
        {"Appliance.Control.ConsumptionX", "{\"consumptionx\":[]}"},
        {CONFIG, "{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}"},
    };
    struct bench *b = bound("mss310");
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        const struct bench_message *m = ask(b, "GET", asked[i][0], "{}", "GETACK");
        assert_holds(m, asked[i][1]);
        assert_holds(m, "\"from\":\"/appliance/2101011234567890123448e1e9123456/publish\"");
        assert_int_equal(sim_json_parse(&b->json, span_of(m->payload, m->n)), MD_OK);
    }
    assert_clean(b);
    assert_int_equal(simplug_status(b->plug)->requests, 13);
    bench_free(b);
}

static void test_system_all_parses_and_names_the_relay(void **state)
{
    (void)state;
    struct bench *b = bound("mss425e");
    const struct bench_message *m = ask(b, "GET", ALL, "{}", "GETACK");
    const struct sim_json *j = &b->json;
    assert_int_equal(sim_json_parse(&b->json, span_of(m->payload, m->n)), MD_OK);
    int all = sim_json_get(j, sim_json_get(j, 0, "payload"), "all");
    int relays = sim_json_get(j, sim_json_get(j, all, "digest"), "togglex");
    assert_int_equal(sim_json_count(j, relays), 5);
    bench_free(b);
}

static void test_toggle_as_object_and_as_list(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    assert_holds(ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK"),
                 "\"payload\":{}");
    assert_true(simplug_status(b->plug)->relay[0]);
    assert_holds(bench_find(b, TOGGLEX, "PUSH", 0),
                 "{\"togglex\":[{\"channel\":0,\"onoff\":1,\"lmTime\":170000000");
    assert_string_equal(bench_find(b, TOGGLEX, "PUSH", 0)->topic,
                        "/appliance/2101011234567890123448e1e9123456/publish");
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}", "SETACK");
    assert_false(simplug_status(b->plug)->relay[0]);
    assert_int_equal(bench_count(b, TOGGLEX, "PUSH"), 2);
    /* Nothing changes, nothing is pushed. */
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", "SETACK");
    assert_int_equal(bench_count(b, TOGGLEX, "PUSH"), 2);
    assert_clean(b);
    bench_free(b);
}

static void test_master_and_outlets_of_a_strip(void **state)
{
    (void)state;
    struct bench *b = bound("mss425e");
    const bool *relay = simplug_status(b->plug)->relay;
    (void)ask(b, "SET", TOGGLEX,
              "{\"togglex\":[{\"channel\":1,\"onoff\":1},{\"channel\":4,\"onoff\":1}]}", "SETACK");
    assert_true(relay[0] && relay[1] && !relay[2] && !relay[3] && relay[4]);
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK");
    assert_true(relay[2] && relay[3]);
    assert_holds(bench_find(b, TOGGLEX, "PUSH", 1), "[{\"channel\":2,\"onoff\":1,");
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", "SETACK");
    assert_false(relay[0] || relay[1] || relay[2] || relay[3] || relay[4]);
    assert_clean(b);
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":5,\"onoff\":0}}", "ERROR");
    assert_violation(b, "no channel 5");
    bench_free(b);
}

static void test_onoff_is_0_or_1(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    assert_holds(ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":2}}", "ERROR"),
                 "{\"error\":{\"code\":5000}}");
    assert_violation(b, "neither 0 nor 1");
    assert_false(simplug_status(b->plug)->relay[0]);
    bench_free(b);
}

static void test_shapes_of_togglex(void **state)
{
    (void)state;
    const struct {
        const char *option, *get, *push;
    } cases[] = {
        {"shape=object", "\"togglex\":{\"channel\":0", "\"togglex\":{\"channel\":0,\"onoff\":1"},
        {"shape=list", "\"togglex\":[{\"channel\":0", "\"togglex\":[{\"channel\":0,\"onoff\":1"},
        {"shape=mixed", "\"togglex\":{\"channel\":0", "\"togglex\":[{\"channel\":0,\"onoff\":1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct simplug_options o = preset("mss310");
        assert_int_equal(simplug_options_set(&o, cases[i].option), MD_OK);
        struct bench *b = bound_with(&o);
        assert_holds(ask(b, "GET", TOGGLEX, "{}", "GETACK"), cases[i].get);
        (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK");
        assert_holds(bench_find(b, TOGGLEX, "PUSH", 0), cases[i].push);
        assert_clean(b);
        bench_free(b);
    }
}

static void test_old_toggle(void **state)
{
    (void)state;
    struct bench *b = bound("mss210-old");
    assert_holds(ask(b, "GET", ALL, "{}", "GETACK"), "\"control\":{\"toggle\":{\"onoff\":0");
    (void)ask(b, "SET", TOGGLE, "{\"channel\":0,\"toggle\":{\"onoff\":1}}", "SETACK");
    assert_true(simplug_status(b->plug)->relay[0]);
    assert_holds(bench_find(b, TOGGLE, "PUSH", 0),
                 "\"payload\":{\"toggle\":{\"onoff\":1,\"lmTime\":");
    (void)ask(b, "SET", TOGGLE, "{\"toggle\":{\"channel\":0,\"onoff\":0}}", "SETACK");
    assert_false(simplug_status(b->plug)->relay[0]);
    assert_clean(b);
    bench_ask(b, "SET", TOGGLEX, NULL, "{\"togglex\":{\"channel\":0,\"onoff\":1}}");
    bench_run(b, 1000);
    assert_null(bench_answer(b));
    assert_violation(b, "which it does not know");
    bench_free(b);
}

static void test_the_button(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    bench_run(b, 100);
    simplug_button(b->plug, 0, b->now); /* not bound: it works, and nobody is told */
    bench_run(b, 100);
    assert_true(simplug_status(b->plug)->relay[0]);
    assert_int_equal(bench_count(b, TOGGLEX, "PUSH"), 0);
    b->ack_bind = true;
    bench_run(b, 5000);
    simplug_button(b->plug, 0, b->now);
    bench_run(b, 0);
    assert_false(simplug_status(b->plug)->relay[0]);
    assert_int_equal(bench_count(b, TOGGLEX, "PUSH"), 1);
    assert_clean(b);
    bench_free(b);
}

static void test_commands_before_the_bind_are_ignored(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210");
    struct bench *b = open_bench(&o);
    bench_run(b, 0);
    bench_ask(b, "SET", TOGGLEX, NULL, "{\"togglex\":{\"channel\":0,\"onoff\":1}}");
    bench_run(b, 1000);
    assert_null(bench_answer(b));
    assert_false(simplug_status(b->plug)->relay[0]);
    assert_violation(b, "before it is bound");
    bench_free(b);
}

#define BERLIN "{\"time\":{\"timestamp\":%d,\"timezone\":\"Europe/Berlin\",\"timeRule\":%s}}"

static void set_time(struct bench *b, int stamp, const char *rules, const char *want)
{
    char payload[1024];
    (void)snprintf(payload, sizeof payload, BERLIN, stamp, rules);
    (void)ask(b, "SET", TIME, payload, want);
}

static void test_the_meter_reads_zero_until_it_has_a_zone(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK");
    assert_holds(
        ask(b, "GET", METER, "{\"electricity\":{\"channel\":0}}", "GETACK"),
        "{\"electricity\":{\"channel\":0,\"current\":0,\"voltage\":0,\"power\":0,\"config\":");
    assert_holds(ask(b, "GET", ALL, "{}", "GETACK"), "\"timezone\":\"\",\"timeRule\":[]");
    set_time(b, 1700000003, "[[1698541200,3600,0],[1711846800,7200,1]]", "SETACK");
    assert_true(simplug_status(b->plug)->zone);
    assert_holds(ask(b, "GET", METER, "{}", "GETACK"),
                 "\"current\":61,\"voltage\":2331,\"power\":12345");
    bench_run(b, 60 * MINUTE);
    assert_holds(ask(b, "GET", "Appliance.Control.ConsumptionX", "{\"consumptionx\":[]}", "GETACK"),
                 "[{\"date\":\"2023-11-15\",\"time\":1700003604,\"value\":2},"
                 "{\"date\":\"2023-11-14\",\"time\":1700002799,\"value\":9}]");
    assert_holds(ask(b, "GET", ALL, "{}", "GETACK"),
                 "\"timezone\":\"Europe/Berlin\",\"timeRule\":[[1698541200,3600,0],[1711846800,"
                 "7200,1]]");
    assert_clean(b);
    bench_free(b);
}

static void list_rules(char *out, size_t cap, int n)
{
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, cap - at, "%s[%d,3600,0]", i > 0 ? "," : "[",
                               1699999980 + i * 600);
    (void)snprintf(out + at, cap - at, "]");
}

static void test_20_rules_fit_and_21_do_not(void **state)
{
    (void)state;
    char rules[768];
    struct bench *b = bound("mss310");
    list_rules(rules, sizeof rules, 20);
    set_time(b, 1700000001, rules, "SETACK");
    assert_clean(b);
    list_rules(rules, sizeof rules, 21);
    set_time(b, 1700000001, rules, "ERROR");
    assert_violation(b, "more than 20 rules");
    bench_free(b);
}

static void test_time_tables_a_plug_could_not_live_with(void **state)
{
    (void)state;
    const struct {
        const char *rules, *fault;
    } cases[] = {
        {"[]", "no rule"},
        {"{}", "no timeRule list"},
        {"[[1698541200,3600]]", "a rule that is not"},
        {"[[\"1698541200\",3600,0]]", "a rule that is not"},
        {"[[1698541200,3600,2]]", "neither 0 nor 1"},
        {"[[1698541200,54001,0]]", "15 hours"},
        {"[[1698541200,3600,0],[1698541200,7200,1]]", "do not ascend"},
        {"[[1698541200,3600,0],[1711846801,7200,1]]", "full minute"},
        {"[[1711846800,7200,1]]", "not in force yet"},
        {"[[1679792400,7200,1],[1698541200,3600,0]]", "not in force any more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench *b = bound("mss310");
        set_time(b, 1700000001, cases[i].rules, "ERROR");
        assert_violation(b, cases[i].fault);
        assert_false(simplug_status(b->plug)->zone);
        bench_free(b);
    }
}

static void test_system_time_must_be_right(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    set_time(b, 1700000003, "[[1698541200,-12600,0]]", "SETACK");
    assert_clean(b);
    set_time(b, 1700000005, "[[1698541200,-12600,0]]", "SETACK");
    assert_violation(b, "System.Time is");
    bench_free(b);
}

static void test_requests_in_parallel_are_told(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    bench_ask(b, "GET", ALL, NULL, "{}");
    bench_run(b, 19);
    assert_null(bench_answer(b)); /* the answer takes 20 ms */
    bench_run(b, 1);
    assert_non_null(bench_answer(b));
    bench_ask(b, "GET", ABILITY, NULL, "{}");
    assert_clean(b);
    bench_ask(b, "GET", ALL, NULL, "{}");
    assert_violation(b, "before the one before it was answered");
    bench_run(b, 40);
    assert_non_null(bench_answer(b)); /* both are answered all the same, in order */
    assert_int_equal(bench_count(b, ABILITY, "GETACK"), 1);
    bench_free(b);
}

static void test_many_in_one_message(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    const struct bench_message *m =
        ask(b, "SET", "Appliance.Control.Multiple",
            "{\"multiple\":[{\"header\":{\"messageId\":\"a\",\"method\":\"GET\",\"namespace\":"
            "\"Appliance.Control.Electricity\"},\"payload\":{}},{\"header\":{\"messageId\":\"b\","
            "\"method\":\"GET\",\"namespace\":\"Appliance.Hub.Battery\"},\"payload\":{}}]}",
            "SETACK");
    assert_holds(m, "{\"multiple\":[{\"header\":{\"messageId\":\"a\"");
    assert_holds(m, "\"method\":\"GETACK\"");
    assert_holds(m, "\"method\":\"ERROR\"");
    assert_int_equal(sim_json_parse(&b->json, span_of(m->payload, m->n)), MD_OK);
    assert_clean(b);
    bench_free(b);
}

static void test_dnd_mode(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    (void)ask(b, "SET", "Appliance.System.DNDMode", "{\"DNDMode\":{\"mode\":1}}", "SETACK");
    assert_holds(ask(b, "GET", "Appliance.System.DNDMode", "{}", "GETACK"), "\"mode\":1");
    (void)ask(b, "SET", "Appliance.System.DNDMode", "{\"DNDMode\":{\"mode\":2}}", "ERROR");
    bench_free(b);
}

static void test_unknown_and_wrong_methods_are_met_with_silence(void **state)
{
    (void)state;
    struct bench *b = bound("mss210");
    const char *const asked[][2] = {{"GET", METER},
                                    {"SET", ALL},
                                    {"GET", "Appliance.Hub.Battery"},
                                    {"GET", BIND},
                                    {"SET", CONFIG}};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        bench_ask(b, asked[i][0], asked[i][1], NULL, "{}");
        bench_run(b, 1000);
        assert_null(bench_answer(b));
        assert_int_equal(simplug_violations(b->plug), i + 1);
    }
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers_everything_in_its_ability_list),
        TEST(test_system_all_parses_and_names_the_relay),
        TEST(test_toggle_as_object_and_as_list),
        TEST(test_master_and_outlets_of_a_strip),
        TEST(test_onoff_is_0_or_1),
        TEST(test_shapes_of_togglex),
        TEST(test_old_toggle),
        TEST(test_the_button),
        TEST(test_commands_before_the_bind_are_ignored),
        TEST(test_the_meter_reads_zero_until_it_has_a_zone),
        TEST(test_20_rules_fit_and_21_do_not),
        TEST(test_time_tables_a_plug_could_not_live_with),
        TEST(test_system_time_must_be_right),
        TEST(test_requests_in_parallel_are_told),
        TEST(test_many_in_one_message),
        TEST(test_dnd_mode),
        TEST(test_unknown_and_wrong_methods_are_met_with_silence),
    };
    return cmocka_run_group_tests_name("plug commands", tests, NULL, NULL);
}

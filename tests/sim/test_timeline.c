/* How the connections of a plug are written down, over days of its life. */
#include "tests/sim/own_house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK    "meross/broker/request/doctor"
#define ANSWER "meross/broker/response/doctor"
#define HOUR   3600000u

static struct house_plug *plug;

static int begin(void **state)
{
    (void)begin_house(state);
    struct simplug_options o = house_options(h, "mss310", 0);
    plug = house_plug(h, &o);
    plug->hello = "771,47 sni=none # 769x1 80";
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    return 0;
}

static const char *doctor(void)
{
    house_forget(h);
    house_say(h, ASK, "{\"plug\":\"mss310\"}");
    house_run(h, 100);
    return house_heard(h, ANSWER);
}

static void has(const char *words)
{
    const char *text = doctor();
    if (strstr(text, words) == NULL)
        fail_msg("%s\nis not in\n%s", words, text);
}

/* Milliseconds from TCP to a step of the newest connection. */
static long at(const char *step)
{
    char name[40];
    const char *text = strstr(doctor(), "\"steps\":{");
    (void)snprintf(name, sizeof name, "\"%s\":", step);
    assert_non_null(text);
    const char *found = strstr(text, name);
    if (found == NULL || found > strchr(text, '}'))
        fail_msg("%s is not in\n%s", name, text);
    return strtol(found + strlen(name), NULL, 10);
}

static unsigned sessions(void)
{
    unsigned n = 0;
    for (const char *t = doctor(); (t = strstr(t, "\"steps\":{")) != NULL; t++)
        n++;
    return n;
}

/* TCP -> TLS -> CONNECT -> SUBSCRIBE -> Bind -> first reading -> its time zone.  [trap 27] */
static void steps_in_their_order(void **state)
{
    (void)state;
    static const char *const order[] = {"tls",   "connect", "subscribe", "bind",
                                        "bound", "reading", "time"};
    for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
        assert_true(at(order[i - 1]) <= at(order[i]));
    assert_true(at("bound") < 5000); /* it hangs up after that */
    has("\"tls\":\"TLSv1.2 SIMULATED\",\"level\":3,\"client_id\":\"uuid_tail\"");
    has("\"zone\":\"set\"");
    has("\"online_status\":1");
    has("\"binds\":1");
    has("\"hello\":\"771,47 sni=none");
    assert_int_equal(sessions(), 1);
}

/* Its power is cut: nobody says goodbye, and the Keep Alive ends it. */
static void a_silent_end(void **state)
{
    (void)state;
    struct conn *c = plug->conn;
    plug->unplugged = true;
    plug->conn = NULL;
    house_run(h, 200000);
    conn_lost(c, "nobody is there any more");
    has("\"phase\":\"away\"");
    has("\"end\":\"exceeded its Keep Alive\"");
    has("\"last_end\":\"exceeded its Keep Alive\"");
}

/* A day with a blip each ten minutes: the last ones are remembered, all are counted. */
static void a_restless_plug(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct conn *c = plug->conn;
        plug->conn = NULL;
        conn_lost(c, "the network failed");
        simplug_closed(plug->sim, h->fake.mono_ms);
        assert_true(house_run_until_bound(h, 60000) < 60000);
        house_leap(h, 600000, 1000);
    }
    has("\"connects\":13");
    has("\"end\":\"the network failed\"");
    assert_int_equal(sessions(), 6);
    has("\"ended_last_hour\":5"); /* of those that are remembered */
    house_leap(h, 2 * HOUR, 1000);
    has("\"ended_last_hour\":0");
    house_assert_clean(h);
}

/* The program starts anew: what was counted is gone, what the plug is stays. */
static void after_a_restart(void **state)
{
    (void)state;
    house_broker_stop(h);
    house_broker_start(h);
    house_run(h, 100);
    has("\"hello\":\"771,47 sni=none");
    has("\"timeline\":[]");
    assert_true(house_run_until_bound(h, 120000) < 120000);
    house_run(h, 20000);
    has("\"connects\":1");
    assert_int_equal(sessions(), 1);
    has("\"server\":\"192.168.178.10\"");
}

/* New firmware brings another TLS library: an event, and the new one is kept. */
static void another_hello(void **state)
{
    (void)state;
    plug->hello = "771,49199-47 sni=none # 769x1 90";
    simplug_power_cycle(plug->sim, h->fake.mono_ms);
    house_forget(h);
    house_run(h, 30000);
    assert_int_equal(house_count(h, "meross/mss310-3456/event", "\"event\":\"hello\""), 1);
    has("\"hello\":\"771,49199-47 sni=none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_in_their_order, begin, end_house),
        cmocka_unit_test_setup_teardown(a_silent_end, begin, end_house),
        cmocka_unit_test_setup_teardown(a_restless_plug, begin, end_house),
        cmocka_unit_test_setup_teardown(after_a_restart, begin, end_house),
        cmocka_unit_test_setup_teardown(another_hello, begin, end_house),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

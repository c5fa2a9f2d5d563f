/* A plug that is away for a moment, against the recorder of the broker. */
#include "tests/unit/meross/conversation.h"

#define THERE "meross/" NAME "/availability"
#define SET   "meross/" NAME "/set"
#define ABOUT "meross/" NAME "/response"

static void away(unsigned delay_s)
{
    rig_attach(NULL);
    rig_ready(&plug);
    meross_set_offline_delay(rig->m, delay_s);
    payload_is(THERE, "online");
    rig_drop(&plug, "the network failed");
}

/* At the last moment before, and then. */
static void test_delay(void **state)
{
    (void)state;
    away(15);
    rig_step(14999);
    payload_is(THERE, "online");
    rig_step(1);
    payload_is(THERE, "offline");
    payload_is("meross/" NAME "/event",
               "{\"event\":\"offline\",\"reason\":\"the network failed\"}");
}

/* Who connects again and again without being bound is away all the time. */
static void test_flapping(void **state)
{
    (void)state;
    away(15);
    for (unsigned i = 0; i < 3; i++) {
        rig_step(4000);
        arrive("_again");
        payload_is(THERE, "online");
        rig_step(500);
        rig_drop(&plug, "the network failed again");
    }
    payload_is(THERE, "online");
    rig_step(1499);
    payload_is(THERE, "online");
    rig_step(1);
    payload_is(THERE, "offline");
    arrive("_again");
    rig_step(100);
    rig_drop(&plug, "and again");
    assert_int_equal(rig_count(THERE), 2); /* online, offline */
}

/* Without a timer nobody could be told later. */
static void test_no_timer(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    meross_set_offline_delay(rig->m, 15);
    rig->no_timers = true;
    rig_drop(&plug, "the network failed");
    payload_is(THERE, "offline");
}

static unsigned answers(const char *part)
{
    unsigned n = 0;
    for (size_t i = 0; i < rig->n; i++)
        n += strcmp(rig->pub[i].topic, ABOUT) == 0 && strstr(rig->pub[i].payload, part) != NULL;
    return n;
}

/* 64 requests wait, one more is refused; what waits is sent when the plug is bound again, in order,
 * and not what was too late by then. */
static void test_waiting(void **state)
{
    (void)state;
    char text[64];
    away(15);
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"old\"}");
    rig_step(4999);
    assert_int_equal(answers(""), 0);
    for (unsigned i = 1; i < 64; i++) {
        (void)snprintf(text, sizeof text, "{\"state\":\"OFF\",\"transaction\":\"%u\"}", i);
        rig_ask(SET, text);
    }
    assert_int_equal(answers(""), 0);
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"many\"}");
    assert_int_equal(answers("\"transaction\":\"many\",\"status\":\"error\""), 1);
    assert_int_equal(answers("\"code\":\"busy\""), 1);
    rig_step(1);
    assert_int_equal(answers("\"code\":\"offline\""), 1);
    rig_skip();
    arrive("_again");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    for (unsigned i = 0; i < 16; i++) /* as many as wait for one plug */
        rig_expect(&plug, "SET", "Appliance.Control.ToggleX", "", "{}");
    assert_int_equal(answers("\"status\":\"ok\""), 16);
    assert_int_equal(answers("\"code\":\"busy\""), 1 + 63 - 16);
}

/* A request to a plug that is away ends with the program, too. */
static void test_detach(void **state)
{
    (void)state;
    away(15);
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t\"}");
    meross_detach(rig->m);
    assert_int_equal(answers("\"code\":\"offline\""), 1);
    payload_is(THERE, "offline");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_delay), T(test_flapping), T(test_no_timer),
                                       T(test_waiting), T(test_detach)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

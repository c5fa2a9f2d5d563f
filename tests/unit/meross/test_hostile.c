/* Plugs that lie, and a machine without memory or timers. */
#include "meross/session/quiet.h"
#include "tests/unit/meross/conversation.h"

/* Whatever a plug sends costs only itself. */
static void test_hostile(void **state)
{
    (void)state;
    static char big[66000];
    static const char *const payloads[] = {
        "{}",
        "{\"bind\":7}",
        "{\"bind\":[[[[]]]]}",
        "{\"bind\":{\"hardware\":[],\"firmware\":{\"version\":{}}}}",
        "{\"bind\":{\"hardware\":{\"type\":\"a\\u0000b\",\"chipType\":\"\\u001b[31m\"}}}",
        "{\"all\":{\"system\":{\"time\":{\"timezone\":[],\"timeRule\":{\"a\":1}}},\"digest\":7}}",
        "{\"all\":{\"system\":[],\"digest\":{\"togglex\":[{\"channel\":-1},{\"channel\":1e99}]}}}",
        "{\"ability\":[]}",
        "{\"ability\":{\"\":{}}}",
        "{\"time\":[]}",
        "{\"clock\":[]}",
        "{\"error\":7}"};
    static const char *const namespaces[] = {BIND,
                                             ALL,
                                             TIME,
                                             "Appliance.System.Ability",
                                             "Appliance.System.Clock",
                                             "Appliance.Control.ToggleX",
                                             "Appliance.Control.Toggle",
                                             "Appliance.Control.Unbind",
                                             "Appliance.Control.ConsumptionConfig",
                                             "Appliance.Hub.SubdeviceList",
                                             "X"};
    static const char *const methods[] = {"SET",   "PUSH", "GETACK", "SETACK",
                                          "ERROR", "GET",  "DELETE"};
    static const char *const raw[] = {"", "0", "null", "{", "[[[[", "\xff\xfe", "{\"header\":{}}"};
    rig_attach(NULL);
    zone_berlin();
    rig_ready(&plug);
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        for (size_t k = 0; k < sizeof namespaces / sizeof namespaces[0]; k++)
            for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++)
                rig_say(&plug, RIG_FROM, methods[m], namespaces[k], "h", "", payloads[i]);
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++)
        assert_true(rig_publish(&plug, RIG_FROM, raw[i], false));
    memset(big, '[', sizeof big - 1);
    assert_true(rig_publish(&plug, RIG_FROM, big, false));
    memset(big, 'x', sizeof big - 1);
    memcpy(big, "{\"header\":{\"messageId\":\"", 24);
    assert_true(rig_publish(&plug, RIG_FROM, big, false));
    /* A push too large to go back is not answered. */
    size_t n = (size_t)snprintf(big, sizeof big, "{\"config\":\"");
    memset(big + n, 'a', 9000);
    (void)snprintf(big + n + 9000, sizeof big - n - 9000, "\"}");
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ConsumptionConfig", "z", "", big);
    assert_null(rig_find(RIG_TO));
    assert_null(strstr(rig->log, "\x1b"));
    rig_say(&plug, RIG_FROM, "SET", BIND, "b7", "", RIG_BIND);
    assert_non_null(rig_find(RIG_TO)); /* still a good partner */
}

/* Out of memory at every place of a conversation: no crash, no leak. */
static void test_no_memory(void **state)
{
    (void)state;
    for (long n = 1; n < 250; n++) {
        rig_attach(NULL);
        zone_berlin();
        rig_plug(&plug, RIG_UUID, RIG_MAC, "");
        mem_fail_after(n);
        if (rig_connect(&plug) == BROKER_ALLOW) {
            rig->hooks.on_subscribe(rig->hooks.ctx, &plug.c, span_str(RIG_TO));
            rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
            rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "", "{}");
            rig_say(&plug, RIG_FROM, "GETACK", ALL, "x", "", RIG_ALL);
            rig_step(6000);
            mem_fail_after(-1);
            rig_drop(&plug, "x");
        }
        mem_fail_after(-1);
        rig_detach();
        rig->n_ended = 0;
    }
}

/* The broker has no timers left: answers are still given. */
static void test_no_timers(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig->no_timers = true;
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_ask("meross/" NAME "/set", "{\"state\":\"ON\",\"transaction\":1}");
    assert_string_equal(strstr(rig_find("meross/" NAME "/response")->payload, "\"code\""),
                        "\"code\":\"internal\"}");
}

/* Whoever sends nonsense for hours does not fill the log: ten lines, then the rest is counted. */
static void test_log_is_not_flooded(void **state)
{
    (void)state;
    rig_attach(NULL);
    for (unsigned i = 0; i < QUIET_LINES + 5; i++) {
        rig_ask("meross/nobody/set", "{\"transaction\":1");
        rig_ask("meross/broker/request/permit", "{\"seconds\":1}");
    }
    assert_int_equal(rig_logged("code="), QUIET_LINES);
    assert_int_equal(rig_logged("are let in"), QUIET_LINES);
    rig_step(QUIET_WINDOW_MS - 1);
    rig_ask("meross/nobody/set", "{");
    assert_int_equal(rig_logged("code="), QUIET_LINES);
    rig_step(1);
    rig_ask("meross/nobody/set", "{");
    assert_int_equal(rig_logged("code="), QUIET_LINES + 1);
    assert_int_equal(rig_logged("(6 more since the last line)"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_hostile), T(test_no_memory), T(test_no_timers),
                                       T(test_log_is_not_flooded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

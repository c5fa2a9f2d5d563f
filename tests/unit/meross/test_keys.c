/* Which key a plug was paired with, and what becomes of one that nobody knows. */
#include "tests/unit/meross/conversation.h"

/* A plug whose key we do not know: bound by echoing, told once, never asked. */
static void test_unknown_key(void **state)
{
    (void)state;
    static const char *const keys[] = {"other", NULL};
    struct rig_request r;
    rig_attach(keys);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "secret", RIG_BIND);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.method, "SETACK");
    assert_string_equal(r.id, "b1");
    assert_string_equal(r.timestamp, "1700000000");
    char sign[SIGN_HEX];
    sign_message(sign, span_str("b1"), "secret", span_str("1700000000"));
    assert_string_equal(r.sign, sign);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "secret", RIG_BIND);
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "secret", "{}");
    assert_non_null(rig_find(RIG_TO));
    rig_step(400000);
    assert_null(rig_find(RIG_TO));
    assert_int_equal(rig_logged("WARN meross plug \"" NAME "\" was paired with another key; it is "
                                "bound but cannot be switched: add `meross_key KEY` to the "
                                "configuration or pair it again"),
                     1);
    assert_null(strstr(rig->log, "secret"));
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"key\":\"unknown\""));
    payload_is("meross/" NAME "/availability", "online");
    rig->read = 0;
    bool event = false;
    const struct rig_pub *p;
    while ((p = rig_find("meross/" NAME "/event")) != NULL)
        event |= strstr(p->payload, "wrong_key") != NULL;
    assert_true(event);
    rig_skip();
    rig_ask("meross/" NAME "/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    p = rig_find("meross/" NAME "/response");
    assert_non_null(strstr(p->payload, "\"code\":\"key\""));
    assert_null(rig_find(RIG_TO));
    /* A state that it pushes is believed all the same. */
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p1", "secret",
            "{\"togglex\":[{\"channel\":0,\"onoff\":1}]}");
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
}

/* A reload brings the key of a plug that could not be switched, and takes it away again. */
static void test_new_keys(void **state)
{
    (void)state;
    static const char *const before[] = {"other", NULL}, *const after[] = {"new", "secret", NULL};
    static char longer[SIGN_KEY_MAX + 2];
    static const char *const bad[] = {longer, NULL};
    memset(longer, 'x', sizeof longer - 1);
    struct rig_request r;
    rig_attach(before);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "secret", RIG_BIND);
    assert_int_equal(meross_set_keys(rig->m, after), MD_OK);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "secret", "{}");
    rig_skip();
    rig_step(400000);
    assert_true(rig_request_to(RIG_TO, &r)); /* it is asked now, with the key that fits */
    char sign[SIGN_HEX];
    sign_message(sign, span_str(r.id), "secret", span_str(r.timestamp));
    assert_string_equal(r.sign, sign);
    assert_int_equal(meross_set_keys(rig->m, bad), MD_INVAL);
    assert_int_equal(meross_set_keys(rig->m, NULL), MD_OK);
    rig_skip();
    rig_ask("meross/" NAME "/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    const struct rig_pub *p = rig_find("meross/" NAME "/response");
    assert_non_null(p);
    assert_non_null(strstr(p->payload, "\"code\":\"key\""));
}

/* Each kind of key is found from the plug's own signature, and used. */
static void test_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"first", "00112233445566778899aabbccddeeff", NULL};
    static const char *const used[][2] = {{"first", "configured"},
                                          {"00112233445566778899aabbccddeeff", "configured"},
                                          {"", "empty"},
                                          {"meross", "default"}};
    rig_attach(keys);
    for (size_t i = 0; i < 4; i++) { /* the same plug, paired again each time */
        arrive("");
        rig_say(&plug, RIG_FROM, "SET", BIND, "b1", used[i][0], RIG_BIND);
        rig_expect(&plug, "SETACK", BIND, used[i][0], NULL);
        for (unsigned k = 0; k < 2; k++) /* the empty key instead of ours takes a little trust */
            rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", used[i][0], "{}");
        rig_step(1000);
        char want[32];
        (void)snprintf(want, sizeof want, "\"key\":\"%s\"", used[i][1]);
        assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, want));
        rig_drop(&plug, "x");
        rig_skip();
    }
    assert_null(strstr(rig->log, "00112233445566778899aabbccddeeff"));
}

/* A firmware that signs wrongly now and then is forgiven; one that was paired anew is not. */
static void test_rare_wrong_sign(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    for (unsigned i = 0; i < 2; i++)
        rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "bad", "{}");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "", "{}");
    for (unsigned i = 0; i < 2; i++)
        rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "bad", "{}");
    assert_int_equal(rig_logged("another key"), 0);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "bad", "{}");
    assert_int_equal(rig_logged("another key"), 1);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "meross", "{}");
    rig_skip();
    rig_ask("meross/" NAME "/set", "OFF");
    rig_expect(&plug, "SET", "Appliance.Control.ToggleX", "meross", "{}");
}

/* A Bind that is signed wrongly, once: answered in the way that needs no key. */
static void test_wrong_bind(void **state)
{
    (void)state;
    struct rig_request r;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "bad", RIG_BIND);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.id, "b2");
    assert_string_equal(r.timestamp, "1700000000");
    char sign[SIGN_HEX];
    sign_message(sign, span_str("b2"), "bad", span_str("1700000000"));
    assert_string_equal(r.sign, sign);
    assert_int_equal(rig_logged("another key"), 0);
}

static void arrive_with(const char *password)
{
    rig_plug(&plug, RIG_UUID, RIG_MAC, "");
    (void)snprintf(plug.password, sizeof plug.password, "%s", password);
    plug.arrival.password = span_str(plug.password);
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO);
}

/* A plug that has not said anything has not said that its key is another one. */
static void test_silent(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive_with("0_ffffffffffffffffffffffffffffffff");
    rig_step(10000);
    payload_is("meross/plug-3456/availability", "online");
    assert_int_equal(rig_logged("another key"), 0);
    assert_null(rig_find(RIG_TO)); /* it cannot be asked either, until its key is seen */
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "meross", "{}");
    rig_expect(&plug, "GET", "Appliance.System.Ability", "meross", NULL);
}

/* The password tells the key as well, unless a signature says otherwise. */
static void test_password(void **state)
{
    (void)state;
    static const char *const keys[] = {"00112233445566778899aabbccddeeff", NULL};
    rig_attach(keys);
    arrive_with("1234_06a100ddbabbe250dd918cb61b390978");
    rig_step(3500);
    rig_expect(&plug, "GET", "Appliance.System.Ability", keys[0], NULL);
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload,
                           "\"key\":\"configured\",\"user_id\":1234"));
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "", "{}");
    rig_skip();
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"key\":\"empty\""));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_unknown_key), T(test_wrong_bind),      T(test_silent),  T(test_password),
        T(test_keys),        T(test_rare_wrong_sign), T(test_new_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

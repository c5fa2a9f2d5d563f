/* A set that names several channels, and the state topic's payload as an order. */
#include "tests/unit/meross/conversation.h"

#include "meross/people/orders.h"

#define SET      "meross/" NAME "/set"
#define RESPONSE "meross/" NAME "/response"
#define TOGGLEX  "Appliance.Control.ToggleX"
#define TOGGLE   "Appliance.Control.Toggle"

/* A strip of two outlets, of which the second is on. */
static int setup_strip(void **state)
{
    if (rig_setup(state) != 0)
        return 1;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_say(&plug, RIG_FROM, "GETACK", ALL, "x", "",
            RIG_ALL_OF("{}", "[{\"channel\":0,\"onoff\":1},{\"channel\":1,\"onoff\":0},"
                             "{\"channel\":2,\"onoff\":1}]"));
    rig_skip();
    return 0;
}

/* What is sent for it; NULL: it is refused as invalid. */
static void sends(const char *order, const char *want)
{
    struct rig_request r;
    char text[600];
    (void)snprintf(text, sizeof text, "{\"transaction\":\"t\",%s}", order);
    rig_skip();
    rig_ask(SET, text);
    if (want == NULL) {
        assert_null(rig_find(RIG_TO));
        assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"code\":\"invalid\""));
        return;
    }
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, TOGGLEX);
    assert_string_equal(r.payload, want);
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", TOGGLEX, r.id, "", "{}"); /* the state stays */
}

#define CH(n, s) "{\"channel\":" #n ",\"state\":\"" s "\"}"

static void test_lists(void **state)
{
    (void)state;
    sends("\"channels\":[" CH(1, "ON") "," CH(2, "OFF") "]",
          "{\"togglex\":[{\"channel\":1,\"onoff\":1},{\"channel\":2,\"onoff\":0}]}");
    sends("\"channels\":[" CH(2, "toggle") "," CH(1, "TOGGLE") "]",
          "{\"togglex\":[{\"channel\":2,\"onoff\":0},{\"channel\":1,\"onoff\":1}]}");
    sends("\"channels\":[" CH(2, "OFF") "]", "{\"togglex\":{\"channel\":2,\"onoff\":0}}");
    sends("\"channels\":" CH(1, "ON"), "{\"togglex\":{\"channel\":1,\"onoff\":1}}");
    /* The state topic as it was, sent back: the outlets say it all. */
    sends("\"state\":\"ON\",\"channels\":[" CH(0, "ON") "," CH(1, "OFF") "," CH(2, "ON") "]",
          "{\"togglex\":[{\"channel\":1,\"onoff\":0},{\"channel\":2,\"onoff\":1}]}");
    sends("\"channels\":[" CH(0, "OFF") "," CH(1, "OFF") "]",
          "{\"togglex\":[{\"channel\":0,\"onoff\":0},{\"channel\":1,\"onoff\":0}]}");
}

static void test_contradictions(void **state)
{
    (void)state;
    sends("\"channels\":[]", NULL);
    sends("\"channels\":[" CH(1, "ON") "," CH(1, "ON") "]", NULL);
    sends("\"channels\":[" CH(1, "ON") "," CH(1, "OFF") "]", NULL);
    sends("\"channels\":[{\"channel\":1}]", NULL);
    sends("\"channels\":[{\"state\":\"ON\"}]", NULL);
    sends("\"channels\":[" CH(1, "UP") "]", NULL);
    sends("\"channels\":[" CH(256, "ON") "]", NULL);
    sends("\"channels\":[" CH(3, "ON") "]", NULL); /* there is none */
    sends("\"channels\":[1,2]", NULL);
    sends("\"channel\":1,\"channels\":[" CH(1, "ON") "]", NULL);
    sends("\"state\":\"OFF\",\"channels\":[" CH(1, "ON") "]", NULL);
    sends("\"state\":\"UP\",\"channels\":[" CH(1, "ON") "]", NULL);
    sends("\"channels\":[" CH(0, "OFF") "," CH(1, "ON") "," CH(2, "ON") "]", NULL);
    sends("\"channels\":[" CH(0, "ON") "," CH(1, "OFF") "]", NULL);
    sends("\"channels\":[" CH(0, "ON") "," CH(1, "TOGGLE") "]", NULL);
    rig_skip();
    rig_ask("meross/" NAME "/1/set", "{\"channels\":[" CH(1, "ON") "]}");
    assert_null(rig_find(RIG_TO));
}

/* One answer, when all of it is done. */
static void test_answer(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(SET, "{\"channels\":[" CH(1, "ON") "," CH(2, "OFF") "],\"transaction\":\"t\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    payload_is(RESPONSE, "{\"transaction\":\"t\",\"status\":\"ok\",\"data\":{\"state\":\"ON\","
                         "\"channels\":[{\"channel\":0,\"state\":\"ON\"},{\"channel\":1,\"state\":"
                         "\"ON\"},{\"channel\":2,\"state\":\"OFF\"}]}}");
    assert_int_equal(rig_count(RESPONSE), 1);
}

/* Relays of the old kind take one channel at a time. */
static void test_chain(void **state)
{
    (void)state;
    rig_say(&plug, RIG_FROM, "GETACK", "Appliance.System.Ability", "x", "",
            "{\"ability\":{\"Appliance.System.All\":{},\"Appliance.Control.Toggle\":{}}}");
    rig_skip();
    rig_ask(SET, "{\"channels\":[" CH(1, "ON") "," CH(2, "OFF") "],\"transaction\":\"t\"}");
    struct rig_request r;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, TOGGLE);
    assert_string_equal(r.payload, "{\"channel\":1,\"toggle\":{\"onoff\":1}}");
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLE, r.id, "", "{}");
    assert_int_equal(rig_count(RESPONSE), 0);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"channel\":2,\"toggle\":{\"onoff\":0}}");
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLE, r.id, "", "{}");
    assert_int_equal(rig_count(RESPONSE), 1);
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"channel\":2,\"state\":\"OFF\""));
    /* The second half fails: so does the whole. */
    rig_skip();
    rig_ask(SET, "{\"channels\":[" CH(1, "OFF") "," CH(2, "ON") "],\"transaction\":\"u\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLE, r.id, "", "{}");
    rig_step(5000);
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"code\":\"timeout\""));
}

/* As many channels as a plug has at most, and one more. */
static void test_limit(void **state)
{
    (void)state;
    struct orders o;
    struct answer a = {.always = false};
    char text[1200];
    for (unsigned n = DEVICE_CHANNELS_MAX; n <= DEVICE_CHANNELS_MAX + 1; n++) {
        size_t at = (size_t)snprintf(text, sizeof text, "{\"channels\":[");
        for (unsigned i = 0; i < n; i++)
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   "%s{\"channel\":%u,\"state\":\"ON\"}", i > 0 ? "," : "", i);
        (void)snprintf(text + at, sizeof text - at, "]}");
        bool ok = orders_read(&o, span_of(NULL, 0), span_str(text), &a);
        assert_int_equal(ok, n == DEVICE_CHANNELS_MAX);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup_strip, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_lists), T(test_contradictions), T(test_answer),
                                       T(test_chain), T(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Orders for a plug that is not there, kept until it is back. */
#include "tests/unit/meross/conversation.h"

#include "meross/people/when_back.h"

#define SET       "meross/" NAME "/set"
#define ABOUT     "meross/" NAME "/response"
#define EVENT     "meross/" NAME "/event"
#define TOGGLEX   "Appliance.Control.ToggleX"
#define ON_LATER  "{\"state\":\"ON\",\"when_back\":true,\"transaction\":\"t\"}"
#define OFF_LATER "{\"state\":\"OFF\",\"when_back\":true}"
#define DAY_MS    86400000u

static unsigned said(const char *topic, const char *part)
{
    unsigned n = 0;
    for (size_t i = 0; i < rig->n; i++)
        n += strcmp(rig->pub[i].topic, topic) == 0 && strstr(rig->pub[i].payload, part) != NULL;
    return n;
}

/* Known, and not connected. */
static void gone(void)
{
    rig_attach(NULL);
    rig_ready(&plug);
    rig_drop(&plug, "unplugged");
    rig_skip();
}

static void back(const char *all)
{
    arrive("_again");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", ALL, "", all);
}

static void nothing_more(void)
{
    rig_step(1000);
    assert_null(rig_find(RIG_TO));
}

static void test_once(void **state)
{
    (void)state;
    gone();
    rig_ask(SET, OFF_LATER);
    assert_int_equal(said(ABOUT, ""), 0); /* nobody asked for an answer */
    rig_ask(SET, ON_LATER);
    payload_is(ABOUT, "{\"transaction\":\"t\",\"status\":\"queued\",\"data\":{\"queued\":true,"
                      "\"until\":1717329601}}");
    back(RIG_ALL);
    rig_expect(&plug, "SET", TOGGLEX, "", "{}"); /* the later of the two */
    assert_int_equal(said(ABOUT, ""), 1);
    assert_int_equal(said(EVENT, "{\"event\":\"when_back\",\"result\":\"sent\"}"), 1);
    nothing_more();
    rig_drop(&plug, "unplugged");
    rig_skip();
    back(RIG_ALL);
    nothing_more();
}

/* Not while its state is unknown. */
static void test_after_the_state(void **state)
{
    (void)state;
    struct rig_request r;
    gone();
    rig_ask(SET, "{\"state\":\"TOGGLE\",\"when_back\":true}");
    arrive("_again");
    rig_step(100);
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, ALL);
    rig_step(5000); /* it does not answer */
    while (rig_request_to(RIG_TO, &r))
        assert_string_not_equal(r.method, "SET");
    rig_step(300000);
    rig_expect(&plug, "GET", ALL, "",
               RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"\",\"timeRule\":[]}",
                          "[{\"channel\":0,\"onoff\":1,\"lmTime\":1699990000}]"));
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":0,\"onoff\":0}}");
}

/* Not asked for, or the plug is there: as always. */
static void test_only_when_asked(void **state)
{
    (void)state;
    gone();
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"a\"}");
    assert_int_equal(said(ABOUT, "\"code\":\"offline\""), 1);
    rig_ask(SET, "{\"state\":\"ON\",\"when_back\":false,\"transaction\":\"b\"}");
    assert_int_equal(said(ABOUT, "\"code\":\"offline\""), 2);
    rig_ask(SET, "{\"state\":\"ON\",\"when_back\":\"soon\",\"transaction\":\"c\"}");
    assert_int_equal(said(ABOUT, "\"code\":\"offline\""), 3);
    rig_ask(SET, "{\"state\":\"YES\",\"when_back\":true,\"transaction\":\"d\"}");
    assert_int_equal(said(ABOUT, "\"code\":\"invalid\""), 1);
    rig_ask(SET, "{\"channel\":3,\"state\":\"ON\",\"when_back\":true,\"transaction\":\"e\"}");
    assert_int_equal(said(ABOUT, "\"code\":\"invalid\""), 2);
    back(RIG_ALL);
    nothing_more();
    rig_ask(SET, ON_LATER);
    rig_expect(&plug, "SET", TOGGLEX, "", "{}");
    assert_int_equal(said(ABOUT, "queued"), 0);
    assert_int_equal(said(ABOUT, "\"transaction\":\"t\",\"status\":\"ok\""), 1);
}

/* A newer order ends it, in one word, on the topic of the channel, and also one that fails. */
static void test_newer_orders(void **state)
{
    static const char *const newer[][2] = {{SET, "OFF"},
                                           {"meross/" NAME "/0/set", "{\"state\":\"OFF\"}"},
                                           {SET, "{\"channels\":[{\"channel\":0,\"state\":"
                                                 "\"OFF\"}]}"}};
    for (size_t i = 0; i < sizeof newer / sizeof newer[0]; i++) {
        if (i > 0) {
            rig_teardown(state);
            assert_int_equal(rig_setup(state), MD_OK);
        }
        gone();
        rig_ask(SET, ON_LATER);
        rig_ask(newer[i][0], newer[i][1]);
        back(RIG_ALL);
        nothing_more();
    }
}

#define STRIP                                                                                      \
    RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"\",\"timeRule\":[]}",                     \
               "[{\"channel\":0,\"onoff\":0},{\"channel\":1,\"onoff\":0},{\"channel\":2,"          \
               "\"onoff\":0}]")

/* Of each channel the latest; 0 is all of them. */
static void test_strip(void **state)
{
    (void)state;
    struct rig_request r;
    gone();
    back(STRIP);
    rig_drop(&plug, "unplugged");
    rig_ask(SET, "{\"channels\":[{\"channel\":1,\"state\":\"ON\"},{\"channel\":2,\"state\":"
                 "\"ON\"}],\"when_back\":true,\"transaction\":\"t\"}");
    assert_int_equal(said(ABOUT, "\"status\":\"queued\""), 1);
    rig_ask("meross/" NAME "/2/set", "{\"state\":\"OFF\",\"when_back\":true}");
    rig_skip();
    back(STRIP);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":1,\"onoff\":1}}");
    rig_say(&plug, r.from, "SETACK", TOGGLEX, r.id, "", "{}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":2,\"onoff\":0}}");
    rig_say(&plug, r.from, "SETACK", TOGGLEX, r.id, "", "{}");
    nothing_more();
    rig_drop(&plug, "unplugged");
    rig_ask("meross/" NAME "/2/set", "{\"state\":\"OFF\",\"when_back\":true}");
    rig_ask(SET, ON_LATER);
    rig_skip();
    back(STRIP);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":0,\"onoff\":1}}");
    rig_say(&plug, r.from, "SETACK", TOGGLEX, r.id, "", "{}");
    nothing_more();
}

/* At the last moment of a day, and then not. */
static void test_expiry(void **state)
{
    (void)state;
    gone();
    rig_ask(SET, ON_LATER);
    rig_step(DAY_MS - 1);
    assert_int_equal(said(EVENT, "expired"), 0);
    rig_step(1);
    assert_int_equal(said(EVENT, "{\"event\":\"when_back\",\"result\":\"expired\"}"), 1);
    rig_skip();
    back(RIG_ALL);
    nothing_more();
}

static void test_limits(void **state)
{
    (void)state;
    static char text[WHEN_BACK_TEXT_MAX + 2];
    gone();
    int n = snprintf(text, sizeof text,
                     "{\"state\":\"ON\",\"when_back\":true,\"transaction\":"
                     "\"t\",\"_\":\"");
    memset(text + n, 'x', sizeof text - (size_t)n);
    memcpy(text + WHEN_BACK_TEXT_MAX - 2, "\"}", 3);
    assert_int_equal(strlen(text), WHEN_BACK_TEXT_MAX);
    rig_ask(SET, text);
    assert_int_equal(said(ABOUT, "queued"), 1);
    memcpy(text + WHEN_BACK_TEXT_MAX - 2, "x\"}", 4);
    rig_ask(SET, text);
    assert_int_equal(said(ABOUT, "\"code\":\"invalid\""), 1);
    back(RIG_ALL); /* and the older one is ended by it */
    nothing_more();
}

/* Of all plugs together. */
static void test_full(void **state)
{
    (void)state;
    gone();
    for (unsigned i = 0; i < WHEN_BACK_MAX; i++) {
        struct rig_client c;
        char uuid[33], mac[18], topic[80];
        (void)snprintf(uuid, sizeof uuid, "1%027u%04x", 0u, i);
        (void)snprintf(mac, sizeof mac, "00:00:00:00:%02x:%02x", i >> 8, i & 255);
        (void)snprintf(topic, sizeof topic, "meross/mss310-%04x/set", i);
        rig_plug(&c, uuid, mac, "");
        assert_int_equal(rig_connect(&c), BROKER_ALLOW);
        rig_say(&c, c.topic, "PUSH", BIND, "b", "", RIG_BIND);
        rig_drop(&c, "unplugged");
        rig_ask(topic, OFF_LATER);
    }
    rig_ask(SET, ON_LATER);
    assert_int_equal(said(ABOUT, "\"code\":\"full\""), 1);
    rig_ask("meross/broker/request/forget", "{\"plug\":\"mss310-0000\"}");
    rig_ask(SET, ON_LATER);
    assert_int_equal(said(ABOUT, "\"status\":\"queued\""), 1);
}

/* No trace is left of one that is forgotten, and nothing after the end. */
static void test_forget(void **state)
{
    (void)state;
    gone();
    rig_ask(SET, ON_LATER);
    rig_ask("meross/broker/request/forget", "{\"plug\":\"" NAME "\"}");
    rig_skip();
    arrive("_again");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    nothing_more();
    rig_drop(&plug, "unplugged");
    rig_ask(SET, ON_LATER);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_once),  T(test_after_the_state), T(test_only_when_asked), T(test_newer_orders),
        T(test_strip), T(test_expiry),          T(test_limits),          T(test_full),
        T(test_forget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

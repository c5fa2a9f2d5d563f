/* Of two messages about one state the newer one counts, in whatever order they come (sheet 5.0). */
#include "tests/unit/meross/conversation.h"

#include "meross/wire/namespaces.h"

#define LAMP  "msl120-3456"
#define STATE "meross/" LAMP
#define SET   STATE "/set"
#define NOW   1700000000

#define OFF "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}"
#define ON  "{\"togglex\":[{\"channel\":0,\"onoff\":1}]}"
#define ALL_IS(onoff)                                                                              \
    "{\"all\":{\"system\":{\"hardware\":{\"type\":\"msl120\"},\"firmware\":{\"version\":"          \
    "\"2.1.12\"},\"time\":{}},\"digest\":{\"togglex\":[{\"channel\":0,\"onoff\":" onoff "}]}}}"

/* ms negative: its clock has none. */
static void say_at(const char *method, const char *ns, const char *id, long long s, int ms,
                   const char *payload)
{
    static unsigned count;
    char text[2000], sign[SIGN_HEX], stamp[24], fraction[40] = "", own[24];
    (void)snprintf(stamp, sizeof stamp, "%lld", s);
    (void)snprintf(own, sizeof own, "p%u", count++);
    if (ms >= 0)
        (void)snprintf(fraction, sizeof fraction, "\"timestampMs\":%d,", ms);
    sign_message(sign, span_str(id != NULL ? id : own), "", span_str(stamp));
    (void)snprintf(text, sizeof text,
                   "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                   "\"payloadVersion\":1,\"from\":\"" RIG_FROM "\",\"timestamp\":%s,%s"
                   "\"sign\":\"%s\"},\"payload\":%s}",
                   id != NULL ? id : own, ns, method, stamp, fraction, sign, payload);
    assert_true(rig_publish(&plug, RIG_FROM, text, false));
}

static void push(long long s, int ms, const char *payload)
{
    say_at("PUSH", NS_TOGGLEX, NULL, s, ms, payload);
}

static bool is_on(void) { return strstr(rig_last(STATE)->payload, "{\"state\":\"ON\"") != NULL; }

static void bind(void)
{
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("msl120", "2.1.12"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
}

/* Bound and asked, at NOW + 0.338 s by its clock; it is off. */
static void lamp(const char *more)
{
    char abilities[512];
    rig_attach(NULL);
    bind();
    (void)snprintf(abilities, sizeof abilities,
                   "{\"ability\":{\"Appliance.Control.ToggleX\":{}%s}}", more);
    rig_expect(&plug, "GET", NS_ABILITY, "", abilities);
    rig_expect(&plug, "GET", NS_ALL, "", ALL_IS("0"));
    rig_skip();
    assert_false(is_on());
}

/* The next thing it is asked is its state; it answers at this time. */
static void asked_and_says(long long s, int ms, const char *all)
{
    struct rig_request r;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, NS_ALL);
    say_at("GETACK", NS_ALL, r.id, s, ms, all);
}

static void not_asked(void)
{
    struct rig_request r;
    assert_false(rig_request_to(RIG_TO, &r));
}

/* Pushes that overtake each other. */
static void test_pushes(void **state)
{
    (void)state;
    lamp("");
    push(NOW + 10, 500, ON);
    assert_true(is_on());
    push(NOW + 10, 499, OFF);
    assert_true(is_on());
    asked_and_says(NOW + 10, 600, ALL_IS("1"));
    push(NOW + 10, 600, OFF); /* the same moment is not older */
    assert_false(is_on());
    push(NOW + 10, -1, ON); /* without a fraction the second counts */
    assert_true(is_on());
    push(NOW + 11, 0, OFF);
    assert_false(is_on());
    not_asked();
}

/* A press of the button before an order, which is told after the order was carried out. */
static void test_acknowledged(void **state)
{
    (void)state;
    struct rig_request r;
    lamp("");
    rig_ask(SET, "ON");
    assert_true(rig_request_to(RIG_TO, &r));
    say_at("SETACK", NS_TOGGLEX, r.id, NOW + 5, 200, "{}");
    assert_true(is_on());
    push(NOW + 5, 100, OFF);
    assert_true(is_on());
    asked_and_says(NOW + 5, 300, ALL_IS("1"));
    assert_true(is_on());
    push(NOW + 6, 0, OFF); /* a press after it counts */
    assert_false(is_on());
}

/* The answer to a question that was made before a press, and comes after it. */
static void test_answers(void **state)
{
    (void)state;
    struct rig_request r;
    lamp("");
    rig_step(300000);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, NS_ALL);
    push(NOW + 300, 100, ON);
    say_at("GETACK", NS_ALL, r.id, NOW + 300, 50, ALL_IS("0"));
    assert_true(is_on());
    asked_and_says(NOW + 300, 200, ALL_IS("1"));
    assert_true(is_on());
    rig_ask(SET, "ON"); /* likewise the acknowledgement: the plug is asked what is so */
    assert_true(rig_request_to(RIG_TO, &r));
    push(NOW + 301, 100, OFF);
    say_at("SETACK", NS_TOGGLEX, r.id, NOW + 301, 50, "{}");
    asked_and_says(NOW + 301, 200, ALL_IS("0"));
    assert_false(is_on());
}

/* A clock that is put back does not make the plug deaf. */
static void test_back(void **state)
{
    (void)state;
    lamp("");
    push(NOW + 61, 0, OFF);
    push(NOW, 999, ON); /* more than a minute behind: nothing is under way so long */
    assert_true(is_on());
    push(NOW + 1, 0, OFF);
    assert_false(is_on());
    push(NOW + 61, 0, OFF);
    push(NOW + 1, 0, ON); /* a minute: may be late, so it is asked ... */
    assert_false(is_on());
    asked_and_says(NOW + 1, 10, ALL_IS("1")); /* ... and the second in a row is believed */
    assert_true(is_on());
    push(NOW + 2, 0, OFF);
    assert_false(is_on());
    not_asked();
}

/* Without its time it counts from its start; once it was told, anything goes. */
static void test_unset(void **state)
{
    (void)state;
    lamp("");
    push(6, 0, ON); /* a clock that was lost */
    assert_true(is_on());
    push(5, 0, OFF); /* it counts all the same */
    assert_true(is_on());
    asked_and_says(7, 0, ALL_IS("1"));
    push(NOW + 20, 0, OFF);
    assert_false(is_on());
    say_at("PUSH", NS_CLOCK, NULL, NOW + 20, 0, "{\"clock\":{\"timestamp\":1}}");
    push(NOW, 0, ON); /* it was told the time */
    assert_true(is_on());
    say_at("SETACK", NS_TIME, "t", NOW - 30, 0, "{}");
    push(NOW - 30, 0, OFF);
    assert_false(is_on());
    rig_drop(&plug, "gone");
    rig_skip();
    bind(); /* a new connection: a new count */
    push(NOW - 60, 0, ON);
    assert_true(is_on());
}

/* What people cannot set is not held up: each of these may be something that happened. */
static void test_others(void **state)
{
    (void)state;
    lamp(",\"Appliance.Control.Sensor.LatestX\":{}");
    static const char there[] =
        "{\"latest\":[{\"channel\":0,\"data\":{\"presence\":[{\"value\":2}]}}]}",
                      gone[] =
                          "{\"latest\":[{\"channel\":0,\"data\":{\"presence\":[{\"value\":1}]}}]}";
    say_at("PUSH", NS_LATEST, NULL, NOW + 9, 0, there);
    say_at("PUSH", NS_LATEST, NULL, NOW + 8, 0, gone);
    assert_non_null(strstr(rig_last(STATE)->payload, "\"presence\":false"));
}

/* [trap 24] The acknowledgement of a door says nothing about it, so it holds up no push. */
static void test_door(void **state)
{
    (void)state;
    struct rig_request r;
    lamp(",\"Appliance.GarageDoor.State\":{}");
    say_at("PUSH", NS_GARAGE, NULL, NOW + 9, 0, "{\"state\":[{\"channel\":0,\"open\":0}]}");
    rig_ask(SET, "{\"door\":\"open\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    say_at("SETACK", NS_GARAGE, r.id, NOW + 20, 5,
           "{\"state\":{\"channel\":0,\"open\":0,\"execute\":1}}");
    say_at("PUSH", NS_GARAGE, NULL, NOW + 20, 0, "{\"state\":[{\"channel\":0,\"open\":1}]}");
    assert_non_null(strstr(rig_last(STATE)->payload, "\"door\":\"open\""));
    say_at("PUSH", NS_GARAGE, NULL, NOW + 19, 0, "{\"state\":[{\"channel\":0,\"open\":0}]}");
    assert_non_null(strstr(rig_last(STATE)->payload, "\"door\":\"open\""));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_pushes), T(test_acknowledged), T(test_answers),
                                       T(test_back),   T(test_unset),        T(test_others),
                                       T(test_door)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

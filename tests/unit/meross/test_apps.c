/* What programs that act like the vendor's app are told on /app/<userId>/subscribe. */
#include "tests/unit/meross/conversation.h"

#include "meross/wire/sign.h"

#define APPS  "/app/1234/subscribe"
#define PUSH_ "{\"togglex\":[{\"channel\":0,\"onoff\":1,\"lmTime\":7}]}"

static void arrive_as(const char *password)
{
    rig_plug(&plug, RIG_UUID, RIG_MAC, "");
    (void)snprintf(plug.password, sizeof plug.password, "%s", password);
    plug.arrival.password = span_str(plug.password);
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO);
}

static void online_is(const char *status, const char *key)
{
    struct envelope e;
    char text[64];
    const struct rig_pub *p = rig_find(APPS);
    assert_non_null(p);
    assert_false(p->retain);
    assert_int_equal(envelope_parse(&e, span_str(p->payload)), MD_OK);
    assert_string_equal(e.ns, "Appliance.System.Online");
    assert_string_equal(e.from, RIG_FROM);
    assert_int_equal(e.method, ENVELOPE_PUSH);
    assert_true(envelope_signed(&e, key));
    assert_true(span_to_str(json_raw(e.payload), text, sizeof text));
    assert_string_equal(text, status);
    envelope_free(&e);
}

/* Pushes go on byte by byte, answers do not; presence is told with status 1 and 2. */
static void test_pushes_and_presence(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive_as("1234_5ac868a81f2f21b4a87f7d2bb3467cb5");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    online_is("{\"online\":{\"status\":1}}", "");
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p1", "", PUSH_);
    const struct rig_pub *p = rig_find(APPS);
    assert_non_null(p);
    assert_non_null(strstr(p->payload, "\"messageId\":\"p1\""));
    assert_non_null(strstr(p->payload, "\"uuid\":\"" RIG_UUID "\",\"timestamp\":1700000000,"
                                       "\"timestampMs\":338,"));
    assert_non_null(strstr(p->payload, "},\"payload\":" PUSH_ "}"));
    assert_null(rig_find(APPS));
    rig_say(&plug, RIG_FROM, "GETACK", ALL, "x", "", RIG_ALL);
    assert_null(rig_find(APPS));
    rig_skip();
    rig_drop(&plug, "x");
    rig_step(120000);
    online_is("{\"online\":{\"status\":2}}", "");
    assert_null(rig_find(APPS));
}

/* One who only says that it is the plug is not heard there. */
static void test_strangers(void **state)
{
    (void)state;
    static const char *const keys[] = {"secret", NULL};
    rig_attach(keys);
    arrive_as("1234_x");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "secret", RIG_BIND);
    rig_step(5000);
    rig_drop(&plug, "x");
    rig_step(120000);
    arrive_as("1234_x");
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p1", "guess", PUSH_);
    assert_null(rig_find(APPS));
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p2", "secret", PUSH_);
    assert_non_null(rig_find(APPS));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_pushes_and_presence), T(test_strangers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

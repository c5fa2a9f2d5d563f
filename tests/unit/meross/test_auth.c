/* Who is a plug, and who may use which topic. */
#include "tests/unit/meross/fake_broker.h"

#include "meross/session/auth.h"

static bool is_plug(const char *id, const char *user, const char *password)
{
    struct rig_client c;
    struct auth_plug p;
    rig_client(&c, id, user, password);
    return auth_read_plug(&c.c, &p);
}

#define HASH "ab3ffddc9a9b94dab1487702ddd054d2"

static void test_recognised(void **state)
{
    (void)state;
    struct rig_client c;
    struct auth_plug p;
    rig_client(&c, "fmware:" RIG_UUID "_AbCdEfGhIjKlMnOp", RIG_MAC, "1234_" HASH);
    assert_int_equal(strlen(c.id), 56); /* [trap 2] */
    assert_true(auth_read_plug(&c.c, &p));
    assert_true(span_is(p.uuid, RIG_UUID));
    assert_true(span_is(p.mac, RIG_MAC));
    assert_int_equal(p.user_id, 1234);
    assert_true(is_plug("fmware:" RIG_UUID, RIG_MAC, "0_" HASH));
    assert_true(is_plug("fmware:" RIG_UUID, RIG_MAC, "_" HASH)); /* [trap 10] */
    assert_true(is_plug("fmware:" RIG_UUID "_", "48:E1:E9:12:34:56", "999999999999999999_x"));
    assert_true(is_plug("fmware:20091131118061251h5748e1e9334e2b", RIG_MAC, "0_" HASH));
}

static void test_not_recognised(void **state)
{
    (void)state;
    assert_false(is_plug("fmware:" RIG_UUID "x", RIG_MAC, "0_" HASH));
    assert_false(is_plug("fmware:" RIG_UUID "_a/b", RIG_MAC, "0_" HASH));
    assert_false(is_plug("fmware:2101", RIG_MAC, "0_" HASH));
    assert_false(is_plug("app:" RIG_UUID, RIG_MAC, "0_" HASH));
    assert_false(is_plug("", RIG_MAC, "0_" HASH));
    assert_false(is_plug("fmware:" RIG_UUID, "somebody", "0_" HASH));
    assert_false(is_plug("fmware:" RIG_UUID, NULL, NULL));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, NULL));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, ""));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, "0"));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, "0_"));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, "0_a_b"));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, "x_" HASH));
    assert_false(is_plug("fmware:" RIG_UUID, RIG_MAC, "1999999999999999999_" HASH));
}

static struct topics t;

static bool plug_may(enum broker_action what, const char *topic)
{
    return auth_plug_may(&t, span_str(RIG_UUID), what, span_str(topic), false);
}

static bool asked_plug_may(const char *topic)
{
    return auth_plug_may(&t, span_str(RIG_UUID), BROKER_PUBLISH, span_str(topic), true);
}

static void test_plug_topics(void **state)
{
    (void)state;
    assert_int_equal(topics_init(&t, "meross"), MD_OK);
    assert_true(plug_may(BROKER_SUBSCRIBE, RIG_TO));
    assert_true(
        plug_may(BROKER_SUBSCRIBE, "/appliance/2101011234567890123448E1E9123456/subscribe"));
    assert_false(plug_may(BROKER_SUBSCRIBE, RIG_FROM));
    assert_false(plug_may(BROKER_SUBSCRIBE, "/appliance/+/subscribe"));
    assert_false(plug_may(BROKER_SUBSCRIBE, "#"));
    assert_false(plug_may(BROKER_SUBSCRIBE, "meross/#"));
    assert_true(plug_may(BROKER_PUBLISH, RIG_FROM));
    assert_true(plug_may(BROKER_PUBLISH, TOPICS_ANSWERS));
    assert_true(plug_may(BROKER_PUBLISH, "/app/0-abc/subscribe"));
    assert_true(plug_may(BROKER_PUBLISH, TOPICS_HOOK));
    assert_false(plug_may(BROKER_PUBLISH, "homeassistant/meross/subscribe"));
    assert_false(plug_may(BROKER_PUBLISH, "/appliance/ha/publish"));
    assert_true(asked_plug_may("homeassistant/meross/subscribe"));
    assert_true(asked_plug_may("/appliance/ha/publish"));
    /* Whoever asks it to, it does not answer here. */
    assert_false(asked_plug_may(RIG_TO));
    assert_false(asked_plug_may("/appliance/3101011234567890123448e1e9123456/publish"));
    assert_false(asked_plug_may("/appliance/ha/subscribe"));
    assert_false(asked_plug_may("meross/kitchen/set"));
    assert_false(asked_plug_may("meross/broker/request/forget"));
    assert_false(asked_plug_may("$SYS/x"));
    assert_false(plug_may(BROKER_PUBLISH, RIG_TO));
    assert_false(plug_may(BROKER_PUBLISH, "/appliance/3101011234567890123448e1e9123456/publish"));
    assert_false(plug_may(BROKER_PUBLISH, "/appliance/3101011234567890123448e1e9123456/subscribe"));
    assert_false(plug_may(BROKER_PUBLISH, "/appliance/ha/subscribe"));
    assert_false(plug_may(BROKER_PUBLISH, "meross/kitchen/set"));
    assert_false(plug_may(BROKER_PUBLISH, "meross/kitchen"));
    assert_false(plug_may(BROKER_PUBLISH, "meross/broker/request/forget"));
    assert_false(plug_may(BROKER_PUBLISH, "meross/x/y/z"));
    assert_false(plug_may(BROKER_PUBLISH, "$SYS/x"));
}

static void test_client_topics(void **state)
{
    (void)state;
    assert_int_equal(topics_init(&t, "meross"), MD_OK);
    static const char *const owned[] = {"meross/kitchen",          "meross/kitchen/availability",
                                        "meross/kitchen/response", "meross/kitchen/event",
                                        "meross/broker/state",     "meross/broker/info",
                                        "meross/broker/plugs",     "meross/broker/response/list"};
    static const char *const open[] = {"meross/kitchen/set",
                                       "meross/kitchen/1/set",
                                       "meross/kitchen/get",
                                       "meross/broker/request/list",
                                       "anything/else",
                                       RIG_TO,
                                       RIG_FROM,
                                       "meross"};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        assert_false(auth_client_may(&t, BROKER_PUBLISH, span_str(owned[i])));
        assert_true(auth_client_may(&t, BROKER_SUBSCRIBE, span_str(owned[i])));
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        assert_true(auth_client_may(&t, BROKER_PUBLISH, span_str(open[i])));
}

/* Plugs come over TLS, or from this host. */
static void test_in_clear(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_plug(&c, RIG_UUID, RIG_MAC, "");
    c.c.tls = false;
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    assert_int_equal(rig_logged("TLS listener"), 1);
    c.arrival.password = span_str(c.password);
    c.c.loopback = true;
    assert_int_equal(rig_connect(&c), BROKER_ALLOW);
    rig_drop(&c, "x");
}

/* Tries once; one that is let in leaves again. */
static bool is_let_in(const char *uuid, const char *password)
{
    struct rig_client c;
    char id[80];
    (void)snprintf(id, sizeof id, "fmware:%s", uuid);
    rig_client(&c, id, RIG_MAC, password);
    if (rig_connect(&c) != BROKER_ALLOW)
        return false;
    rig_drop(&c, "x");
    return true;
}

#define PERMIT     "meross/broker/request/permit"
#define PERMITTED  "meross/broker/response/permit"
#define OTHER_UUID "3101011234567890123448e1e9123456"
#define THIRD_UUID "4101011234567890123448e1e9123456"
#define NOT_A_KEY  "0_" HASH

static void permit_says(const char *request, const char *answer)
{
    rig_ask(PERMIT, request);
    const struct rig_pub *p = rig_find(PERMITTED);
    assert_non_null(p);
    assert_non_null(strstr(p->payload, answer));
}

static void test_known(void **state)
{
    (void)state;
    struct rig_client plug;
    rig_attach_auth(NULL, MEROSS_AUTH_OPEN);
    rig_ready(&plug);
    rig_drop(&plug, "x");
    rig_detach();
    rig_attach_auth(NULL, MEROSS_AUTH_KNOWN);
    assert_true(is_let_in(RIG_UUID, NOT_A_KEY));
    assert_false(is_let_in(OTHER_UUID, NOT_A_KEY));
    assert_int_equal(rig_logged("merossd permit"), 1);
    permit_says("{}", "\"seconds\":120");
    rig_step(119999);
    assert_true(is_let_in(OTHER_UUID, NOT_A_KEY));
    rig_step(1);
    assert_false(is_let_in(THIRD_UUID, NOT_A_KEY));
    permit_says("{\"seconds\":3600}", "\"seconds\":3600");
    permit_says("{\"seconds\":0}", "\"seconds\":0");
    assert_false(is_let_in(THIRD_UUID, NOT_A_KEY));
    permit_says("{\"seconds\":1}", "\"seconds\":1");
    assert_true(is_let_in(THIRD_UUID, NOT_A_KEY));
    permit_says("{\"seconds\":3601}", "from 0 to 3600");
    permit_says("{\"seconds\":-1}", "from 0 to 3600");
    permit_says("{\"seconds\":\"long\"}", "from 0 to 3600");
    meross_set_auth(rig->m, MEROSS_AUTH_OPEN);
    rig_step(1000);
    assert_true(is_let_in(OTHER_UUID, NOT_A_KEY));
}

/* md5(mac + key). */
static void test_strict(void **state)
{
    (void)state;
    static const char *const keys[] = {"other", "secret", NULL};
    rig_attach_auth(keys, MEROSS_AUTH_STRICT);
    assert_true(is_let_in(RIG_UUID, "1_0e1f98b4b0a3736482f05bdad5736eb2"));
    assert_false(is_let_in(OTHER_UUID, NOT_A_KEY));
    assert_false(is_let_in(
        THIRD_UUID, "1_ab3ffddc9a9b94dab1487702ddd054d2")); /* the empty key is none of ours */
    assert_int_equal(rig_logged("meross_auth strict"), 2);
    assert_int_equal(rig_logged("0e1f98b4b0a3736482f05bdad5736eb2"), 0);
    permit_says("{}", "\"seconds\":120"); /* does not open this door */
    assert_false(is_let_in(OTHER_UUID, NOT_A_KEY));
}

/* One line for each plug and minute; further plugs than there are places get none. */
static void test_refusals_are_told_once_a_minute(void **state)
{
    (void)state;
    char uuid[33];
    rig_attach_auth(NULL, MEROSS_AUTH_KNOWN);
    for (unsigned i = 0; i < 10; i++)
        assert_false(is_let_in(OTHER_UUID, NOT_A_KEY));
    assert_int_equal(rig_logged("refused"), 1);
    assert_false(is_let_in(THIRD_UUID, NOT_A_KEY));
    assert_int_equal(rig_logged("refused"), 2);
    rig_step(59999);
    assert_false(is_let_in(OTHER_UUID, NOT_A_KEY));
    assert_int_equal(rig_logged("refused"), 2);
    rig_step(1);
    assert_false(is_let_in(OTHER_UUID, NOT_A_KEY));
    assert_int_equal(rig_logged("refused"), 3);
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(uuid, sizeof uuid, "%032x", i);
        assert_false(is_let_in(uuid, NOT_A_KEY));
    }
    assert_int_equal(rig_logged("refused"), 2 + 64); /* OTHER_UUID has a place */
    assert_int_equal(rig_count("meross/broker/plugs"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_recognised),  T(test_not_recognised),
        T(test_plug_topics), T(test_client_topics),
        T(test_in_clear),    T(test_known),
        T(test_strict),      T(test_refusals_are_told_once_a_minute)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

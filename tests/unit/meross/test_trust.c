/* Who may speak for a plug, and what a stranger who claims to be one can do: little. */
#include "tests/unit/meross/stranger_words.h"

#include "meross/device/askers.h"
#include "meross/session/auth.h"
#include "meross/session/trust.h"

#define SET      "meross/" NAME "/set"
#define RESPONSE "meross/" NAME "/response"
#define UNBIND   "Appliance.Control.Unbind"

/* The plug itself, with our key, bound and on. */
static void plug_is_there(void)
{
    plug_comes();
    rig_step(1000);
    rig_skip();
}

static bool may_hear(struct rig_client *c)
{
    return rig->hooks.may_receive(rig->hooks.ctx, &c->c, span_str(RIG_TO));
}

/* Beside the plug itself a stranger is nobody, whatever key everybody knows he signs with. */
static void test_beside_the_plug(void **state)
{
    (void)state;
    plug_is_there();
    come(&stranger, "_wrong");
    assert_int_equal(rig->n_ended, 0);
    rig_say(&stranger, RIG_FROM, "SET", BIND, "b2", "other", RIG_BIND_OF("evil", "9.9.9"));
    rig_say(&stranger, RIG_FROM, "PUSH", TOGGLEX, "t", "", OFF);
    rig_say(&stranger, RIG_FROM, "PUSH", UNBIND, "u", "meross", "{}");
    for (unsigned i = 0; i < 10; i++)
        rig_say(&stranger, RIG_FROM, "PUSH", TOGGLEX, "t", "other", OFF);
    assert_null(rig_next());
    assert_false(may_hear(&stranger));
    assert_true(may_hear(&plug));
    assert_int_equal(rig->n_ended, 0);
    rig_ask(SET, "OFF");
    rig_expect(&plug, "SET", TOGGLEX, KEY, "{}");
    rig_drop(&stranger, "x");
    payload_is("meross/" NAME "/availability", "online");
}

/* The plug itself comes again while its old connection lingers: its first message says so. */
static void test_the_plug_again(void **state)
{
    (void)state;
    plug_is_there();
    come(&stranger, "_rebooted");
    rig_say(&stranger, RIG_FROM, "PUSH", REPORT, "r", KEY, "{}");
    assert_int_equal(rig->n_ended, 1);
    assert_string_equal(rig->ended[0], plug.id);
    assert_true(may_hear(&stranger));
    rig_say(&stranger, RIG_FROM, "SET", BIND, "b2", KEY, RIG_BIND);
    rig_expect(&stranger, "SETACK", BIND, KEY, NULL);
    rig_drop(&plug, "the plug connected again under another client id");
    payload_is("meross/" NAME "/availability", "online");
}

/* The old connection ends: the one who waits is let in, but nothing it says counts yet. */
static void test_in_the_place_of_the_plug(void **state)
{
    (void)state;
    plug_is_there();
    come(&stranger, "_wrong");
    rig_drop(&plug, "keep alive expired");
    payload_is("meross/" NAME "/availability", "offline");
    rig_skip();
    rig_say(&stranger, RIG_FROM, "PUSH", TOGGLEX, "t", "other", OFF);
    rig_say(&stranger, RIG_FROM, "SET", BIND, "b2", "other", RIG_BIND_OF("evil", "9.9.9"));
    assert_non_null(rig_find(RIG_TO)); /* answered, so that it stays */
    payload_is("meross/" NAME "/availability", "online");
    rig_step(1000);
    assert_null(strstr(rig_last("meross/broker/plugs")->payload, "evil"));
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"key\":\"configured\""));
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    /* The plug itself returns. */
    come(&plug, "_right");
    rig_say(&plug, RIG_FROM, "PUSH", REPORT, "r", KEY, "{}");
    assert_string_equal(rig->ended[rig->n_ended - 1], stranger.id);
}

/* Keys that change while a stranger is in the plug's place do not make him the plug. */
static void test_keys_change_beside_a_stranger(void **state)
{
    (void)state;
    static const char *const another[] = {"yet another", NULL};
    plug_is_there();
    rig_drop(&plug, "x");
    come(&stranger, "_wrong");
    assert_int_equal(meross_set_keys(rig->m, another), MD_OK);
    rig_say(&stranger, RIG_FROM, "PUSH", TOGGLEX, "t", "stranger", OFF);
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"key\":\"configured\""));
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
}

/* Paired anew with a key that we do not have: after a few messages that is what it is. */
static void test_paired_anew(void **state)
{
    (void)state;
    plug_is_there();
    rig_drop(&plug, "x");
    come(&stranger, "_anew");
    rig_say(&stranger, RIG_FROM, "PUSH", UNBIND, "u", "other", "{}");
    rig_say(&stranger, RIG_FROM, "SET", BIND, "b2", "other", RIG_BIND);
    assert_int_equal(rig_logged("another key; it"), 0);
    rig_skip();
    rig_say(&stranger, RIG_FROM, "PUSH", TOGGLEX, "t", "other", OFF);
    assert_int_equal(rig_logged("another key; it"), 1);
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t\"}");
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"code\":\"key\""));
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"key\":\"unknown\""));
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"bound\":true"));
}

/* The user name is the end of the uuid, and what it was the last time. */
static void test_mac(void **state)
{
    (void)state;
    static const char uuid[] = "20091131118061251h57x8e1e9334e2b"; /* its end is no MAC */
    struct rig_client c;
    rig_attach(NULL);
    rig_plug(&c, RIG_UUID, "00:00:00:00:00:01", "");
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    assert_int_equal(rig_logged("its uuid ends in"), 1);
    rig_plug(&c, RIG_UUID, "48:E1:E9:12:34:56", "");
    assert_int_equal(rig_connect(&c), BROKER_ALLOW);
    rig_drop(&c, "x");
    rig_plug(&plug, uuid, "48:e1:e9:00:00:01", "");
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_step(10000);
    rig_plug(&c, uuid, "48:e1:e9:00:00:02", "_x");
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    assert_int_equal(rig_logged("has another MAC address"), 1);
}

/* Refusals are counted, not logged one by one. */
static void test_quiet(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    for (unsigned i = 0; i < 100; i++) {
        rig_plug(&c, RIG_UUID, RIG_MAC, "");
        c.c.tls = false;
        assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    }
    assert_int_equal(rig_logged("refused"), 1);
    rig_step(60000);
    rig_plug(&c, RIG_UUID, "00:00:00:00:00:01", "");
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    assert_int_equal(rig_logged("(99 more since the last line)"), 1);
}

static void test_no_will_no_retain(void **state)
{
    (void)state;
    struct broker_message will = {span_str("zigbee2mqtt/door/set"), span_str("OPEN"), 0, true};
    struct rig_client c;
    rig_attach(NULL);
    rig_plug(&c, RIG_UUID, RIG_MAC, "");
    assert_int_equal(rig->hooks.on_connect(rig->hooks.ctx, &c.c, &will), BROKER_NOT_AUTHORIZED);
    assert_int_equal(rig_logged("with a Will"), 1);
    rig_client(&c, "lamp", NULL, NULL);
    assert_int_equal(rig->hooks.on_connect(rig->hooks.ctx, &c.c, &will), BROKER_ABSTAIN);
    rig_ready(&plug);
    assert_true(rig_publish(&plug, "/app/1-a/subscribe", "{}", false));
    assert_false(rig_publish(&plug, "/app/1-a/subscribe", "{}", true));
}

/* It answers where it was asked to, for a while, and nowhere else. */
static void test_answers(void **state)
{
    (void)state;
    struct rig_client script;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_client(&script, "script", NULL, NULL);
    assert_false(rig_may(&plug, BROKER_PUBLISH, "node-red/answers"));
    assert_false(rig_publish(
        &script, RIG_TO, foreign_write("GET", ALL, ID("01"), "", "node-red/answers", "{}"), false));
    foreign_arrives();
    assert_true(rig_may(&plug, BROKER_PUBLISH, "node-red/answers"));
    assert_false(rig_may(&plug, BROKER_PUBLISH, "node-red/answer"));
    rig_step(ASKERS_VALID_MS - 1);
    assert_true(rig_may(&plug, BROKER_PUBLISH, "node-red/answers"));
    rig_step(1);
    assert_false(rig_may(&plug, BROKER_PUBLISH, "node-red/answers"));
    assert_false(
        rig_publish(&script, RIG_TO, "{\"header\":{\"from\":\"x\"},\"payload\":{}}", false));
    assert_false(rig_may(&plug, BROKER_PUBLISH, "x")); /* that one was not let through */
}

static void test_askers_limit(void **state)
{
    (void)state;
    struct askers a = {0};
    char topic[16];
    for (unsigned i = 0; i <= ASKERS_MAX; i++) {
        (void)snprintf(topic, sizeof topic, "t%u", i);
        askers_note(&a, topic, i);
        assert_true(askers_have(&a, span_str("t0"), i) == (i < ASKERS_MAX));
    }
    askers_note(&a, "t1", 100); /* again: younger than t2 */
    askers_note(&a, "new", 101);
    assert_true(askers_have(&a, span_str("t1"), 101));
    assert_false(askers_have(&a, span_str("t2"), 101));
    mem_fail_after(1);
    askers_note(&a, "none", 102);
    mem_fail_after(-1);
    assert_false(askers_have(&a, span_str("none"), 102));
    askers_clear(&a);
}

static void bind_number(struct rig_client *c, unsigned i, const char *key)
{
    char uuid[33], mac[18];
    (void)snprintf(uuid, sizeof uuid, "1%027u%04x", 0u, i);
    (void)snprintf(mac, sizeof mac, "00:00:00:00:%02x:%02x", i >> 8 & 255, i & 255);
    rig_plug(c, uuid, mac, "");
    assert_int_equal(rig_connect(c), BROKER_ALLOW);
    rig_say(c, c->topic, "PUSH", BIND, "b", key, RIG_BIND);
}

static unsigned listed(const char *part)
{
    unsigned n = 0;
    rig_step(1000);
    for (const char *p = rig_last("meross/broker/plugs")->payload; (p = strstr(p, part)) != NULL;
         p++)
        n++;
    return n;
}

/* Invented plugs: so many are announced, and the one that was away longest makes room. */
static void test_invented(void **state)
{
    (void)state;
    static struct rig_client many[TRUST_UNKNOWN_MAX + 2];
    rig_attach(NULL);
    rig_ready(&plug); /* one whose key is known does not count, and stays */
    for (unsigned i = 0; i < TRUST_UNKNOWN_MAX; i++)
        bind_number(&many[i], i, "other");
    assert_int_equal(listed("\"uuid\""), TRUST_UNKNOWN_MAX + 1);
    /* All are connected: one more is served, but not announced. */
    struct rig_client *more = &many[TRUST_UNKNOWN_MAX];
    bind_number(more, TRUST_UNKNOWN_MAX, "other");
    assert_int_equal(listed("\"uuid\""), TRUST_UNKNOWN_MAX + 1);
    assert_int_equal(rig_logged("refused: its key is unknown"), 1);
    /* It shows a key after all. */
    rig_say(more, more->topic, "PUSH", REPORT, "r", "", "{}");
    assert_int_equal(listed("\"uuid\""), TRUST_UNKNOWN_MAX + 2);
    rig_drop(&many[5], "x");
    rig_step(1000);
    rig_say(&many[4], many[4].topic, "PUSH", REPORT, "r", "other", "{}");
    rig_drop(&many[4], "x");
    bind_number(&many[TRUST_UNKNOWN_MAX + 1], TRUST_UNKNOWN_MAX + 1, "other");
    assert_int_equal(listed("\"uuid\""), TRUST_UNKNOWN_MAX + 2);
    assert_int_equal(listed("10000000000000000000000000000005"), 0);
    assert_int_equal(listed(RIG_UUID), 1);
    payload_is("meross/mss310-0005/availability", "");
}

static const struct store_ops *plain;
static unsigned n_stored, n_rare;

static int watch_put(struct store *s, enum store_ns ns, struct span key, struct span value,
                     enum store_when when)
{
    n_stored += ns == STORE_DEVICE;
    n_rare += when == STORE_RARE;
    return plain->put(s, ns, key, value, when);
}

static int watch_del(struct store *s, enum store_ns ns, struct span key, enum store_when when)
{
    n_rare += when == STORE_RARE;
    return plain->del(s, ns, key, when);
}

/* Flash is not written at once for each plug that somebody invents, nor for a key that comes and
 * goes; but for one of ours. */
static void test_strangers_wear_no_flash(void **state)
{
    (void)state;
    static struct rig_client many[TRUST_UNKNOWN_MAX + 2];
    static const char *const mine[] = {"mine", NULL};
    rig_attach(mine);
    plain = rig->store->ops;
    struct store_ops watched = *plain;
    watched.put = watch_put;
    watched.del = watch_del;
    rig->store->ops = &watched;
    n_stored = n_rare = 0;
    for (unsigned i = 0; i < TRUST_UNKNOWN_MAX; i++)
        bind_number(&many[i], i, "other");
    for (unsigned i = 0; i < 4; i++)
        rig_say(&many[3], many[3].topic, "PUSH", REPORT, "r", i % 2 == 0 ? "meross" : "other",
                "{}");
    rig_drop(&many[5], "x");
    bind_number(&many[TRUST_UNKNOWN_MAX], TRUST_UNKNOWN_MAX, "other");
    rig_step(120000);
    assert_true(n_stored > TRUST_UNKNOWN_MAX / 2);
    assert_int_equal(n_rare, 0);
    bind_number(&many[TRUST_UNKNOWN_MAX + 1], TRUST_UNKNOWN_MAX + 1, "mine");
    rig_step(120000);
    assert_int_equal(n_rare, 1);
    rig->store->ops = plain;
}

/* A full registry: of the plugs that anybody could have invented, the one that was away longest
 * goes; one that somebody named, and one with a key of ours, stay. */
static void test_full(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(keys);
    for (unsigned i = 0; i < 1024; i++) {
        bind_number(&c, i, i == 0 ? KEY : "");
        rig_drop(&c, "x");
    }
    rig_ask("meross/broker/request/rename",
            "{\"plug\":\"10000000000000000000000000000001\",\"name\":\"lamp\"}");
    bind_number(&c, 2000, "");
    assert_int_equal(listed("\"uuid\""), 1024);
    assert_int_equal(listed("\"10000000000000000000000000000000\""), 1);
    assert_int_equal(listed("\"lamp\""), 1);
    assert_int_equal(listed("\"10000000000000000000000000000002\""), 0);
    assert_int_equal(listed("\"100000000000000000000000000007d0\""), 1);
    assert_int_equal(rig_logged("forgotten: it was away longest"), 1);
}

/* A host that does not know the time signs nothing with it. */
static void test_bind_without_time(void **state)
{
    (void)state;
    struct rig_request r;
    rig->env.wall_ms = 0;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.timestamp, "1700000000");
    char sign[SIGN_HEX];
    sign_message(sign, span_str("b1"), "", span_str("1700000000"));
    assert_string_equal(r.sign, sign);
}

/* A plug that is silent about its abilities is asked again in the next session. */
static void test_abilities_again(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    for (unsigned i = 0; i < 2; i++) {
        rig_drop(&plug, "x");
        arrive("");
        rig_skip();
        rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("mss310", "6.9.9"));
        rig_expect(&plug, "SETACK", BIND, "", NULL);
        rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
        rig_step(5000);
        rig_expect(&plug, "GET", ALL, "",
                   "{\"all\":{\"system\":{\"firmware\":{\"version\":\"6.9.9\"}}}}");
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_beside_the_plug),
                                       T(test_the_plug_again),
                                       T(test_in_the_place_of_the_plug),
                                       T(test_keys_change_beside_a_stranger),
                                       T(test_paired_anew),
                                       T(test_mac),
                                       T(test_quiet),
                                       T(test_answers),
                                       T(test_no_will_no_retain),
                                       T(test_askers_limit),
                                       T(test_invented),
                                       T(test_strangers_wear_no_flash),
                                       T(test_full),
                                       T(test_bind_without_time),
                                       T(test_abilities_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

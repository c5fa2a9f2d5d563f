/* Keys that no other plug has: told before the plug comes, kept, counted like one of meross_key,
 * and changed without losing the plug. */
#include "tests/unit/meross/conversation.h"

#include "meross/wire/crypto.h"

#define KEY   "8f4e2a90d1b3475c9e6f0a1b2c3d4e5f"
#define NEWER "0d1b3475c9e6f0a1b2c3d4e5f8f4e2a9"
#define ASK   "meross/broker/request/key"
#define TELL  "meross/broker/response/key"

/* Somebody tells a key; what is answered. */
static const char *tell(const char *members)
{
    char payload[512];
    struct rig_client c;
    const struct rig_pub *p;
    rig_client(&c, "cli", NULL, NULL);
    (void)snprintf(payload, sizeof payload, "{\"transaction\":\"t\",%s}", members);
    rig_skip();
    assert_false(rig_publish(&c, ASK, payload, false)); /* it is routed to nobody */
    p = rig_find(TELL);
    assert_non_null(p);
    assert_false(p->retain);
    return p->payload;
}

static const char *tell_key(const char *key)
{
    char members[384];
    (void)snprintf(members, sizeof members,
                   "\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"%s\"", key);
    return tell(members);
}

/* Connects with a password made of `key`. */
static enum broker_verdict come_with(struct rig_client *c, const char *tail, const char *key)
{
    char text[64 + SIGN_KEY_MAX], hash[SIGN_HEX];
    (void)snprintf(text, sizeof text, RIG_MAC "%s", key);
    crypto_md5_hex(hash, span_str(text));
    rig_plug(c, RIG_UUID, RIG_MAC, tail);
    (void)snprintf(c->password, sizeof c->password, "0_%s", hash);
    c->arrival.password = span_str(c->password);
    enum broker_verdict v = rig_connect(c);
    if (v == BROKER_ALLOW)
        rig_listen(c, RIG_TO);
    return v;
}

static void bind_with(const char *key)
{
    rig_skip();
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", key, RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, key, NULL);
}

static void key_is(const char *kind)
{
    char want[32];
    (void)snprintf(want, sizeof want, "\"key\":\"%s\"", kind);
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, want));
}

static void nothing_told(void)
{
    assert_null(strstr(rig->log, KEY));
    assert_null(strstr(rig->log, NEWER));
    for (size_t i = 0; i < rig->n; i++) {
        assert_null(strstr(rig->pub[i].payload, KEY));
        assert_null(strstr(rig->pub[i].payload, NEWER));
    }
}

static void again(const char *const *keys, enum meross_auth auth)
{
    rig_detach();
    rig_attach_auth(keys, auth);
}

static int look_for(void *ctx, struct span name, struct span value)
{
    char text[4096];
    unsigned *n = ctx;
    (void)name;
    assert_true(span_to_str(value, text, sizeof text));
    *n += strstr(text, KEY) != NULL;
    return MD_OK;
}

static unsigned on_disk(void)
{
    unsigned n = 0;
    assert_int_equal(store_each(rig->store, STORE_DEVICE, look_for, &n), MD_OK);
    return n;
}

/* When the answer says so it is kept: the plug gets it next, and the power may fail. */
static void test_kept_at_once(void **state)
{
    (void)state;
    rig_attach(NULL);
    assert_non_null(strstr(tell_key(KEY), "\"ok\""));
    assert_int_equal(on_disk(), 1);
    rig_ask("meross/broker/request/forget", "{\"plug\":\"" RIG_UUID "\"}");
    assert_int_equal(on_disk(), 0);
    rig_ready(&plug);
    assert_non_null(strstr(tell_key(KEY), "\"ok\""));
    assert_int_equal(on_disk(), 1);
}

/* A key is told, the plug comes with it: also where only known or configured ones are let in. */
static void test_told_before(void **state)
{
    (void)state;
    static const enum meross_auth modes[] = {MEROSS_AUTH_KNOWN, MEROSS_AUTH_STRICT};
    for (size_t i = 0; i < 2; i++) {
        rig_attach_auth(NULL, modes[i]);
        assert_int_equal(come_with(&plug, "", KEY), BROKER_NOT_AUTHORIZED);
        assert_string_equal(tell_key(KEY),
                            "{\"transaction\":\"t\",\"status\":\"ok\",\"data\":{"
                            "\"name\":\"plug-3456\",\"uuid\":\"" RIG_UUID "\",\"expected\":true}}");
        rig_step(2000);
        assert_null(strstr(rig_last("meross/broker/plugs")->payload, RIG_UUID)); /* not there yet */
        again(NULL, modes[i]); /* and it is kept meanwhile */
        assert_int_equal(come_with(&plug, "", KEY), BROKER_ALLOW);
        bind_with(KEY);
        rig_expect(&plug, "GET", "Appliance.System.Ability", KEY, RIG_ABILITY);
        key_is("own");
        payload_is("meross/" NAME "/availability", "online");
        rig_drop(&plug, "x");
        again(NULL, modes[i]);
        assert_int_equal(come_with(&plug, "", KEY), BROKER_ALLOW);
        rig_drop(&plug, "x");
        rig_ask("meross/broker/request/forget", "{\"plug\":\"" NAME "\"}");
        rig_step(2000);
        assert_int_equal(come_with(&plug, "", KEY), BROKER_NOT_AUTHORIZED); /* gone with it */
        rig_detach();
    }
    nothing_told();
}

/* Who has the plug's own key is the plug; who has one that everybody knows is not. */
static void test_trusted_like_ours(void **state)
{
    (void)state;
    struct rig_client stranger;
    rig_attach(NULL);
    (void)tell_key(KEY);
    assert_int_equal(come_with(&plug, "_right", KEY), BROKER_ALLOW);
    bind_with(KEY);
    rig_step(1000);
    rig_skip();
    assert_int_equal(come_with(&stranger, "_wrong", ""), BROKER_ALLOW);
    rig_say(&stranger, RIG_FROM, "PUSH", "Appliance.Control.Unbind", "u", "", "{}");
    assert_int_equal(rig->n_ended, 0);
    assert_false(rig->hooks.may_receive(rig->hooks.ctx, &stranger.c, span_str(RIG_TO)));
    assert_int_equal(come_with(&stranger, "_again", KEY), BROKER_ALLOW);
    assert_int_equal(rig->n_ended, 1);
    assert_string_equal(rig->ended[0], plug.id);
}

/* A new key counts once the plug shows it: until then the old one does. [trap 11] */
static void test_two_phases(void **state)
{
    (void)state;
    rig_attach(NULL);
    (void)tell_key(KEY);
    assert_int_equal(come_with(&plug, "", KEY), BROKER_ALLOW);
    bind_with(KEY);
    (void)tell_key(NEWER);
    bind_with(KEY); /* it was not taken */
    rig_drop(&plug, "x");
    again(NULL, MEROSS_AUTH_STRICT); /* both are kept */
    assert_int_equal(come_with(&plug, "", KEY), BROKER_ALLOW);
    bind_with(KEY);
    rig_drop(&plug, "x");
    assert_int_equal(come_with(&plug, "", NEWER), BROKER_ALLOW); /* it was, after all */
    bind_with(NEWER);
    assert_int_equal(rig_logged("signs with its new key"), 1);
    rig_drop(&plug, "x");
    assert_int_equal(come_with(&plug, "", KEY), BROKER_NOT_AUTHORIZED);
    again(NULL, MEROSS_AUTH_STRICT);
    assert_int_equal(come_with(&plug, "", KEY), BROKER_NOT_AUTHORIZED);
    assert_int_equal(come_with(&plug, "", NEWER), BROKER_ALLOW);
    nothing_told();
}

/* A plug that has the empty key, or one of meross_key, is given one of its own; keys of the
 * configuration come and go without it. [trap 11] */
static void test_given_to_a_known_plug(void **state)
{
    (void)state;
    static const char *const ours[] = {"ours", NULL}, *const others[] = {"others", NULL};
    rig_attach(ours);
    assert_int_equal(come_with(&plug, "", "ours"), BROKER_ALLOW);
    bind_with("ours");
    rig_expect(&plug, "GET", "Appliance.System.Ability", "ours", RIG_ABILITY);
    rig_expect(&plug, "GET", ALL, "ours", RIG_ALL);
    key_is("configured");
    (void)tell_key(KEY);
    key_is("configured");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", KEY, "{}");
    key_is("own");
    assert_int_equal(meross_set_keys(rig->m, others), MD_OK);
    rig_skip();
    rig_ask("meross/" NAME "/get", "{\"transaction\":\"g\"}");
    rig_expect(&plug, "GET", ALL, KEY, RIG_ALL);
    key_is("own");
}

static void test_refused(void **state)
{
    (void)state;
    static char long_key[256], longest[256];
    static const char *const bad[] = {
        "\"mac\":\"" RIG_MAC "\",\"key\":\"k\"",
        "\"uuid\":\"x\",\"mac\":\"" RIG_MAC "\",\"key\":\"k\"",
        "\"uuid\":\"" RIG_UUID "\",\"key\":\"k\"",
        "\"uuid\":\"00000000000000000000000000000000\",\"mac\":\"00:00:00:00:00:00\",\"key\":\"k\"",
        "\"uuid\":\"" RIG_UUID "\",\"mac\":\"48:e1:e9:12:34:57\",\"key\":\"k\"",
        "\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\"",
        "\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"\"",
        "\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"k\",\"name\":\"a/b\"",
        "\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"k\",\"name\":\"\"",
        "\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC
        "\",\"key\":\"k\",\"address\":7,\"address\":{}"};
    rig_attach(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(strstr(tell(bad[i]), "\"code\":\"invalid\""));
    memset(longest, 'k', SIGN_KEY_MAX);
    memset(long_key, 'k', SIGN_KEY_MAX + 1);
    assert_non_null(strstr(tell_key(long_key), "\"code\":\"invalid\""));
    assert_int_equal(rig_logged("its key was told"), 0);
    assert_non_null(strstr(tell_key(longest), "\"status\":\"ok\""));
}

/* The name is given with the key, unless another plug has it. */
static void test_name(void **state)
{
    (void)state;
    rig_attach(NULL);
    assert_non_null(strstr(tell("\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"" KEY
                                "\",\"name\":\"kettle\",\"address\":\"192.0.2.9\""),
                           "\"name\":\"kettle\""));
    assert_non_null(strstr(tell("\"uuid\":\"2101011234567890123448e1e9123457\","
                                "\"mac\":\"48:e1:e9:12:34:57\",\"key\":\"k\",\"name\":\"Kettle\""),
                           "\"code\":\"exists\""));
    assert_int_equal(come_with(&plug, "", KEY), BROKER_ALLOW);
    bind_with(KEY);
    payload_is("meross/kettle/availability", "online");
    (void)tell("\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"" NEWER
               "\",\"name\":\"pot\"");
    payload_is("meross/pot/availability", "online");
    payload_is("meross/kettle/availability", "");
}

/* Nobody subscribes to it, and nobody gets it by a wildcard. */
static void test_nobody_reads_it(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_client(&c, "curious", NULL, NULL);
    assert_false(rig_may(&c, BROKER_SUBSCRIBE, ASK));
    assert_true(rig_may(&c, BROKER_SUBSCRIBE, "meross/broker/request/rename"));
    assert_true(rig_may(&c, BROKER_SUBSCRIBE, "#"));
    assert_false(rig->hooks.may_receive(rig->hooks.ctx, &c.c, span_str(ASK)));
    assert_true(
        rig->hooks.may_receive(rig->hooks.ctx, &c.c, span_str("meross/broker/request/rename")));
    assert_false(rig_publish(&c, ASK, "no JSON", true));
    assert_non_null(rig_find(TELL));
}

/* Without memory nothing of a key is left, and nothing that was there is lost. */
static void test_no_memory(void **state)
{
    (void)state;
    rig_attach_auth(NULL, MEROSS_AUTH_STRICT);
    struct rig_client c;
    rig_client(&c, "cli", NULL, NULL);
    for (long n = 1; n < 30; n++) {
        mem_fail_after(n);
        (void)rig_publish(&c, ASK,
                          "{\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"key\":\"" KEY "\"}",
                          false);
        mem_fail_after(-1);
    }
    rig_step(2000);
    assert_int_equal(come_with(&plug, "", KEY), BROKER_ALLOW);
    bind_with(KEY);
    nothing_told();
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_told_before),           T(test_trusted_like_ours), T(test_two_phases),
        T(test_given_to_a_known_plug), T(test_refused),           T(test_name),
        T(test_nobody_reads_it),       T(test_no_memory),         T(test_kept_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

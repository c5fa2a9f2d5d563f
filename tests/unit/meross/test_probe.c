/* The plug that is none: its Bind is answered, and nobody hears of it. */
#include "tests/unit/meross/conversation.h"

#include "meross/session/probe.h"

#define TO "/appliance/" PROBE_UUID "/subscribe"

static void connect_probe(struct rig_client *c)
{
    rig_plug(c, PROBE_UUID, PROBE_MAC, "_AbCdEfGhIjKlMnOp");
    assert_int_equal(rig_connect(c), BROKER_ALLOW);
    rig_listen(c, TO);
}

static void answered(struct rig_client *c, const char *id)
{
    struct rig_request r;
    rig_skip();
    rig_say(c, c->topic, "SET", BIND, id, "whatever", "{\"bind\":{}}");
    assert_true(rig_request_to(TO, &r));
    assert_string_equal(r.method, "SETACK");
    assert_string_equal(r.ns, BIND);
    assert_string_equal(r.id, id);
    assert_null(rig_next());
}

/* Whatever `meross_auth` says: a tool has no key, and gets nothing but this answer. */
static void test_answered(void **state)
{
    (void)state;
    static const char *const keys[] = {"0123456789abcdef", NULL};
    static const enum meross_auth all[] = {MEROSS_AUTH_OPEN, MEROSS_AUTH_KNOWN, MEROSS_AUTH_STRICT};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct rig_client c;
        rig_attach_auth(keys, all[i]);
        connect_probe(&c);
        assert_true(rig->hooks.may_receive(rig->hooks.ctx, &c.c, span_str(TO)));
        answered(&c, "b1");
        answered(&c, "b1"); /* each time */
        rig_step(600000);
        rig_ask("meross/broker/request/list", "{}");
        assert_non_null(strstr(rig_last("meross/broker/response/list")->payload, "\"plugs\":[]"));
        assert_non_null(strstr(rig_last("meross/broker/info")->payload, "\"plugs\":0,"));
        rig_drop(&c, "closed");
        rig_detach();
    }
}

/* It says other things, and comes twice; the real plugs notice nothing. */
static void test_unheard(void **state)
{
    (void)state;
    struct rig_client a, b;
    rig_attach(NULL);
    rig_ready(&plug);
    connect_probe(&a);
    connect_probe(&b);
    rig_skip();
    rig_say(&a, a.topic, "PUSH", BIND, "p", "", "{\"bind\":{}}");
    rig_say(&a, a.topic, "PUSH", "Appliance.System.Clock", "p", "", "{\"clock\":{}}");
    rig_say(&a, a.topic, "SETACK", BIND, "p", "", "{}");
    assert_true(rig_publish(&a, a.topic, "no message", false));
    assert_false(rig_may(&a, BROKER_SUBSCRIBE, RIG_TO));
    assert_null(rig_next());
    answered(&b, "b2");
    rig_drop(&a, "closed");
    answered(&b, "b3");
    rig_drop(&b, "closed");
    assert_null(rig_next());
    assert_int_equal(rig->n_ended, 0);
}

/* Its address is one a network may not have: only over TLS or from this host, as any plug. */
static void test_in_clear(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_plug(&c, PROBE_UUID, PROBE_MAC, "");
    c.c.tls = false;
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    rig_plug(&c, PROBE_UUID, "00:00:00:00:00:01", ""); /* and nobody else is it */
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answered, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_unheard, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_in_clear, rig_setup, rig_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

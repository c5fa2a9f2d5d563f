/* The life of a session: Bind, reconnects, restarts, heartbeat (sheet, 4, 10 and 12). */
#include "tests/unit/meross/conversation.h"

/* The dialogue of section 12, up to the end of the set-up. */
static void test_first_meeting(void **state)
{
    (void)state;
    struct rig_request r;
    rig_attach(NULL);
    payload_is("meross/broker/state", "online");
    payload_is("meross/broker/plugs", "[]");
    zone_berlin();
    rig_skip();
    arrive("_AbCdEfGhIjKlMnOp");
    assert_null(rig_next()); /* nothing is said before the plug has spoken */
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r1", "",
            "{\"report\":[{\"type\":\"1\",\"value\":\"1\",\"timestamp\":1700000000}]}");
    assert_string_equal(rig_next()->topic, "/app/0/subscribe"); /* for apps */
    assert_null(rig_next());
    rig_say(&plug, RIG_FROM, "SET", BIND, "4d0b3f6c2a9e4b5d8c7f6a1b2c3d10b5", "", RIG_BIND);
    /* At once, first of all, with the same messageId and a valid sign of now. */
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.method, "SETACK");
    assert_string_equal(r.id, "4d0b3f6c2a9e4b5d8c7f6a1b2c3d10b5");
    assert_string_equal(r.timestamp, "1717243200");
    assert_string_equal(r.payload, "{}");
    char sign[SIGN_HEX];
    sign_message(sign, span_str(r.id), "", span_str("1717243200"));
    assert_string_equal(r.sign, sign);
    assert_non_null(rig_find("meross/" NAME "/event"));
    /* Then gently: abilities, state, time; each after the answer to the one before. */
    rig->read = 0;
    assert_true(rig_request_to(RIG_TO, &r)); /* the SETACK again */
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, "Appliance.System.Ability");
    assert_string_equal(r.from, TOPICS_ANSWERS);
    assert_int_equal(strlen(r.id), 32);
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, TOPICS_ANSWERS, "GETACK", r.ns, r.id, "", RIG_ABILITY);
    rig->read = rig->n - 1;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, ALL);
    rig_say(&plug, TOPICS_ANSWERS, "GETACK", ALL, r.id, "", RIG_ALL);
    rig->read = rig->n - 1;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, TIME);
    assert_string_equal(r.method, "SET");
    assert_non_null(strstr(r.payload, "{\"time\":{\"timestamp\":1717243200,\"timezone\":"
                                      "\"Europe/Berlin\",\"timeRule\":[[1711846800,7200,1],"
                                      "[1729990800,3600,0],[1743296400,7200,1]"));
    unsigned rules = 0;
    for (const char *p = r.payload; (p = strchr(p, '[')) != NULL; p++)
        rules++;
    assert_int_equal(rules, 21); /* the list and its twenty entries */
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TIME, r.id, "", "{}");
    /* The heartbeat. */
    rig_skip();
    rig_step(300000);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, ALL);
}

/* What people see of it. */
static void test_first_announcement(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    payload_is("meross/" NAME "/availability", "online");
    assert_true(rig_last("meross/" NAME)->retain);
    assert_true(rig_last("meross/" NAME "/availability")->retain);
    const struct rig_pub *plugs = rig_last("meross/broker/plugs");
    assert_true(plugs->retain);
    assert_string_equal(
        plugs->payload,
        "[{\"name\":\"" NAME "\",\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\",\"type\":"
        "\"mss310\",\"hardware\":\"6.0.0\",\"firmware\":\"6.3.21\",\"chip\":\"rtl8710cf\","
        "\"address\":\"192.0.2.7\",\"online\":true,\"bound\":true,\"last_seen\":1717243200,"
        "\"key\":\"empty\",\"user_id\":0,\"channels\":[0],\"switch\":\"togglex\"}]");
    payload_is(
        "meross/broker/info",
        "{\"version\":\"1.2.3\",\"started\":1717243200,\"uptime\":1,\"listeners\":[{\"port\":"
        "8883,\"tls\":true},{\"address\":\"127.0.0.1\",\"port\":1883,\"tls\":false}],"
        "\"plugs\":1,\"online\":1,\"woken\":0,\"connections\":2,\"sessions\":0,\"subscriptions\":0,"
        "\"retained\":0,\"messages_in\":7,\"messages_out\":0,\"dropped\":0,\"shield\":{\"passed\":"
        "0,\"refused\":0}}");
    rig_step(59000);
    assert_non_null(strstr(rig_last("meross/broker/info")->payload, "\"uptime\":60,"));
    assert_int_equal(rig_logged("bound type"), 1);
}

/* [trap 27] Each Bind, with the same id or with another one. */
static void test_bind_again(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    static const char *const ids[] = {"b1", "b1", "b2"};
    for (size_t i = 0; i < 3; i++) {
        struct rig_request r;
        rig_say(&plug, RIG_FROM, "SET", BIND, ids[i], "", RIG_BIND);
        assert_true(rig_request_to(RIG_TO, &r));
        assert_string_equal(r.method, "SETACK");
        assert_string_equal(r.id, ids[i]);
        assert_null(rig_find(RIG_TO)); /* and is not set up again */
    }
    assert_int_equal(rig_logged("bound type"), 1);
}

/* [trap 28] A Bind that is pushed is stored and not answered. */
static void test_bind_push(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "PUSH", BIND, "b1", "", RIG_BIND_OF("mss110", "1.1.13"));
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
    payload_is("meross/mss110-3456/availability", "online");
}

/* A plug that was bound before may not send Bind: after three seconds it is taken as bound. */
static void test_no_bind(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r1", "", "{\"report\":[]}");
    rig_step(2999);
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    rig->read = 0;
    payload_is("meross/plug-3456/availability", "online"); /* its type is not known yet */
    rig_step(499);
    assert_null(rig_find(RIG_TO)); /* its firmware may be one that bears no burst  [trap 39] */
    rig_step(1);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_step(500);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    /* Now it is: the first name's topics are cleared. */
    payload_is("meross/plug-3456", "");
    payload_is("meross/plug-3456/availability", "");
    payload_is("meross/" NAME "/availability", "online");
    assert_true(rig_last("meross/plug-3456")->retain);
    rig_skip();
    rig_step(1000);
    assert_null(rig_find(RIG_TO)); /* the abilities are not asked for twice */
}

/* [trap 30] [trap 31] */
static void test_consumption_config(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ConsumptionConfig", "z1", "",
            "{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}");
    const struct rig_pub *p = rig_find(RIG_TO);
    assert_non_null(strstr(p->payload, "\"method\":\"PUSH\""));
    assert_non_null(strstr(
        p->payload, "\"payload\":{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}"));
    assert_null(strstr(p->payload, "\"uuid\""));
}

/* [trap 36] */
static void test_subdevice_list(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Hub.SubdeviceList", "h1", "",
            "{\"subdeviceList\":[{\"id\":\"0100\"}]}");
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Hub.SubdeviceList", "h2", "",
            "{\"needReply\":1,\"subdeviceList\":[{\"id\":\"0100\"}]}");
    assert_non_null(rig_find(RIG_TO));
}

/* [trap 9] The same client id again. */
static void test_takeover(void **state)
{
    (void)state;
    struct rig_client again;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_plug(&again, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    assert_int_equal(rig->hooks.on_connect(rig->hooks.ctx, &again.c, NULL), BROKER_ALLOW);
    rig_drop(&plug, "another connection took its client id");
    rig->hooks.on_connected(rig->hooks.ctx, &again.c);
    rig_listen(&again, RIG_TO);
    rig_say(&again, RIG_FROM, "SET", BIND, "b9", "", RIG_BIND);
    rig_expect(&again, "SETACK", BIND, "", NULL);
    payload_is("meross/" NAME "/availability", "online");
    assert_int_equal(rig_logged("disconnected"), 0);
    rig->read = 0;
    const struct rig_pub *p;
    while ((p = rig_next()) != NULL)
        assert_string_not_equal(p->payload, "offline");
}

/* [trap 9] After a reboot it comes under another client id while the old connection lingers. */
static void test_new_tail(void **state)
{
    (void)state;
    struct rig_client after;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_plug(&after, RIG_UUID, RIG_MAC, "_ZZZZZZZZZZZZZZZZ");
    assert_int_equal(rig_connect(&after), BROKER_ALLOW);
    assert_int_equal(rig->n_ended, 1);
    assert_string_equal(rig->ended[0], plug.id);
    rig_listen(&after, RIG_TO);
    rig_say(&after, RIG_FROM, "SET", BIND, "b9", "", RIG_BIND);
    /* What the old connection still says is nobody's. */
    rig_skip();
    rig_say(&plug, RIG_FROM, "SET", BIND, "b10", "", RIG_BIND);
    assert_null(rig_next());
    rig_drop(&plug, "keep alive expired");
    payload_is("meross/" NAME "/availability", "online");
    rig_ask("meross/" NAME "/set", "OFF");
    rig_drop(&after, "connection reset");
    payload_is("meross/" NAME "/availability", "offline");
}

/* A connection that is allowed and then fails leaves nothing behind. */
static void test_never_connected(void **state)
{
    (void)state;
    struct rig_client again;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_plug(&again, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    assert_int_equal(rig->hooks.on_connect(rig->hooks.ctx, &again.c, NULL), BROKER_ALLOW);
    rig_drop(&plug, "another connection took its client id");
    payload_is("meross/" NAME "/availability", "online");
    rig_client(&again, "somebody", NULL, NULL);
    assert_int_equal(rig_connect(&again), BROKER_ABSTAIN);
    payload_is("meross/" NAME "/availability", "offline");
}

static void test_offline(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_drop(&plug, "keep alive expired");
    const struct rig_pub *p = rig_find("meross/" NAME "/availability");
    assert_string_equal(p->payload, "offline");
    p = rig_find("meross/" NAME "/event");
    assert_string_equal(p->payload, "{\"event\":\"offline\",\"reason\":\"keep alive expired\"}");
    assert_int_equal(rig_logged("disconnected: keep alive expired"), 1);
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/info")->payload, "\"online\":0"));
    assert_int_equal(rig_live_timers(), 1); /* the info */
}

/* One that never gets as far as Bind is not remembered. */
static void test_never_bound(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_skip();
    arrive("");
    rig_drop(&plug, "x");
    assert_null(rig_next());
    rig_step(2000);
    payload_is("meross/broker/plugs", "[]");
}

/* The broker restarts: everything known is there again, offline, and the plug comes back. */
static void test_restart(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_detach();
    payload_is("meross/broker/state", "offline");
    payload_is("meross/" NAME "/availability", "offline");
    rig_skip();
    rig_attach(NULL);
    payload_is("meross/broker/state", "online");
    payload_is("meross/" NAME "/availability", "offline");
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    rig_skip();
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", ALL, "", NULL); /* the abilities of this firmware are known */
    payload_is("meross/" NAME "/availability", "online");
}

/* New firmware: its abilities are read again. */
static void test_new_firmware(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_drop(&plug, "x");
    rig_skip();
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("mss310", "6.3.22"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
}

/* [trap 39] Firmware 8 and 9 is given a second between two requests of ours. */
static void test_gentle(void **state)
{
    (void)state;
    struct rig_request r;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("mss305", "8.3.15"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_step(999);
    assert_false(rig_request_to(RIG_TO, &r));
    rig_step(1);
    rig->read = 0;
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_step(999);
    assert_false(rig_request_to(RIG_TO, &r));
    /* People do not wait, and the pause goes on. */
    rig_ask("meross/mss305-3456/set", "ON");
    rig_expect(&plug, "SET", "Appliance.Control.ToggleX", "", "{}");
    rig_step(999);
    rig->read = rig->n;
    assert_false(rig_request_to(RIG_TO, &r));
    rig_step(1);
    rig->read = 0;
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
    rig_expect(&plug, "SET", "Appliance.Control.ToggleX", "", NULL);
    rig_expect(&plug, "GET", ALL, "", NULL);
}

/* Silence to our own questions: no flood, one line after the second, and on it goes. */
static void test_mute(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
    rig_step(5000);
    rig_expect(&plug, "GET", ALL, "", NULL);
    rig_step(5000);
    assert_null(rig_find(RIG_TO));
    assert_int_equal(rig_logged("does not answer"), 0);
    rig_step(305000);
    assert_int_equal(rig_logged("does not answer"), 1);
    rig_step(305000 * 3);
    assert_int_equal(rig_logged("does not answer"), 1);
    payload_is("meross/" NAME "/availability", "online");
}

/* The plug's own case of the uuid is kept in its topic. */
static void test_uuid_case(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_plug(&plug, "2101011234567890123448E1E9123456", RIG_MAC, "");
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO); /* lower case, as it turns out */
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    assert_non_null(rig_find(RIG_TO));
}

static void test_unbind(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.Unbind", "u", "", "{}");
    assert_non_null(strstr(rig_find("meross/" NAME "/event")->payload, "unbound"));
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "\"bound\":false"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_first_meeting),  T(test_first_announcement),
                                       T(test_bind_again),     T(test_bind_push),
                                       T(test_no_bind),        T(test_consumption_config),
                                       T(test_subdevice_list), T(test_takeover),
                                       T(test_new_tail),       T(test_never_connected),
                                       T(test_offline),        T(test_never_bound),
                                       T(test_restart),        T(test_new_firmware),
                                       T(test_gentle),         T(test_mute),
                                       T(test_uuid_case),      T(test_unbind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is written down about the connections of plugs, and the verb `doctor` that tells it. */
#include "tests/unit/meross/fake_broker.h"

static const struct broker_arrival arrival = {
    .opened_ms = 5000, .secured_ms = 5040, .cipher = "TLSv1.2 X", .hello = "771,47 # 1"};

static const char *doctor(const char *request)
{
    const struct rig_pub *p;
    rig_skip();
    rig_ask("meross/broker/request/doctor", request);
    p = rig_find("meross/broker/response/doctor");
    assert_non_null(p);
    return p->payload;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s\nis not in\n%s", part, text);
}

static void has_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("%s\nis in\n%s", part, text);
}

static void arrive(struct rig_client *c, const struct broker_arrival *a)
{
    struct span password = c->arrival.password;
    c->arrival = *a;
    c->arrival.password = password;
    assert_int_equal(rig_connect(c), BROKER_ALLOW);
    c->c.arrival = NULL; /* as the broker does */
}

/* A plug from its first byte to its end.  [trap 27] */
static void the_timeline_of_a_plug(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    struct broker_arrival a = arrival;
    a.opened_ms = rig->env.mono_ms;
    a.secured_ms = a.opened_ms + 40;
    rig_step(50);
    rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    arrive(&c, &a);
    rig_step(10);
    rig_listen(&c, RIG_TO);
    rig_step(20);
    rig_say(&c, RIG_FROM, "SET", "Appliance.Control.Bind", "b1", "", RIG_BIND);
    rig_say(&c, RIG_FROM, "SET", "Appliance.Control.Bind", "b2", "", RIG_BIND);
    rig_expect(&c, "SETACK", "Appliance.Control.Bind", "", NULL);
    rig_expect(&c, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_expect(&c, "SETACK", "Appliance.Control.Bind", "", NULL);
    rig_step(100);
    rig_expect(&c, "GET", "Appliance.System.All", "", RIG_ALL);
    const char *text = doctor("{\"plug\":\"mss310\",\"transaction\":1}");
    has(text, "\"timeline\":[{\"opened\":1717243");
    has(text, "\"address\":\"192.0.2.7\",\"tls\":\"TLSv1.2 X\",\"level\":3,\"client_id\":"
              "\"uuid_tail\",\"steps\":{\"tls\":40,\"connect\":50,\"subscribe\":60,\"bind\":80,"
              "\"bound\":80,\"reading\":180},\"binds\":2,\"seconds\":0}]");
    has(text, "\"phase\":\"bound\",\"trusted\":true,\"key\":\"empty\"");
    has(text, "\"online_status\":1");
    has(text, "\"hello\":\"771,47 # 1\"");
    has(text, "\"clock\":true");
    has_not(text, "\"failed\"");
    rig_drop(&c, "it closed the connection");
    text = doctor("{\"plug\":\"mss310\"}");
    has(text, "\"end\":\"it closed the connection\"");
    has(text, "\"phase\":\"away\"");
    has(text, "\"last_end\":\"it closed the connection\"");
    assert_int_equal(rig_logged("hello"), 0);
}

static void the_list_is_brief(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    has(doctor("{}"), "\"plugs\":[]");
    rig_ready(&c);
    const char *text = doctor("{}");
    has(text, "\"name\":\"mss310-3456\"");
    has(text, "\"connects\":1");
    has_not(text, "timeline");
    has(doctor("{\"plug\":\"nobody\"}"), "no_such_plug");
}

/* What it offers is kept with the plug, and an event when it changes; a hello that differs only in
 * what differs each time does not. */
static void a_hello_is_kept_with_the_plug(void **state)
{
    (void)state;
    struct rig_client c;
    struct broker_arrival other = arrival;
    rig_attach(NULL);
    for (unsigned i = 0; i < 3; i++) {
        rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
        other.hello = i == 0 ? "771,47 # 1" : i == 1 ? "771,47 # 2" : "771,53 # 1";
        arrive(&c, &other);
        rig_listen(&c, RIG_TO);
        rig_say(&c, RIG_FROM, "SET", "Appliance.Control.Bind", "b1", "", RIG_BIND);
        rig_step(1500);
        rig_drop(&c, "gone");
    }
    unsigned events = 0;
    for (size_t i = 0; i < rig->n; i++)
        events += strcmp(rig->pub[i].topic, "meross/mss310-3456/event") == 0 &&
                  strstr(rig->pub[i].payload, "\"hello\"") != NULL;
    assert_int_equal(events, 1);
    assert_int_equal(rig_logged("offers something else in TLS"), 1);
    rig_detach();
    rig_attach(NULL); /* from the record */
    has(doctor("{\"plug\":\"mss310\"}"), "\"hello\":\"771,53 # 1\"");
    rig_skip();
    rig_ask("meross/broker/request/show", "{\"plug\":\"mss310\"}");
    has(rig_find("meross/broker/response/show")->payload, "\"hello\":\"771,53 # 1\"");
}

static void failed(const char *id, bool tls, const struct broker_arrival *a, const char *why)
{
    struct rig_client c;
    rig_client(&c, id, NULL, NULL);
    c.c.tls = tls;
    c.c.level = 0;
    if (a != NULL)
        c.arrival = *a;
    rig->hooks.on_failed(rig->hooks.ctx, &c.c, why);
}

/* [trap 15] [trap 16] */
static void connections_that_came_to_nothing(void **state)
{
    (void)state;
    struct broker_arrival half = {.opened_ms = 1, .hello = "771,10"}, whole = arrival;
    rig_attach(NULL);
    failed("", true, &half, "TLS: no cipher suite in common; it offered 0x000a");
    failed("", true, &half, "TLS: no cipher suite in common; it offered 0x000a");
    failed("", false, NULL, "it sent a TLS ClientHello to a plain MQTT port");
    failed("", false, NULL, "it closed the connection"); /* health checks */
    failed("", true, &whole, "it closed the connection");
    failed("", true, &whole, "");
    const char *text = doctor("{}");
    has(text, "\"attempts_total\":3");
    has(text, "{\"address\":\"192.0.2.7\",\"step\":\"tls\",\"why\":\"TLS: no cipher suite in "
              "common; it offered 0x000a\",\"count\":2,\"first\":1717243200,\"last\":1717243200,"
              "\"hello\":\"771,10\"}");
    has(text, "\"step\":\"tcp\",\"why\":\"it sent a TLS ClientHello");
    has_not(text, "it closed");
}

/* NTP comes after everything else: what happened before is a minute ago then, not 57 years. */
static void the_time_comes_late(void **state)
{
    (void)state;
    struct broker_arrival half = {.opened_ms = 1, .hello = "771,10"}, a = arrival;
    struct rig_client c;
    rig->env.wall_ms = 5000;
    rig_attach(NULL);
    a.opened_ms = a.secured_ms = rig->env.mono_ms;
    rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    arrive(&c, &a);
    rig_listen(&c, RIG_TO);
    rig_say(&c, RIG_FROM, "SET", "Appliance.Control.Bind", "b1", "", RIG_BIND);
    rig_drop(&c, "it closed the connection");
    failed("", true, &half, "TLS: no cipher suite in common; it offered 0x000a");
    rig->env.wall_ms = 1717243200000;
    rig_step(10000);
    const char *text = doctor("{\"plug\":\"mss310\",\"transaction\":1}");
    has(text, "\"now\":1717243210,\"started\":1717243200,\"uptime\":10");
    has(text, "\"first\":1717243200,\"last\":1717243200");
    has(text, "\"timeline\":[{\"opened\":1717243200,");
    has(text, "\"last_seen\":1717243200,");
}

/* Nor is a plug seen in the future once a clock that was ahead is put right. */
static void the_time_was_ahead(void **state)
{
    (void)state;
    struct rig_client c;
    rig->env.wall_ms += 86400000000;
    rig_attach(NULL);
    rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    assert_int_equal(rig_connect(&c), BROKER_ALLOW);
    rig_listen(&c, RIG_TO);
    rig_say(&c, RIG_FROM, "SET", "Appliance.Control.Bind", "b1", "", RIG_BIND);
    rig_drop(&c, "it closed the connection");
    rig->env.wall_ms -= 86400000000;
    rig_step(60000);
    has(doctor("{\"plug\":\"mss310\",\"transaction\":1}"), "\"last_seen\":1717243200,");
}

/* The reason of the door, once, and with the uuid; it is found with the plug. */
static void a_plug_that_is_not_let_in(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_ready(&c);
    rig_drop(&c, "gone");
    rig_plug(&c, RIG_UUID, RIG_MAC, "");
    c.c.tls = false;
    c.c.ticket = 77;
    assert_int_equal(rig_connect(&c), BROKER_NOT_AUTHORIZED);
    rig->hooks.on_failed(rig->hooks.ctx, &c.c, "it was refused");
    const char *text = doctor("{}");
    has(text, "\"attempts_total\":1");
    has(text,
        "\"uuid\":\"" RIG_UUID "\",\"step\":\"connect\",\"why\":\"it connects like a plug, but "
        "in clear");
    has(text, "\"plug\":\"mss310-3456\"");
    has(doctor("{\"plug\":\"mss310\"}"), "\"failed\":{\"address\"");
    c.c.ticket = 78; /* the next one is another */
    rig->hooks.on_failed(rig->hooks.ctx, &c.c, "its Keep Alive is longer than max_keepalive");
    has(doctor("{}"), "\"attempts_total\":2");
}

/* It never listens, so it gets no name; what it did is written down all the same.  [trap 27] */
static void a_plug_that_never_binds(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    for (unsigned i = 0; i < 2; i++) {
        rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
        assert_int_equal(rig_connect(&c), BROKER_ALLOW);
        has(doctor("{}"),
            "\"known\":false,\"online\":false,\"bound\":false,\"phase\":\"connected\"");
        rig_step(15000);
        rig_drop(&c, "it said goodbye");
    }
    const char *text = doctor("{}");
    has(text, "\"uuid\":\"" RIG_UUID "\",\"step\":\"connect\",\"why\":\"it connected, but did not "
              "subscribe to its own topic: it said goodbye\",\"count\":2");
    has(text, "\"plugs\":[]");
}

static void what_the_plug_says_of_its_servers(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    assert_int_equal(rig_connect(&c), BROKER_ALLOW);
    rig_listen(&c, RIG_TO);
    rig_say(&c, RIG_FROM, "SET", "Appliance.Control.Bind", "b1", "", RIG_BIND);
    rig_expect(&c, "SETACK", "Appliance.Control.Bind", "", NULL);
    rig_expect(&c, "GET", "Appliance.System.Ability", "",
               "{\"ability\":{\"Appliance.System.All\":{},\"Appliance.System.Debug\":{}}}");
    rig_step(100);
    rig_expect(
        &c, "GET", "Appliance.System.All", "",
        "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\"},\"firmware\":{\"version\":"
        "\"6.3.21\",\"server\":\"192.168.1.10\",\"port\":8883},\"online\":{\"status\":0}}}}");
    rig_step(100);
    rig_expect(&c, "GET", "Appliance.System.Debug", "",
               "{\"debug\":{\"network\":{\"rssi\":-85},\"cloud\":{\"mainServer\":\"192.168.1.10\","
               "\"mainPort\":8883,\"secondServer\":\"\",\"secondPort\":0}}}");
    const char *text = doctor("{\"plug\":\"mss310\"}");
    has(text, "\"server\":\"192.168.1.10\",\"port\":8883,\"second_server\":\"\",\"second_port\":0");
    has(text, "\"online_status\":0,\"rssi\":-85");
}

static void a_mute_plug(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_ready(&c);
    has(doctor("{}"), "\"mutes\":0,\"mute\":false");
    rig_step(2 * 305 * 1000);
    has(doctor("{}"), "\"mutes\":1,\"mute\":true");
    rig_step(305 * 1000);
    has(doctor("{}"), "\"mutes\":1,\"mute\":true"); /* one period of silence */
    rig_drop(&c, "gone");
    has(doctor("{}"), "\"mutes\":1,\"mute\":false");
}

static void another_address(void **state)
{
    (void)state;
    struct rig_client c;
    rig_attach(NULL);
    rig_ready(&c);
    rig_drop(&c, "gone");
    has(doctor("{}"), "\"address_changes\":0");
    rig_plug(&c, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    c.c.peer = "192.0.2.8:1";
    assert_int_equal(rig_connect(&c), BROKER_ALLOW);
    const char *text = doctor("{}");
    has(text, "\"address_changes\":1");
    has(text, "\"ended_last_hour\":1");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(the_timeline_of_a_plug),
        T(the_list_is_brief),
        T(a_hello_is_kept_with_the_plug),
        T(connections_that_came_to_nothing),
        T(the_time_comes_late),
        T(the_time_was_ahead),
        T(a_plug_that_is_not_let_in),
        T(a_plug_that_never_binds),
        T(what_the_plug_says_of_its_servers),
        T(a_mute_plug),
        T(another_address),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

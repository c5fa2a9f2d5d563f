/* When a request of people ends: never later than its time, whatever stands before it. */
#include "tests/unit/meross/conversation.h"

#define SET      "meross/" NAME "/set"
#define RESPONSE "meross/" NAME "/response"
#define ABILITY  "Appliance.System.Ability"
#define TOGGLEX  "Appliance.Control.ToggleX"

static void failed(const char *transaction, const char *code)
{
    char start[64], end[32];
    const struct rig_pub *p = rig_find(RESPONSE);
    assert_non_null(p);
    (void)snprintf(start, sizeof start, "{\"transaction\":\"%s\",\"status\":\"error\"",
                   transaction);
    (void)snprintf(end, sizeof end, "\"code\":\"%s\"}", code);
    assert_int_equal(strncmp(p->payload, start, strlen(start)), 0);
    assert_non_null(strstr(p->payload, end));
}

/* Bound, and asked for its abilities, which it does not answer. */
static void mute_plug(void)
{
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", ABILITY, "", NULL);
    rig_skip();
}

/* The key is lost while a request waits behind one of our own. */
static void test_key_lost_while_waiting(void **state)
{
    (void)state;
    mute_plug();
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t\"}");
    for (unsigned i = 0; i < 3; i++)
        rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r", "bad", "{}");
    rig_step(1500);
    failed("t", "key");
}

/* When a timer could not be started, what it was for is done early or with the next message. */
static void test_no_timer(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig->no_timers = true;
    arrive(""); /* and sends no Bind */
    rig->no_timers = false;
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r1", "", "{}");
    payload_is("meross/plug-3456/availability", "online");
    rig_step(1000);
    rig_expect(&plug, "GET", ABILITY, "", RIG_ABILITY);
    rig_step(1000);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
}

/* Polls do not end because there was no memory for the timer to the next one. */
static void test_polls_go_on(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_plug(&plug, RIG_UUID, RIG_MAC, "");
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", ABILITY, "", RIG_ABILITY);
    rig->no_timers = true; /* not for the poll after this answer */
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig->no_timers = false;
    rig_step(3600000);
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "PUSH", TOGGLEX, "t", "", "{\"togglex\":[]}");
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_step(300000);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
}

/* One of our own gives way after 1.5 s from its own start, and is asked again afterwards. */
static void test_ours_gives_way(void **state)
{
    (void)state;
    struct rig_request ability, set;
    mute_plug();
    rig->read = 0;
    assert_true(rig_request_to(RIG_TO, &ability)); /* the SETACK */
    assert_true(rig_request_to(RIG_TO, &ability));
    rig_skip();
    rig_step(1000);
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t\"}");
    rig_step(499);
    assert_null(rig_find(RIG_TO));
    rig_step(1);
    rig->read = rig->n - 1;
    assert_true(rig_request_to(RIG_TO, &set));
    assert_string_equal(set.ns, TOGGLEX);
    /* Its late answer still counts. */
    rig_say(&plug, TOPICS_ANSWERS, "GETACK", ABILITY, ability.id, "", RIG_ABILITY);
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, set.id, "", "{}");
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"status\":\"ok\""));
    assert_non_null(strstr(rig_last(RIG_TO)->payload, ABILITY));
    rig_ask("meross/broker/request/show", "{\"plug\":\"" NAME "\"}");
    assert_non_null(strstr(rig_last("meross/broker/response/show")->payload, TOGGLEX));
}

/* A request that comes when ours has had its 1.5 s already goes at once. */
static void test_ours_gives_way_at_once(void **state)
{
    (void)state;
    mute_plug();
    rig_step(3000);
    rig_ask(SET, "OFF");
    rig_step(0);
    rig_expect(&plug, "SET", TOGGLEX, "", "{}");
}

/* Three requests to a plug that is silent: each is answered when its own time is over. */
static void test_each_has_its_time(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"a\"}");
    rig_step(1000);
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"b\"}");
    rig_step(1000);
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"c\"}");
    rig_step(2999);
    assert_int_equal(rig_count(RESPONSE), 0);
    rig_step(1);
    failed("a", "timeout");
    rig->read = rig->n - 1;
    rig_step(999);
    assert_int_equal(rig_count(RESPONSE), 1);
    rig_step(1);
    failed("b", "timeout");
    rig_step(1000);
    failed("c", "timeout");
    assert_int_equal(rig_count(RESPONSE), 3);
}

/* TOGGLE of an unknown state is two commands and one request. */
static void test_two_commands_one_time(void **state)
{
    (void)state;
    struct rig_request r;
    mute_plug();
    rig_step(10000); /* neither abilities nor state */
    rig_skip();
    rig_ask(SET, "{\"state\":\"TOGGLE\",\"transaction\":\"t\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, ALL);
    rig_step(4000);
    rig_say(&plug, TOPICS_ANSWERS, "GETACK", ALL, r.id, "", RIG_ALL);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, TOGGLEX);
    rig_step(1000);
    failed("t", "timeout");
}

/* A plug that has connected again, but is not bound yet: the request waits for that. */
static void test_waits_for_bind(void **state)
{
    (void)state;
    struct rig_client again;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_plug(&again, RIG_UUID, RIG_MAC, "_ZZZZZZZZZZZZZZZZ");
    assert_int_equal(rig_connect(&again), BROKER_ALLOW);
    rig_skip();
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t\"}");
    assert_null(rig_next());
    rig_listen(&again, RIG_TO);
    rig_step(2999);
    assert_null(rig_find(RIG_TO));
    rig_step(1); /* it needs no Bind */
    rig->read = rig->n - 1;
    while (strcmp(rig->pub[rig->read].topic, RIG_TO) != 0)
        rig->read--;
    rig_expect(&again, "SET", TOGGLEX, "", "{}");
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"status\":\"ok\""));
    /* One that never subscribes is not waited for, and does not stay online. */
    rig_plug(&plug, RIG_UUID, RIG_MAC, "_YYYYYYYYYYYYYYYY");
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"u\"}");
    rig_step(5000);
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "\"code\":\"timeout\""));
    payload_is("meross/" NAME "/availability", "online");
    rig_step(5000);
    payload_is("meross/" NAME "/availability", "offline");
    rig_listen(&plug, RIG_TO);
    rig_step(3000);
    payload_is("meross/" NAME "/availability", "online");
}

/* <base>/broker/request/set matches two of our filters. */
static void test_answered_once(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ask("meross/broker/request/set", "{\"transaction\":\"t\"}");
    assert_int_equal(rig_count("meross/broker/response/set"), 1);
    rig_ask("meross/broker/request/get", "{\"transaction\":\"t\"}");
    assert_int_equal(rig_count("meross/broker/response/get"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_key_lost_while_waiting),
                                       T(test_ours_gives_way),
                                       T(test_ours_gives_way_at_once),
                                       T(test_each_has_its_time),
                                       T(test_two_commands_one_time),
                                       T(test_waits_for_bind),
                                       T(test_answered_once),
                                       T(test_no_timer),
                                       T(test_polls_go_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The verbs of pairing: another broker for a plug, the end of one, and waiting for one. */
#include "tests/unit/meross/conversation.h"

#define ASK(verb)    "meross/broker/request/" verb
#define ANSWER(verb) "meross/broker/response/" verb
#define KEY          "00112233445566778899aabbccddeeff"

static int setup_ready(void **state)
{
    if (rig_setup(state) != 0)
        return 1;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_skip();
    return 0;
}

/* Requests that hold keys are heard and routed to nobody. */
static void ask_move(const char *payload)
{
    struct rig_client c;
    rig_client(&c, "cli", NULL, NULL);
    assert_false(rig_publish(&c, ASK("move"), payload, false));
    assert_false(rig_may(&c, BROKER_SUBSCRIBE, ASK("move")));
}

static void answer_is(const char *verb, const char *want)
{
    char topic[80];
    (void)snprintf(topic, sizeof topic, "meross/broker/response/%s", verb);
    const struct rig_pub *p = rig_find(topic);
    assert_non_null(p);
    assert_false(p->retain);
    assert_string_equal(p->payload, want);
}

static void failed(const char *verb, const char *code)
{
    char topic[80], end[64];
    (void)snprintf(topic, sizeof topic, "meross/broker/response/%s", verb);
    (void)snprintf(end, sizeof end, "\"code\":\"%s\"}", code);
    const struct rig_pub *p = rig_find(topic);
    assert_non_null(p);
    assert_non_null(strstr(p->payload, end));
}

/* [trap 37] Both hosts are set, to the same.  The key is in no log line. */
static void test_move(void **state)
{
    (void)state;
    struct rig_request r;
    ask_move("{\"transaction\":1,\"plug\":\"mss310\",\"host\":\"192.0.2.9\",\"port\":"
             "8883,\"key\":\"" KEY "\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.method, "SET");
    assert_string_equal(r.ns, "Appliance.Config.Key");
    assert_string_equal(
        r.payload, "{\"key\":{\"gateway\":{\"host\":\"192.0.2.9\",\"port\":8883,\"secondHost\":"
                   "\"192.0.2.9\",\"secondPort\":8883,\"redirect\":1},\"key\":\"" KEY "\","
                   "\"userId\":\"0\"}}");
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", r.ns, r.id, "", "{}");
    answer_is("move", "{\"transaction\":1,\"status\":\"ok\",\"data\":{\"name\":\"" NAME
                      "\",\"confirmed\":true}}");
    assert_int_equal(rig_logged(KEY), 0);
    assert_int_equal(rig_logged("told to connect to another broker"), 1);
    for (size_t i = 0; i < rig->n; i++)
        assert_true(strstr(rig->pub[i].payload, KEY) == NULL ||
                    strcmp(rig->pub[i].topic, RIG_TO) == 0);
}

static bool hears(struct rig_client *c)
{
    return rig->hooks.may_receive(rig->hooks.ctx, &c->c, span_str(RIG_TO));
}

/* While a key is on its way to the plug, who listens to everything does not hear it. */
static void test_move_in_private(void **state)
{
    (void)state;
    struct rig_client c;
    rig_client(&c, "listens to all", NULL, NULL);
    assert_true(hears(&c));
    ask_move("{\"plug\":\"mss310\",\"host\":\"192.0.2.9\",\"port\":8883,\"key\":\"" KEY "\"}");
    assert_false(hears(&c));
    assert_true(hears(&plug));
    rig_step(4999);
    assert_false(hears(&c));
    rig_step(1);
    assert_true(hears(&c));
}

/* Without a key it keeps its own. */
static void test_move_keeps_key(void **state)
{
    (void)state;
    struct rig_request r;
    ask_move("{\"plug\":\"" RIG_MAC "\",\"host\":\"broker.lan\",\"port\":\"443\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_non_null(strstr(r.payload, "\"port\":443,"));
    assert_non_null(strstr(r.payload, "\"key\":\"\",\"userId\":\"0\"}}"));
    rig_drop(&plug, "it went"); /* it left before it answered */
    answer_is("move", "{\"status\":\"ok\",\"data\":{\"name\":\"" NAME "\",\"confirmed\":false}}");
}

static void test_move_fails(void **state)
{
    (void)state;
    struct rig_request r;
    static const char good[] = "{\"plug\":\"mss310\",\"host\":\"192.0.2.9\",\"port\":8883}";
    ask_move(good);
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", r.ns, r.id, "", "{\"error\":{\"code\":5000}}");
    failed("move", "refused");
    ask_move(good);
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", r.ns, r.id, "",
            "{\"error\":{\"code\":5001,\"detail\":\"sign error\"}}");
    failed("move", "key");
    ask_move(good);
    rig_step(5000);
    failed("move", "timeout");
    rig_drop(&plug, "gone");
    ask_move(good);
    failed("move", "offline");
}

static void test_move_input(void **state)
{
    (void)state;
    char host[80], text[400];
    static const char *const bad[] = {"{\"plug\":\"mss310\"}",
                                      "{\"plug\":\"mss310\",\"port\":8883}",
                                      "{\"plug\":\"mss310\",\"host\":\"\",\"port\":8883}",
                                      "{\"plug\":\"mss310\",\"host\":\"a b\",\"port\":8883}",
                                      "{\"plug\":\"mss310\",\"host\":\"a\\\"b\",\"port\":8883}",
                                      "{\"plug\":\"mss310\",\"host\":\"a\"}",
                                      "{\"plug\":\"mss310\",\"host\":\"a\",\"port\":0}",
                                      "{\"plug\":\"mss310\",\"host\":\"a\",\"port\":65536}",
                                      "{\"plug\":\"mss310\",\"host\":\"a\",\"port\":1,\"key\":{}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ask_move(bad[i]);
        failed("move", "invalid");
    }
    ask_move("{\"host\":\"a\",\"port\":1}");
    failed("move", "invalid");
    ask_move("{\"plug\":\"lamp\",\"host\":\"a\",\"port\":1}");
    failed("move", "no_such_plug");
    for (int n = 63; n <= 64; n++) {
        memset(host, 'h', sizeof host);
        host[n] = '\0';
        (void)snprintf(text, sizeof text, "{\"plug\":\"mss310\",\"host\":\"%s\",\"port\":65535}",
                       host);
        ask_move(text);
        if (n == 63)
            assert_non_null(rig_find(RIG_TO));
        else
            failed("move", "invalid");
    }
    for (int n = 128; n <= 129; n++) {
        char key[140];
        memset(key, 'k', sizeof key);
        key[n] = '\0';
        rig_step(10000);
        rig_skip();
        (void)snprintf(text, sizeof text,
                       "{\"plug\":\"mss310\",\"host\":\"a\",\"port\":1,\"key\":\"%s\"}", key);
        ask_move(text);
        if (n == 128)
            assert_non_null(rig_find(RIG_TO));
        else
            failed("move", "invalid");
    }
}

/* The push is signed, answered by nothing, and the plug goes: then it is forgotten. */
static void test_unbind(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(ASK("unbind"), "{\"transaction\":\"u\",\"plug\":\"mss310\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.method, "PUSH");
    assert_string_equal(r.ns, "Appliance.Control.Unbind");
    assert_string_equal(r.payload, "{}");
    char sign[SIGN_HEX];
    sign_message(sign, span_str(r.id), "", span_str(r.timestamp));
    assert_string_equal(r.sign, sign);
    rig_step(1000);
    assert_int_equal(rig_count(ANSWER("unbind")), 0);
    rig_drop(&plug, "reset");
    rig_step(250);
    size_t from = rig->read;
    payload_is("meross/" NAME, "");
    payload_is("meross/" NAME "/availability", "");
    rig->read = from;
    answer_is("unbind",
              "{\"transaction\":\"u\",\"status\":\"ok\",\"data\":{\"name\":\"" NAME "\"}}");
    rig_ask(ASK("show"), "{\"plug\":\"mss310\"}");
    failed("show", "no_such_plug");
}

/* It says so itself before it goes. */
static void test_unbind_said(void **state)
{
    (void)state;
    rig_ask(ASK("unbind"), "{\"plug\":\"mss310\"}");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.Unbind", "x", "", "{}");
    rig_step(250);
    answer_is("unbind", "{\"status\":\"ok\",\"data\":{\"name\":\"" NAME "\"}}");
    assert_int_equal(rig->n_ended, 1);
}

static void test_unbind_fails(void **state)
{
    (void)state;
    rig_ask(ASK("unbind"), "{\"plug\":\"mss310\"}");
    rig_step(4999);
    assert_int_equal(rig_count(ANSWER("unbind")), 0);
    rig_step(251);
    failed("unbind", "timeout");
    rig_ask(ASK("show"), "{\"plug\":\"mss310\"}"); /* it is kept */
    assert_non_null(strstr(rig_last(ANSWER("show"))->payload, "\"status\":\"ok\""));
    rig_ask(ASK("unbind"), "{\"plug\":\"mss310\"}");
    rig_ask(ASK("forget"), "{\"plug\":\"mss310\"}"); /* somebody else was faster */
    rig_step(250);
    answer_is("unbind", "{\"status\":\"ok\",\"data\":{\"name\":\"" NAME "\"}}");
    rig_ask(ASK("unbind"), "{}");
    failed("unbind", "invalid");
}

static void test_unbind_offline(void **state)
{
    (void)state;
    rig_drop(&plug, "gone");
    rig_ask(ASK("unbind"), "{\"plug\":\"mss310\"}");
    failed("unbind", "offline");
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b9", "", RIG_BIND);
    rig_skip();
    rig_ask(ASK("unbind"), "{\"plug\":\"mss310\"}");
    rig_detach(); /* while it waits */
    failed("unbind", "offline");
}

/* How far a plug has come. */
static void test_arrival(void **state)
{
    (void)state;
    static const char ask[] = "{\"uuid\":\"" RIG_UUID "\"}";
    rig_attach(NULL);
    rig_ask(ASK("arrival"), ask);
    answer_is("arrival", "{\"status\":\"ok\",\"data\":{\"phase\":\"unknown\"}}");
    rig_plug(&plug, RIG_UUID, RIG_MAC, "");
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_ask(ASK("arrival"), ask);
    assert_non_null(strstr(rig_find(ANSWER("arrival"))->payload, "\"phase\":\"connected\","));
    rig_listen(&plug, RIG_TO);
    rig_ask(ASK("arrival"), ask);
    assert_non_null(strstr(rig_find(ANSWER("arrival"))->payload, "\"phase\":\"listening\","));
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_ask(ASK("arrival"), ask);
    const struct rig_pub *p = rig_find(ANSWER("arrival"));
    assert_non_null(strstr(p->payload, "\"phase\":\"bound\",\"name\":\"" NAME "\",\"address\":"
                                       "\"192.0.2.7\",\"key\":\"empty\",\"read\":false,"));
    struct rig_request r;
    rig->read = 0;
    assert_true(rig_request_to(RIG_TO, &r)); /* the SETACK of Bind */
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_skip();
    rig_ask(ASK("arrival"), ask);
    p = rig_find(ANSWER("arrival"));
    assert_non_null(strstr(p->payload, "\"read\":true,\"state\":{\"state\":\"ON\","));
    rig_drop(&plug, "gone");
    rig_ask(ASK("arrival"), ask);
    assert_non_null(
        strstr(rig_find(ANSWER("arrival"))->payload, "\"phase\":\"away\",\"name\":\"" NAME "\""));
    rig_ask(ASK("arrival"), "{\"uuid\":\"x\"}");
    failed("arrival", "invalid");
    rig_ask(ASK("arrival"), "{}");
    failed("arrival", "invalid");
}

/* A key that was told and will not be used: whoever was only expected is forgotten, whoever was known
 * stays with the key it has. */
static void test_unkey(void **state)
{
    (void)state;
    static const char ask[] = "{\"uuid\":\"" RIG_UUID "\"}";
    struct rig_client c;
    rig_attach(NULL);
    rig_client(&c, "cli", NULL, NULL);
    static const char tell[] = "{\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC
                               "\",\"name\":\"kettle\",\"key\":\"" KEY "\"}";
    assert_false(rig_publish(&c, ASK("key"), tell, false));
    rig_ask(ASK("unkey"), ask);
    answer_is("unkey", "{\"status\":\"ok\",\"data\":{\"taken_back\":true}}");
    rig_ask(ASK("arrival"), ask);
    answer_is("arrival", "{\"status\":\"ok\",\"data\":{\"phase\":\"unknown\"}}");
    rig_ask(ASK("unkey"), ask);
    answer_is("unkey", "{\"status\":\"ok\",\"data\":{\"taken_back\":false}}");
    rig_ready(&plug);
    assert_false(rig_publish(&c, ASK("key"), tell, false));
    rig_skip();
    rig_ask(ASK("unkey"), ask);
    answer_is("unkey", "{\"status\":\"ok\",\"data\":{\"taken_back\":true}}");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Report", "r1", "", "{\"report\":[]}");
    rig_ask(ASK("arrival"), ask);
    assert_non_null(strstr(rig_find(ANSWER("arrival"))->payload, "\"key\":\"empty\""));
    rig_ask(ASK("unkey"), "{\"uuid\":7}");
    failed("unkey", "invalid");
}

int main(void)
{
#define READY(t) cmocka_unit_test_setup_teardown(t, setup_ready, rig_teardown)
    const struct CMUnitTest tests[] = {
        READY(test_move),
        READY(test_move_in_private),
        READY(test_move_keeps_key),
        READY(test_move_fails),
        READY(test_move_input),
        READY(test_unbind),
        READY(test_unbind_said),
        READY(test_unbind_fails),
        READY(test_unbind_offline),
        cmocka_unit_test_setup_teardown(test_arrival, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_unkey, rig_setup, rig_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

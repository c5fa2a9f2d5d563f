/* What people ask on our topics, and what they are answered. */
#include "tests/unit/meross/fake_broker.h"

#include "meross/session/command.h"

#define NAME     "mss310-3456"
#define SET      "meross/" NAME "/set"
#define RESPONSE "meross/" NAME "/response"
#define TOGGLEX  "Appliance.Control.ToggleX"
#define ALL      "Appliance.System.All"

static struct rig_client plug;

static int setup_ready(void **state)
{
    if (rig_setup(state) != 0)
        return 1;
    rig_attach(NULL);
    rig_ready(&plug);
    return 0;
}

static void answered(const char *topic, const char *want)
{
    const struct rig_pub *p = rig_find(topic);
    assert_non_null(p);
    assert_false(p->retain);
    assert_string_equal(p->payload, want);
}

static void failed(const char *topic, const char *transaction, const char *code)
{
    char start[128], end[64];
    const struct rig_pub *p = rig_find(topic);
    assert_non_null(p);
    (void)snprintf(start, sizeof start, "{\"transaction\":%s,\"status\":\"error\",\"error\":\"",
                   transaction);
    (void)snprintf(end, sizeof end, "\"code\":\"%s\"}", code);
    assert_int_equal(strncmp(p->payload, start, strlen(start)), 0);
    assert_non_null(strstr(p->payload, end));
}

/* The main job. */
static void test_switch(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(SET, "{\"state\":\"off\",\"transaction\":\"t1\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, TOGGLEX);
    assert_string_equal(r.method, "SET");
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":0,\"onoff\":0}}");
    assert_string_equal(r.timestamp, "1717243201"); /* the second of sending */
    assert_null(rig_next());
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    size_t from = rig->read;
    answered("meross/" NAME "/event",
             "{\"event\":\"switched\",\"channel\":0,\"state\":\"OFF\",\"by\":\"merossd\"}");
    rig->read = from;
    answered(RESPONSE, "{\"transaction\":\"t1\",\"status\":\"ok\",\"data\":{\"state\":\"OFF\","
                       "\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}}");
    rig->read = from;
    assert_non_null(rig_find("meross/" NAME)); /* the state, before the confirmation */
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", TOGGLEX, "p", "",
            "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}");
    assert_string_equal(rig_next()->topic, "/app/0/subscribe"); /* for apps */
    assert_null(rig_next());                                    /* it confirms what is known */
    assert_int_equal(rig_logged("switched OFF"), 1);
}

/* The PUSH may come before the SETACK: it is still our doing, and told once. */
static void test_push_first(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(SET, "OFF");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, RIG_FROM, "PUSH", TOGGLEX, "p", "",
            "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}");
    answered("meross/" NAME "/event",
             "{\"event\":\"switched\",\"channel\":0,\"state\":\"OFF\",\"by\":\"merossd\"}");
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    assert_null(rig_find("meross/" NAME "/event"));
    assert_int_equal(rig_count(RESPONSE), 0); /* nobody asked for an answer */
}

/* The answer counts by its messageId, on whatever topic; others do not. */
static void test_matching(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":7}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, "another id", "", "{}");
    rig_say(&plug, TOPICS_ANSWERS, "PUSH", TOGGLEX, r.id, "", "{}"); /* a push is no answer */
    assert_null(rig_find(RESPONSE));
    rig_say(&plug, RIG_FROM, "SETACK", TOGGLEX, r.id, "", "{}");
    answered(RESPONSE, "{\"transaction\":7,\"status\":\"ok\",\"data\":{\"state\":\"OFF\","
                       "\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}}");
    rig_say(&plug, RIG_FROM, "SETACK", TOGGLEX, r.id, "", "{}");
    assert_null(rig_find(RESPONSE)); /* once */
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *topic, *payload, *sent;
    } good[] = {{SET, "ON", "{\"togglex\":{\"channel\":0,\"onoff\":1}}"},
                {SET, " oFf\n", "{\"togglex\":{\"channel\":0,\"onoff\":0}}"},
                {SET, "toggle", "{\"togglex\":{\"channel\":0,\"onoff\":1}}"},
                {SET, " {\"state\":\"TOGGLE\"} ", "{\"togglex\":{\"channel\":0,\"onoff\":0}}"},
                {"meross/MSS310-3456/set", "ON", "{\"togglex\":{\"channel\":0,\"onoff\":1}}"},
                {"meross/" NAME "/0/set", "OFF", "{\"togglex\":{\"channel\":0,\"onoff\":0}}"},
                {"meross/" NAME "/00/set", "{\"state\":\"ON\",\"channel\":\"0\"}",
                 "{\"togglex\":{\"channel\":0,\"onoff\":1}}"}};
    static const struct {
        const char *topic, *payload;
    } bad[] = {{SET, "{\"transaction\":\"t\"}"},
               {SET, "{\"state\":\"UP\",\"transaction\":\"t\"}"},
               {SET, "{\"state\":1,\"transaction\":\"t\"}"},
               {SET, "{\"state\":\"ON\",\"channel\":-1,\"transaction\":\"t\"}"},
               {SET, "{\"state\":\"ON\",\"channel\":256,\"transaction\":\"t\"}"},
               {SET, "{\"state\":\"ON\",\"channel\":\"x\",\"transaction\":\"t\"}"},
               {SET, "{\"state\":\"ON\",\"channel\":1,\"transaction\":\"t\"}"},
               {"meross/" NAME "/1/set", "{\"state\":\"ON\",\"transaction\":\"t\"}"},
               {"meross/" NAME "/x/set", "{\"state\":\"ON\",\"transaction\":\"t\"}"},
               {"meross/" NAME "//set", "{\"state\":\"ON\",\"transaction\":\"t\"}"},
               {"meross/" NAME "/256/set", "{\"state\":\"ON\",\"transaction\":\"t\"}"},
               {"meross/" NAME "/0/set", "{\"state\":\"ON\",\"channel\":1,\"transaction\":\"t\"}"}};
    static const char *const ignored[] = {"",         "1",   "UP", "{", "{\"state\":\"ON\"",
                                          "[\"ON\"]", "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct rig_request r;
        rig_ask(good[i].topic, good[i].payload);
        assert_true(rig_request_to(RIG_TO, &r));
        assert_string_equal(r.payload, good[i].sent);
        rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    }
    rig_skip();
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        rig_ask(SET, ignored[i]);
    assert_null(rig_next()); /* nothing was sent, nobody to answer; the log has it */
    assert_int_equal(rig_logged("code=invalid"), sizeof ignored / sizeof ignored[0]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig_ask(bad[i].topic, bad[i].payload);
        failed(RESPONSE, "\"t\"", "invalid");
    }
    assert_null(rig_next());
}

/* Two TOGGLEs at once are two changes. */
static void test_toggle_twice(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(SET, "TOGGLE");
    rig_ask(SET, "TOGGLE");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":0,\"onoff\":0}}");
    assert_null(rig_find(RIG_TO)); /* one in flight */
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    rig->read = rig->n - 1;
    while (rig->read > 0 && strcmp(rig->pub[rig->read].topic, RIG_TO) != 0)
        rig->read--;
    char first[65];
    memcpy(first, r.id, sizeof first);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":0,\"onoff\":1}}");
    assert_string_not_equal(r.id, first); /* [trap 18] */
}

/* TOGGLE of a plug whose state nobody knows. */
static void toggle_unknown(struct rig_client *other)
{
    rig_plug(other, "3101011234567890123448e1e9aaaaaa", "48:e1:e9:aa:aa:aa", "");
    assert_int_equal(rig_connect(other), BROKER_ALLOW);
    rig_listen(other, "/appliance/3101011234567890123448e1e9aaaaaa/subscribe");
    rig_say(other, other->topic, "PUSH", "Appliance.Control.Bind", "b", "", RIG_BIND);
    rig_step(10000); /* it answers nothing of ours */
    rig_skip();
    rig_ask("meross/mss310-aaaa/set", "{\"state\":\"TOGGLE\",\"transaction\":\"t\"}");
}

/* It is read first. */
static void test_toggle_unknown(void **state)
{
    (void)state;
    struct rig_client other;
    toggle_unknown(&other);
    rig_expect(&other, "GET", ALL, "", RIG_ALL);
    rig->read -= 1;
    rig_skip();
    rig->read = rig->n - 1;
    rig_expect(&other, "SET", TOGGLEX, "", "{}");
    answered("meross/mss310-aaaa/response",
             "{\"transaction\":\"t\",\"status\":\"ok\",\"data\":{\"state\":\"OFF\",\"channels\":"
             "[{\"channel\":0,\"state\":\"OFF\"}]}}");
}

/* A plug that was asked and still does not say: as with one that is known not to (wishes.c). */
static void test_toggle_untold(void **state)
{
    (void)state;
    struct rig_client other;
    toggle_unknown(&other);
    rig_expect(&other, "GET", ALL, "", "{\"all\":{\"system\":{},\"digest\":{}}}");
    answered("meross/mss310-aaaa/response",
             "{\"transaction\":\"t\",\"status\":\"error\",\"error\":\"mss310-aaaa does not say "
             "whether it is on: send ON or OFF\",\"code\":\"unsupported\"}");
}

static void test_get(void **state)
{
    (void)state;
    rig_ask("meross/" NAME "/get", "{\"transaction\":\"g\"}");
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    size_t from = rig->read;
    assert_non_null(rig_find("meross/" NAME)); /* also when nothing changed */
    rig->read = from;
    answered(RESPONSE, "{\"transaction\":\"g\",\"status\":\"ok\",\"data\":{\"state\":\"ON\","
                       "\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}}");
    rig_ask("meross/" NAME "/get", "");
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    assert_non_null(rig_find("meross/" NAME));
    assert_int_equal(rig_count(RESPONSE), 1);
}

/* [trap 23] Silence is an answer too. */
static void test_timeout(void **state)
{
    (void)state;
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t1\"}");
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t2\"}");
    rig_step(4999);
    assert_null(rig_find(RESPONSE));
    rig_step(1);
    rig->read = 0;
    failed(RESPONSE, "\"t1\"", "timeout");
    failed(RESPONSE, "\"t2\"", "timeout");  /* its time is over too, so it was never sent */
    assert_int_equal(rig_count(RIG_TO), 4); /* Bind, two of the set-up, t1 */
    rig_step(10000);
    assert_int_equal(rig_count(RIG_TO), 4);
    const struct rig_pub *p = rig_last("meross/" NAME);
    assert_non_null(strstr(p->payload, "\"state\":\"ON\"")); /* nothing was assumed */
}

/* No queue after the session: every request is answered when the plug goes, and at once after. */
static void test_offline(void **state)
{
    (void)state;
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t1\"}");
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t2\"}");
    rig_drop(&plug, "reset");
    failed(RESPONSE, "\"t1\"", "offline");
    failed(RESPONSE, "\"t2\"", "offline");
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t3\"}");
    failed(RESPONSE, "\"t3\"", "offline");
    rig_ask("meross/" NAME "/get", "{\"transaction\":\"t4\"}");
    failed(RESPONSE, "\"t4\"", "offline");
}

static void test_refused(void **state)
{
    (void)state;
    struct rig_request r;
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t1\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", TOGGLEX, r.id, "",
            "{\"error\":{\"code\":5000,\"detail\":\"no\\nway\"}}");
    failed(RESPONSE, "\"t1\"", "refused");
    assert_non_null(strstr(rig_last(RESPONSE)->payload, "no?way")); /* tamed */
    assert_int_equal(rig_logged("way"), 0); /* what the plug says is no log line */
    assert_int_equal(rig_logged("code=refused"), 1);
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t2\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", TOGGLEX, r.id, "", "{\"error\":{\"code\":5001}}");
    failed(RESPONSE, "\"t2\"", "key");
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t3\"}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", TOGGLEX, r.id, "", "{}");
    failed(RESPONSE, "\"t3\"", "refused");
}

/* The queue at its limit, and one past it. */
static void test_busy(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMMAND_QUEUE_MAX + 1; i++) /* one is in flight */
        rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t\"}");
    assert_null(rig_find(RESPONSE));
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"last\"}");
    failed(RESPONSE, "\"last\"", "busy");
    /* What is in the queue is served all the same, one after the other. */
    rig->read = 0;
    rig_expect(&plug, "SETACK", "Appliance.Control.Bind", "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
    rig_expect(&plug, "GET", ALL, "", NULL);
    for (unsigned i = 0; i < COMMAND_QUEUE_MAX + 1; i++)
        rig_expect(&plug, "SET", TOGGLEX, "", "{}");
    assert_null(rig_find(RIG_TO));
    unsigned ok = 0;
    for (size_t i = 0; i < rig->n; i++)
        ok += strcmp(rig->pub[i].topic, RESPONSE) == 0 &&
              strstr(rig->pub[i].payload, "\"status\":\"ok\"") != NULL;
    assert_int_equal(ok, COMMAND_QUEUE_MAX + 1);
}

static void test_no_such_plug(void **state)
{
    (void)state;
    rig_ask("meross/nobody/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    failed("meross/nobody/response", "\"t\"", "no_such_plug");
    rig_ask("meross/nobody/get", "{\"transaction\":\"t\"}");
    failed("meross/nobody/response", "\"t\"", "no_such_plug");
    rig_ask("meross/nobody/set", "ON");
    rig_ask("meross/ x/set",
            "{\"state\":\"ON\",\"transaction\":\"t\"}"); /* nobody can be called so */
    assert_null(rig_next());
}

/* A strip: one channel by topic and by JSON; channel 0 is all of them. */
static void test_strip(void **state)
{
    (void)state;
    struct rig_request r;
    rig_step(299000);
    rig_expect(&plug, "GET", ALL, "",
               RIG_ALL_OF("{}", "[{\"channel\":0,\"onoff\":0},{\"channel\":1,\"onoff\":0},"
                                "{\"channel\":2,\"onoff\":0}]"));
    rig_ask("meross/" NAME "/2/set", "ON");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":2,\"onoff\":1}}");
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    rig_ask(SET, "{\"state\":\"ON\",\"channel\":1}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"togglex\":{\"channel\":1,\"onoff\":1}}");
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", TOGGLEX, r.id, "", "{}");
    assert_string_equal(rig_last("meross/" NAME)->payload,
                        "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"},"
                        "{\"channel\":1,\"state\":\"ON\"},{\"channel\":2,\"state\":\"ON\"}]}");
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t\"}");
    rig_expect(&plug, "SET", TOGGLEX, "", "{}");
    answered(RESPONSE, "{\"transaction\":\"t\",\"status\":\"ok\",\"data\":{\"state\":\"OFF\","
                       "\"channels\":[{\"channel\":0,\"state\":\"OFF\"},{\"channel\":1,\"state\":"
                       "\"OFF\"},{\"channel\":2,\"state\":\"OFF\"}]}}");
    rig_ask("meross/" NAME "/3/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    failed(RESPONSE, "\"t\"", "invalid");
    rig_ask("meross/" NAME "/2/set", "{\"state\":\"ON\",\"channel\":1,\"transaction\":\"t\"}");
    failed(RESPONSE, "\"t\"", "invalid"); /* which one? */
}

static void test_unsupported(void **state)
{
    (void)state;
    rig_say(&plug, RIG_FROM, "GETACK", "Appliance.System.Ability", "x", "",
            "{\"ability\":{\"Appliance.System.All\":{}}}");
    rig_ask(SET, "{\"state\":\"ON\",\"transaction\":\"t\"}");
    failed(RESPONSE, "\"t\"", "unsupported");
}

/* A transaction that is too long, or no text, is none. */
static void test_transactions(void **state)
{
    (void)state;
    char text[400], id[131];
    memset(id, 'a', sizeof id);
    id[128] = '\0';
    (void)snprintf(text, sizeof text, "{\"state\":\"UP\",\"transaction\":\"%s\"}", id);
    rig_ask(SET, text);
    assert_non_null(rig_find(RESPONSE));
    id[128] = 'a';
    id[129] = '\0';
    (void)snprintf(text, sizeof text, "{\"state\":\"UP\",\"transaction\":\"%s\"}", id);
    rig_ask(SET, text);
    rig_ask(SET, "{\"state\":\"UP\",\"transaction\":{}}");
    assert_null(rig_find(RESPONSE));
    rig_ask(SET, "{\"state\":\"UP\",\"transaction\":\"\\\"\\u00e4\"}");
    failed(RESPONSE, "\"\\\"\xc3\xa4\"", "invalid");
}

#define PLUG_HEAD "{\"name\":\"" NAME "\",\"uuid\":\"" RIG_UUID "\",\"mac\":\"" RIG_MAC "\""

static void test_list(void **state)
{
    (void)state;
    rig_ask("meross/broker/request/list", "{\"transaction\":\"t1\"}");
    const struct rig_pub *p = rig_find("meross/broker/response/list");
    assert_int_equal(
        strncmp(
            p->payload, "{\"transaction\":\"t1\",\"status\":\"ok\",\"data\":{\"plugs\":[" PLUG_HEAD,
            strlen("{\"transaction\":\"t1\",\"status\":\"ok\",\"data\":{\"plugs\":[" PLUG_HEAD)),
        0);
    assert_non_null(strstr(p->payload, "\"state\":{\"state\":\"ON\",\"channels\":[{\"channel\":0,"
                                       "\"state\":\"ON\"}]}}]}}"));
    rig_ask("meross/broker/request/list", ""); /* without a transaction: answered all the same */
    p = rig_find("meross/broker/response/list");
    assert_int_equal(strncmp(p->payload, "{\"status\":\"ok\"", 14), 0);
    rig_ask("meross/broker/request/dance", "{\"transaction\":\"t\"}");
    failed("meross/broker/response/dance", "\"t\"", "invalid");
    assert_int_equal(rig_count("meross/broker/response/dance"), 1);
    rig_ask("meross/broker/request/jump", "{}");
    assert_non_null(strstr(rig_find("meross/broker/response/jump")->payload,
                           "knows list, show, rename, forget, permit"));
    rig_ask("meross/broker/request/list", "{\"transaction\":");
    assert_non_null(
        strstr(rig_find("meross/broker/response/list")->payload, "\"code\":\"invalid\""));
    rig_ask("meross/broker/request/", "{}"); /* not even a verb */
    rig_ask("meross/broker/request/averyveryveryveryveryveryverylongverb", "{}");
    assert_null(rig_next());
}

#define RENAME  "meross/broker/request/rename"
#define RENAMED "meross/broker/response/rename"

static void test_rename(void **state)
{
    (void)state;
    rig_ask(RENAME,
            "{\"transaction\":\"t\",\"plug\":\"48:E1:E9:12:34:56\",\"name\":\"K\\u00fcche\"}");
    size_t from = rig->read;
    const struct rig_pub *p = rig_find("meross/" NAME);
    assert_true(p->retain);
    assert_string_equal(p->payload, "");
    p = rig_find("meross/" NAME "/availability");
    assert_true(p->retain);
    assert_string_equal(p->payload, "");
    p = rig_find("meross/K\303\274che");
    assert_true(p->retain);
    p = rig_find("meross/K\303\274che/availability");
    assert_string_equal(p->payload, "online");
    rig->read = from;
    answered(RENAMED, "{\"transaction\":\"t\",\"status\":\"ok\",\"data\":{\"name\":"
                      "\"K\303\274che\",\"was\":\"" NAME "\"}}");
    rig_step(1000);
    assert_non_null(strstr(rig_last("meross/broker/plugs")->payload, "K\303\274che"));
    rig_skip();
    rig_ask("meross/k\303\234CHE/set", "OFF"); /* no regard to case */
    rig_expect(&plug, "SET", TOGGLEX, "", "{}");
    /* It is remembered. */
    rig_drop(&plug, "x");
    rig_detach();
    rig_attach(NULL);
    assert_string_equal(rig_last("meross/K\303\274che/availability")->payload, "offline");
}

static void test_rename_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request, *code;
    } bad[] = {
        {"{\"transaction\":\"t\",\"plug\":\"nobody\",\"name\":\"x\"}", "no_such_plug"},
        {"{\"transaction\":\"t\",\"name\":\"x\"}", "invalid"},
        {"{\"transaction\":\"t\",\"plug\":{},\"name\":\"x\"}", "invalid"},
        {"{\"transaction\":\"t\",\"plug\":\"" NAME "\"}", "invalid"},
        {"{\"transaction\":\"t\",\"plug\":\"" NAME "\",\"name\":\"a/b\"}", "invalid"},
        {"{\"transaction\":\"t\",\"plug\":\"" NAME "\",\"name\":\"Broker\"}", "invalid"},
        {"{\"transaction\":\"t\",\"plug\":\"" NAME "\",\"name\":\"mss310-AAAA\"}", "exists"}};
    struct rig_client other;
    rig_plug(&other, "3101011234567890123448e1e9aaaaaa", "48:e1:e9:aa:aa:aa", "");
    assert_int_equal(rig_connect(&other), BROKER_ALLOW);
    rig_say(&other, other.topic, "PUSH", "Appliance.Control.Bind", "b", "", RIG_BIND);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig_skip();
        rig_ask(RENAME, bad[i].request);
        failed(RENAMED, "\"t\"", bad[i].code);
    }
    assert_string_equal(rig_last("meross/" NAME "/availability")->payload, "online");
}

#define FORGET "meross/broker/request/forget"

/* Forgotten and disconnected; when it returns it is a new plug. */
static void test_forget(void **state)
{
    (void)state;
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"pending\"}");
    rig_ask(RENAME, "{\"plug\":\"" NAME "\",\"name\":\"lamp\"}");
    rig_skip();
    rig_ask(FORGET, "{\"transaction\":\"t\",\"plug\":\"" RIG_UUID "\"}");
    assert_int_equal(rig->n_ended, 1);
    assert_string_equal(rig->ended[0], plug.id);
    failed(RESPONSE, "\"pending\"", "offline");
    answered("meross/broker/response/forget",
             "{\"transaction\":\"t\",\"status\":\"ok\",\"data\":{\"name\":\"lamp\"}}");
    assert_string_equal(rig_last("meross/lamp")->payload, "");
    assert_string_equal(rig_last("meross/lamp/availability")->payload, "");
    /* What it still says before the connection ends is nobody's. */
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", TOGGLEX, "p", "",
            "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}");
    rig_drop(&plug, "the plug was forgotten");
    assert_null(rig_next());
    rig_step(1000);
    assert_string_equal(rig_last("meross/broker/plugs")->payload, "[]");
    rig_ask(FORGET, "{\"transaction\":\"t\",\"plug\":\"lamp\"}");
    failed("meross/broker/response/forget", "\"t\"", "no_such_plug");
    rig_ready(&plug);
    assert_string_equal(rig_last("meross/" NAME "/availability")->payload, "online");
}

/* Shutting down answers what is pending, before it says that it is gone. */
static void test_detach(void **state)
{
    (void)state;
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"t\"}");
    meross_detach(rig->m);
    failed(RESPONSE, "\"t\"", "offline");
    const struct rig_pub *p = rig_find("meross/" NAME "/availability");
    assert_string_equal(p->payload, "offline");
    p = rig_find("meross/broker/state");
    assert_string_equal(p->payload, "offline");
    assert_true(p->retain);
    /* The broker still has the connection for a moment. */
    rig_say(&plug, RIG_FROM, "SET", "Appliance.Control.Bind", "b2", "", RIG_BIND);
    rig_drop(&plug, "shutting down");
    assert_null(rig_next());
    meross_detach(rig->m);
}

/* Another base. */
static void test_base(void **state)
{
    (void)state;
    struct meross_config cfg = {.topic = "home/plugs", .reply_timeout_s = 2};
    struct rig_client p;
    assert_int_equal(meross_new(&rig->m, &cfg, &rig->env.env, rig->store), MD_OK);
    rig->hooks = meross_hooks(rig->m);
    assert_int_equal(meross_attach(rig->m, &rig->broker), MD_OK);
    rig_ready(&p);
    rig_ask("home/plugs/" NAME "/set", "{\"state\":\"OFF\",\"transaction\":\"t\"}");
    rig_step(2000);
    failed("home/plugs/" NAME "/response", "\"t\"", "timeout");
    rig_client(&p, "x", NULL, NULL);
    assert_false(rig_may(&p, BROKER_PUBLISH, "home/plugs/" NAME));
    assert_true(rig_may(&p, BROKER_PUBLISH, "meross/" NAME));
}

static void test_configuration(void **state)
{
    (void)state;
    struct meross *m;
    char key[SIGN_KEY_MAX + 2];
    const char *keys[] = {key, NULL};
    struct meross_config cfg = {.topic = "a/#"};
    assert_int_equal(meross_new(&m, &cfg, &rig->env.env, rig->store), MD_INVAL);
    memset(key, 'k', sizeof key);
    key[SIGN_KEY_MAX + 1] = '\0';
    cfg = (struct meross_config){.keys = keys};
    assert_int_equal(meross_new(&m, &cfg, &rig->env.env, rig->store), MD_INVAL);
    key[SIGN_KEY_MAX] = '\0';
    assert_int_equal(meross_new(&m, &cfg, &rig->env.env, rig->store), MD_OK);
    meross_free(m);
    meross_free(NULL);
    for (long n = 1, err = MD_NOMEM; err != MD_OK; n++) {
        mem_fail_after(n);
        err = meross_new(&m, &cfg, &rig->env.env, rig->store);
        mem_fail_after(-1);
        assert_true(err == MD_OK || err == MD_NOMEM);
    }
    meross_free(m);
}

/* 1024 plugs, and one past it. */
static void test_ceiling(void **state)
{
    (void)state;
    static struct rig_client many[1024];
    struct rig_client last;
    char uuid[33], mac[18];
    rig_attach(NULL);
    for (unsigned i = 0; i < 1024; i++) {
        (void)snprintf(uuid, sizeof uuid, "1%027u%04x", 0u, i);
        (void)snprintf(mac, sizeof mac, "00:00:00:00:%02x:%02x", i >> 8 & 255, i & 255);
        rig_plug(&many[i], uuid, mac, "");
        assert_int_equal(rig_connect(&many[i]), BROKER_ALLOW);
    }
    rig_plug(&last, RIG_UUID, RIG_MAC, "");
    assert_int_equal(rig_connect(&last), BROKER_NOT_AUTHORIZED);
    assert_int_equal(rig_logged("that is the limit"), 1);
    for (unsigned i = 0; i < 1024; i++)
        rig_drop(&many[i], "x");
    last.arrival.password = span_str(last.password);
    assert_int_equal(rig_connect(&last), BROKER_ALLOW); /* those were never bound */
    rig_drop(&last, "x");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup_ready, rig_teardown)
#define B(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_switch),       T(test_push_first),     T(test_matching),       T(test_words),
        T(test_toggle_twice), T(test_toggle_unknown), T(test_toggle_untold),  T(test_get),
        T(test_timeout),      T(test_offline),        T(test_refused),        T(test_busy),
        T(test_no_such_plug), T(test_strip),          T(test_unsupported),    T(test_transactions),
        T(test_list),         T(test_rename),         T(test_rename_refused), T(test_forget),
        T(test_detach),       B(test_base),           B(test_configuration),  B(test_ceiling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

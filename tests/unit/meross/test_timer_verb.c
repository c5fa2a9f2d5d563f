/* What a plug says it did is not what it did: the verb `timer` tells only what it reads back. */
#include "tests/unit/meross/conversation.h"

#define ASK    "meross/broker/request/timer"
#define ANSWER "meross/broker/response/timer"
#define TIMERX "Appliance.Control.TimerX"
#define DIGEST "Appliance.Digest.TimerX"
#define ABILITY                                                                                    \
    "{\"ability\":{\"Appliance.System.All\":{},\"Appliance.Control.ToggleX\":{},\"" TIMERX         \
    "\":{}%s}}"
#define ADD                                                                                        \
    "{\"plug\":\"" NAME                                                                            \
    "\",\"action\":\"add\",\"time\":\"07:30\",\"state\":\"ON\",\"transaction\":1}"

static char abilities[256];

static void ready(bool has_digest)
{
    (void)snprintf(abilities, sizeof abilities, ABILITY, has_digest ? ",\"" DIGEST "\":{}" : "");
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", abilities);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_step(1000);
    rig_skip();
}

static void answered(const char *part)
{
    const struct rig_pub *p = rig_last(ANSWER);
    assert_non_null(p);
    if (strstr(p->payload, part) == NULL)
        fail_msg("%s lacks %s", p->payload, part);
}

/* Answers a SET of ours, then the GET that follows it. */
static void keep(const char *kept)
{
    struct rig_request r;
    char text[1024], id[17];
    rig_ask(ASK, ADD);
    rig_expect(&plug, "GET", DIGEST, "", "{\"digest\":[]}");
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, TIMERX);
    assert_string_equal(r.method, "SET");
    (void)snprintf(id, sizeof id, "%.16s", strstr(r.payload, "\"id\":\"") + 6);
    rig_say(&plug, r.from, "SETACK", TIMERX, r.id, "", "{}");
    (void)snprintf(text, sizeof text, kept, id);
    rig_expect(&plug, "GET", TIMERX, "", text);
}

#define KEPT(rest)                                                                                 \
    "{\"digest\":{},\"timerx\":{\"id\":\"%s\",\"channel\":0,\"sunOffset\":0," rest ",\"extend\":"  \
    "{\"toggle\":{\"onoff\":1}}}}"

static void test_what_it_keeps(void **state)
{
    static const struct {
        const char *kept, *answer;
    } cases[] = {
        {KEPT("\"enable\":1,\"type\":1,\"week\":255,\"time\":450"), "\"status\":\"ok\""},
        {KEPT("\"enable\":1,\"type\":1,\"week\":127,\"time\":450"), "\"status\":\"ok\""},
        {KEPT("\"enable\":1,\"type\":1,\"week\":255,\"time\":451"), "keeps something else"},
        {KEPT("\"enable\":0,\"type\":1,\"week\":255,\"time\":450"), "keeps something else"},
        {KEPT("\"enable\":1,\"type\":1,\"week\":254,\"time\":450"), "keeps something else"},
        {KEPT("\"enable\":1,\"type\":2,\"week\":255,\"time\":450"), "keeps something else"},
        {"{\"digest\":{},\"timerx\":{}}%.0s", "does not keep it"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (i > 0) {
            rig_teardown(state);
            assert_int_equal(rig_setup(state), MD_OK);
        }
        ready(true);
        keep(cases[i].kept);
        answered(cases[i].answer);
        assert_null(rig_find(RIG_TO));
    }
}

/* Without a digest of its own, System.All has it; what is no timer is left out. */
static void test_digest_in_all(void **state)
{
    (void)state;
    ready(false);
    rig_ask(ASK, "{\"plug\":\"" NAME "\",\"transaction\":1}");
    rig_expect(&plug, "GET", ALL, "",
               "{\"all\":{\"system\":{},\"digest\":{\"timerx\":[{\"channel\":0,\"id\":\"one\"},7,"
               "{\"id\":\"\"},{\"id\":\"two\"}]}}}");
    rig_expect(&plug, "GET", TIMERX, "",
               "{\"timerx\":[{\"id\":\"one\",\"enable\":1,\"time\":60,\"type\":1,\"week\":130}]}");
    rig_expect(&plug, "GET", TIMERX, "", "{\"digest\":{},\"timerx\":{}}");
    answered("{\"transaction\":1,\"status\":\"ok\",\"data\":{\"timers\":[{\"id\":\"one\",\"kind\":"
             "\"timer\",\"channel\":0,\"enabled\":true,\"time\":\"01:00\",\"once\":false,\"days\":"
             "\"mon\"}],\"first_day\":\"sunday\"}}");
}

/* It goes away in the middle; and it refuses. */
static void test_no_good_end(void **state)
{
    struct rig_request r;
    (void)state;
    ready(true);
    rig_ask(ASK, ADD);
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, r.from, "ERROR", DIGEST, r.id, "", "{\"error\":{\"code\":5000}}");
    answered("\"code\":\"refused\"");
    rig_ask(ASK, ADD);
    rig_expect(&plug, "GET", DIGEST, "", "{\"digest\":{}}");
    rig_drop(&plug, "unplugged");
    answered("\"code\":\"offline\"");
    rig_ask(ASK, ADD);
    answered("\"code\":\"offline\"");
}

/* However many a plug lists: 32 are read. */
static void test_many(void **state)
{
    char list[2048] = "{\"digest\":[", one[96];
    struct rig_request r;
    unsigned asked = 0;
    (void)state;
    ready(true);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(one, sizeof one, "%s{\"id\":\"t%u\"}", i > 0 ? "," : "", i);
        (void)strcat(list, one);
    }
    (void)strcat(list, "]}");
    rig_ask(ASK, "{\"plug\":\"" NAME "\",\"transaction\":1}");
    rig_expect(&plug, "GET", DIGEST, "", list);
    while (rig_request_to(RIG_TO, &r)) {
        (void)snprintf(one, sizeof one, "{\"timerx\":{\"id\":\"t%u\"}}", asked++);
        rig_say(&plug, r.from, "GETACK", TIMERX, r.id, "", one);
    }
    assert_int_equal(asked, 32);
    answered("\"id\":\"t31\"");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_what_it_keeps), T(test_digest_in_all),
                                       T(test_no_good_end), T(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

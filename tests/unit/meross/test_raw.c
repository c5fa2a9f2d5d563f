/* The verb raw: a request in the caller's words, signed by us, under the rules of everybody. */
#include "tests/unit/meross/foreign_words.h"

#define ASK    "meross/broker/request/raw"
#define ANSWER "meross/broker/response/raw"

static void ask(const char *method, const char *ns, const char *payload)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "{\"transaction\":7,\"plug\":\"mss\",\"method\":\"%s\",\"namespace\":\"%s\","
                   "\"payload\":%s}",
                   method, ns, payload);
    rig_ask(ASK, text);
}

static void fails(const char *code, const char *part)
{
    const struct rig_pub *p = rig_find(ANSWER);
    assert_non_null(p);
    if (strstr(p->payload, code) == NULL || strstr(p->payload, part) == NULL)
        fail_msg("not %s \"%s\" but %s", code, part, p->payload);
}

static void answered(const char *want)
{
    const struct rig_pub *p = rig_find(ANSWER);
    assert_non_null(p);
    assert_string_equal(p->payload, want);
}

static void test_request_and_answer(void **state)
{
    (void)state;
    ready_with_a_client();
    ask("GET", ALL, "{}");
    rig_expect(&plug, "GET", ALL, "", "{\"all\":{}}");
    answered("{\"transaction\":7,\"status\":\"ok\",\"data\":{\"plug\":\"" NAME
             "\",\"answered\":true,\"method\":\"GETACK\",\"namespace\":\"" ALL
             "\",\"payload\":{\"all\":{}}}}");
    rig_ask(ASK, "{\"plug\":\"" NAME "\",\"method\":\"SET\",\"namespace\":\"" TOGGLEX
                 "\",\"payload\":" SWITCH_ON "}");
    rig_expect(&plug, "SET", TOGGLEX, "", "{}");
    answered("{\"status\":\"ok\",\"data\":{\"plug\":\"" NAME
             "\",\"answered\":true,\"method\":\"SETACK\",\"namespace\":\"" TOGGLEX
             "\",\"payload\":{}}}");
}

/* A push that nothing answers is no failure. */
static void test_push(void **state)
{
    (void)state;
    ready_with_a_client();
    ask("PUSH", ALL, "{}");
    rig_expect(&plug, "PUSH", ALL, "", NULL);
    rig_step(999);
    assert_null(rig_find(ANSWER));
    rig_step(1);
    answered("{\"transaction\":7,\"status\":\"ok\",\"data\":{\"plug\":\"" NAME
             "\",\"answered\":false}}");
    ask("PUSH", ALL, "{}");
    rig_say(&plug, RIG_FROM, "PUSH", ALL, ID("0a"), "", "{\"x\":1}");
    answered("{\"transaction\":7,\"status\":\"ok\",\"data\":{\"plug\":\"" NAME
             "\",\"answered\":true,\"method\":\"PUSH\",\"namespace\":\"" ALL
             "\",\"payload\":{\"x\":1}}}");
}

static void test_failures(void **state)
{
    (void)state;
    struct rig_request r;
    ready_with_a_client();
    ask("get", ALL, "{}");
    fails("invalid", "method");
    ask("SETACK", ALL, "{}");
    fails("invalid", "method");
    ask("GET", "", "{}");
    fails("invalid", "namespace");
    ask("GET", ALL, "[]");
    fails("invalid", "payload");
    rig_ask(ASK, "{\"plug\":\"x\"}");
    fails("no_such_plug", "merossd list");
    ask("SET", TOGGLEX, "{\"togglex\":{\"onoff\":2}}");
    fails("shield", "locks its relay");
    ask("SET", "Appliance.Control.Upgrade", "{}");
    fails("shield", "firmware upgrade");
    ask("PUSH", "Appliance.Control.Unbind", "{}");
    fails("shield", "merossd unbind");
    ask("GET", "Appliance.Nothing", "{}");
    fails("shield", "does not have");
    ask("SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1,\"onoff\":0}}");
    fails("shield", "twice");
    assert_null(rig_find(RIG_TO));
    ask("GET", ALL, "{}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, r.from, "ERROR", ALL, r.id, "", "{\"error\":{\"code\":5000,\"detail\":\"no\"}}");
    fails("refused", "error 5000 no");
    ask("GET", ALL, "{}");
    assert_true(rig_request_to(RIG_TO, &r));
    rig_say(&plug, r.from, "ERROR", ALL, r.id, "", "{\"error\":{\"code\":5001}}");
    fails("\"key\"", "another key");
    ask("GET", ALL, "{}");
    rig_step(5000);
    fails("timeout", "did not answer");
    rig_drop(&plug, "x");
    rig_step(60000);
    ask("GET", ALL, "{}");
    fails("offline", "not connected");
}

/* At the size that a plug takes and one byte past it. */
static void test_size(void **state)
{
    (void)state;
    char payload[2300];
    struct rig_request r;
    ready_with_a_client();
    size_t frame = 0;
    for (unsigned past = 0; past < 3; past++) {
        size_t n = past == 0 ? 10 : ENVELOPE_TO_PLUG_MAX - frame + past - 1;
        (void)snprintf(payload, sizeof payload, "{\"a\":\"%0*d\"}", (int)n - 8, 0);
        ask("GET", ALL, payload);
        assert_int_equal(rig_request_to(RIG_TO, &r), past < 2);
        if (past < 2) {
            frame = strlen(rig_last(RIG_TO)->payload) - n;
            rig_say(&plug, r.from, "GETACK", ALL, r.id, "", "{}");
        }
        rig->read = 0;
        while (rig_find(ANSWER) != NULL)
            continue;
    }
    assert_non_null(strstr(rig_last(ANSWER)->payload, "larger than a plug can take"));
}

static void test_no_memory(void **state)
{
    (void)state;
    ready_with_a_client();
    for (long n = 1; n < 40; n++) {
        mem_fail_after(n);
        ask("GET", ALL, "{}");
        mem_fail_after(-1);
        rig_step(5000);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_request_and_answer), T(test_push), T(test_failures),
                                       T(test_size), T(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

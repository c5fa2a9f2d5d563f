/* A signature covers neither the method nor the payload of a message, so whoever has no key can
 * send back what it was sent, or use again what it heard.  Neither makes it the plug, nor is it
 * obeyed. */
#include "tests/unit/meross/stranger_words.h"

#define MOVE   "meross/broker/request/move"
#define UNBIND "meross/broker/request/unbind"

/* The plug was here, with our key, and is gone; somebody else says that he is it. */
static void stranger_is_there(void)
{
    plug_comes();
    rig_drop(&plug, "x");
    come(&stranger, "_wrong");
    rig_skip();
    rig_say(&stranger, RIG_FROM, "SET", BIND, "b2", "other", RIG_BIND);
    rig_expect(&stranger, "SETACK", BIND, "other", NULL);
}

/* What came is sent back with another method and payload, but the same messageId, time and sign. */
static void send_back(const struct rig_request *r, const char *method, const char *ns,
                      const char *payload)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                   "\"from\":\"" RIG_FROM "\",\"timestamp\":%s,\"sign\":\"%s\"},\"payload\":%s}",
                   r->id, ns, method, r->timestamp, r->sign, payload);
    assert_true(rig_publish(&stranger, RIG_FROM, text, false));
}

static void test_answers_are_no_proof(void **state)
{
    (void)state;
    struct rig_request r;
    stranger_is_there();
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, ALL);
    send_back(&r, "GETACK", ALL,
              RIG_ALL_OF("{\"timestamp\":1,\"timezone\":\"\",\"timeRule\":[]}",
                         "[{\"channel\":0,\"onoff\":0}]"));
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    assert_int_equal(rig_logged("bound type"), 2);
}

/* Nor does a Bind with such a signature get another one for the same messageId. */
static void test_no_fresh_signature(void **state)
{
    (void)state;
    struct rig_request r, ack;
    stranger_is_there();
    assert_true(rig_request_to(RIG_TO, &r));
    rig_step(1000);
    send_back(&r, "SET", BIND, RIG_BIND);
    assert_true(rig_request_to(RIG_TO, &ack));
    assert_string_equal(ack.id, r.id);
    assert_string_equal(ack.sign, r.sign);
}

static void ask_broker(const char *topic, const char *payload)
{
    if (strcmp(topic, MOVE) == 0) {
        struct rig_client c;
        rig_client(&c, "cli", NULL, NULL);
        assert_false(rig_publish(&c, topic, payload, false));
    } else {
        rig_ask(topic, payload);
    }
}

/* He is not told the key when people move the plug, and his going is not that of the plug. */
static void test_nothing_secret_for_him(void **state)
{
    (void)state;
    const struct rig_pub *p;
    stranger_is_there();
    rig_step(6000); /* what he was asked he did not answer */
    rig_skip();
    ask_broker(MOVE, "{\"plug\":\"" NAME "\",\"host\":\"192.0.2.9\",\"port\":8883}");
    p = rig_find("meross/broker/response/move");
    assert_non_null(p);
    assert_non_null(strstr(p->payload, "\"code\":\"offline\""));
    ask_broker(UNBIND, "{\"plug\":\"" NAME "\"}");
    p = rig_find("meross/broker/response/unbind");
    assert_non_null(p);
    assert_non_null(strstr(p->payload, "\"code\":\"offline\""));
    for (size_t i = 0; i < rig->n; i++)
        assert_null(strstr(rig->pub[i].payload, KEY));
}

/* The plug that signs itself is the plug, whatever it answers. */
static void test_the_plug_itself(void **state)
{
    (void)state;
    stranger_is_there();
    rig_expect(&stranger, "GET", ALL, KEY, RIG_ALL); /* with a time of its own */
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    rig_say(&stranger, RIG_FROM, "PUSH", TOGGLEX, "t", KEY, OFF);
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
}

/* What a plug says is heard by others; its signature is none for an order. */
static void test_heard_and_used_again(void **state)
{
    (void)state;
    char text[2048], sign[SIGN_HEX];
    ready_with_a_client();
    rig_say(&plug, RIG_FROM, "PUSH", TOGGLEX, ID("99"), "", OFF);
    sign_message(sign, span_str(ID("99")), "", span_str("1700000000"));
    (void)snprintf(text, sizeof text,
                   "{\"header\":{\"messageId\":\"" ID(
                       "99") "\",\"namespace\":\"" TOGGLEX
                             "\",\"method\":\"SET\",\"payloadVersion\":1,\"from\":\"" APP
                             "\",\"timestamp\":1700000000,\"sign\":\"%s\"},\"payload\":" SWITCH_ON
                             "}",
                   sign);
    unsigned sent = rig_count(RIG_TO);
    rig_skip();
    assert_false(rig_publish(&other, RIG_TO, text, false));
    rig_step(2000);
    assert_int_equal(rig_count(RIG_TO), sent);
    foreign_is_refused("messageId was used before");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_answers_are_no_proof), T(test_no_fresh_signature),
                                       T(test_nothing_secret_for_him), T(test_the_plug_itself),
                                       T(test_heard_and_used_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

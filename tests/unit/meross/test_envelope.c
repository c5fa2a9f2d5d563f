/* The message around everything: tolerant in, exact out. */
#include "tests/unit/no_leak.h"

#include "meross/wire/envelope.h"
#include "tests/fake/fake_env.h"

#include <stdio.h>

#define ID "0123456789abcdef0123456789abcdef"

static int parse(struct envelope *e, const char *text) { return envelope_parse(e, span_str(text)); }

static void test_parse(void **state)
{
    (void)state;
    struct envelope e;
    assert_int_equal(
        parse(&e, "{\"payload\":{\"x\":1},\"extra\":0,\"header\":{\"messageId\":\"" ID "\","
                  "\"namespace\":\"Appliance.Control.Bind\",\"method\":\"SET\",\"from\":"
                  "\"\\/appliance\\/x\\/subscribe\",\"timestamp\":1700000000,\"unknown\":{},"
                  "\"sign\":\"224dd730e3a37f3a004dbf08aaaef729\"}}"),
        MD_OK);
    assert_int_equal(e.method, ENVELOPE_SET);
    assert_string_equal(e.ns, "Appliance.Control.Bind");
    assert_string_equal(e.message_id, ID);
    assert_string_equal(e.from, "/appliance/x/subscribe");
    assert_string_equal(e.timestamp, "1700000000");
    assert_true(envelope_signed(&e, ""));
    assert_false(envelope_signed(&e, "meross"));
    assert_true(span_is(json_raw(e.payload), "{\"x\":1}"));
    envelope_free(&e);
}

/* [trap 19] The digits that were sent are hashed, number or string. */
static void test_string_timestamp(void **state)
{
    (void)state;
    struct envelope e;
    assert_int_equal(parse(&e, "{\"header\":{\"messageId\":\"" ID "\",\"namespace\":\"N\","
                               "\"method\":\"PUSH\",\"timestamp\":\"1700000000\","
                               "\"sign\":\"6a8923778cfd1aeb95f603c33b999313\"},\"payload\":{}}"),
                     MD_OK);
    assert_true(envelope_signed(&e, "meross"));
    envelope_free(&e);
}

static void test_absent(void **state)
{
    (void)state;
    struct envelope e;
    assert_int_equal(parse(&e, "{\"header\":{\"messageId\":\"\",\"namespace\":\"N\",\"method\":"
                               "\"DELETE\"},\"payload\":{}}"),
                     MD_OK);
    assert_string_equal(e.from, "");
    assert_string_equal(e.sign, "");
    assert_false(envelope_signed(&e, ""));
    envelope_free(&e);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "0",
        "1",
        "{}",
        "[]",
        "ON",
        "{\"header\":{},\"payload\":{}}",
        "{\"header\":{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"SET\"}}",
        "{\"header\":{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"SET\"},\"payload\":[]}",
        "{\"header\":{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"SET\"},\"payload\":1}",
        "{\"header\":[{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"SET\"}],\"payload\":{}"
        "}",
        "[{\"header\":{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"SET\"},\"payload\":{}}"
        "]",
        "{\"header\":{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"set\"},\"payload\":{}}",
        "{\"header\":{\"messageId\":\"a\",\"namespace\":\"N\",\"method\":\"JUMP\"},\"payload\":{}}",
        "{\"header\":{\"messageId\":\"a\",\"namespace\":\"\",\"method\":\"SET\"},\"payload\":{}}",
        "{\"header\":{\"messageId\":{},\"namespace\":\"N\",\"method\":\"SET\"},\"payload\":{}}",
        "{\"header\":{\"namespace\":\"N\",\"method\":\"SET\"},\"payload\":{}}"};
    struct envelope e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&e, bad[i]), MD_PROTO);
}

/* The messageId at its limit, and one past it. */
static void test_id_limit(void **state)
{
    (void)state;
    char text[256], id[SIGN_ID_MAX + 2];
    struct envelope e;
    memset(id, 'a', sizeof id);
    id[SIGN_ID_MAX + 1] = '\0';
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"N\",\"method\":\"GET\"},"
                       "\"payload\":{}}",
                       id + i);
        assert_int_equal(parse(&e, text), i == 0 ? MD_PROTO : MD_OK);
    }
    envelope_free(&e);
}

static void test_write(void **state)
{
    (void)state;
    struct buf b;
    struct envelope e;
    struct envelope_head head = {.method = ENVELOPE_SET,
                                 .ns = "Appliance.Control.ToggleX",
                                 .message_id = ID,
                                 .from = "/appliance/merossd/publish",
                                 .timestamp = 1700000000,
                                 .key = "00112233445566778899aabbccddeeff"};
    buf_init(&b, 65536);
    assert_int_equal(envelope_write(&b, &head, span_str("{\"togglex\":{}}")), MD_OK);
    assert_true(
        span_is(buf_view(&b),
                "{\"header\":{\"messageId\":\"" ID "\",\"namespace\":\"Appliance.Control.ToggleX\","
                "\"method\":\"SET\",\"payloadVersion\":1,\"from\":\"/appliance/merossd/publish\","
                "\"triggerSrc\":\"CloudControl\",\"timestamp\":1700000000,\"timestampMs\":0,"
                "\"sign\":\"624dcf579955fd3676c5aaa89880a654\"},\"payload\":{\"togglex\":{}}}"));
    assert_int_equal(envelope_parse(&e, buf_view(&b)), MD_OK);
    assert_true(envelope_signed(&e, head.key));
    envelope_free(&e);
    buf_free(&b);
}

/* The header as it came, without uuid, with the cloud's triggerSrc. */
static void test_echo(void **state)
{
    (void)state;
    struct buf b;
    struct envelope e;
    assert_int_equal(parse(&e, "{\"header\":{\"messageId\":\"a1\",\"uuid\":\"u\",\"namespace\":"
                               "\"Appliance.System.Clock\",\"method\":\"PUSH\",\"triggerSrc\":"
                               "\"DevBoot\",\"payloadVersion\":1,\"from\":\"/appliance/u/publish\","
                               "\"timestamp\":\"6\",\"timestampMs\":120,\"odd\":[1,null],"
                               "\"sign\":\"s\"},\"payload\":{\"clock\":{\"timestamp\":6}}}"),
                     MD_OK);
    buf_init(&b, 65536);
    assert_int_equal(envelope_write_echo(&b, &e, ENVELOPE_PUSH, NULL, span_str("{\"c\":1}")),
                     MD_OK);
    assert_true(span_is(
        buf_view(&b), "{\"header\":{\"messageId\":\"a1\",\"namespace\":\"Appliance.System.Clock\","
                      "\"method\":\"PUSH\",\"payloadVersion\":1,\"from\":\"/appliance/u/publish\","
                      "\"timestamp\":\"6\",\"timestampMs\":120,\"odd\":[1,null],\"sign\":\"s\","
                      "\"triggerSrc\":\"CloudControl\"},\"payload\":{\"c\":1}}"));
    buf_free(&b);
    buf_init(&b, 65536);
    assert_int_equal(envelope_write_echo(&b, &e, ENVELOPE_SETACK, "/x", span_str("{}")), MD_OK);
    struct envelope back;
    assert_int_equal(envelope_parse(&back, buf_view(&b)), MD_OK);
    assert_string_equal(back.from, "/x");
    assert_int_equal(back.method, ENVELOPE_SETACK);
    assert_string_equal(back.sign, "s");
    envelope_free(&back);
    envelope_free(&e);
    buf_free(&b);
}

/* Nothing larger than a plug can take is written, and then nothing at all. */
static void test_size(void **state)
{
    (void)state;
    static char payload[ENVELOPE_TO_HUB_MAX + 16];
    struct buf b;
    struct envelope_head head = {ENVELOPE_SET, "N", ID, "/f", 1, ""};
    buf_init(&b, 65536);
    assert_int_equal(envelope_write(&b, &head, span_str("{}")), MD_OK);
    size_t frame = b.n - 2;
    b.n = 0;
    memset(payload, ' ', sizeof payload);
    payload[0] = '{';
    size_t fits = ENVELOPE_TO_HUB_MAX - frame;
    payload[fits - 1] = '}';
    assert_int_equal(envelope_write(&b, &head, span_of(payload, fits)), MD_OK);
    assert_int_equal(b.n, ENVELOPE_TO_HUB_MAX);
    payload[fits] = '}';
    assert_int_equal(envelope_write(&b, &head, span_of(payload, fits + 1)), MD_TOOBIG);
    assert_int_equal(b.n, ENVELOPE_TO_HUB_MAX);
    buf_free(&b);
}

/* A plug ignores a messageId that it has seen. */
static void test_new_id(void **state)
{
    (void)state;
    struct fake_env f;
    char id[2][SIGN_HEX];
    fake_env_init(&f);
    for (unsigned i = 0; i < 2; i++) {
        envelope_new_id(&f.env, id[i]);
        assert_int_equal(strlen(id[i]), 32);
        assert_int_equal(strspn(id[i], "0123456789abcdef"), 32);
    }
    assert_string_not_equal(id[0], id[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),    cmocka_unit_test(test_string_timestamp),
        cmocka_unit_test(test_absent),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_id_limit), cmocka_unit_test(test_write),
        cmocka_unit_test(test_echo),     cmocka_unit_test(test_size),
        cmocka_unit_test(test_new_id),   LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

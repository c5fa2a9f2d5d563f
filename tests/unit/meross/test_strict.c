/* JSON that every parser reads alike: at each limit and one past it. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/wire/strict.h"

#include <stdio.h>
#include <string.h>

static const char *objection(const char *text)
{
    struct json j;
    assert_int_equal(json_parse(&j, span_str(text)), MD_OK);
    const char *why = strict_objection(&j);
    json_free(&j);
    return why;
}

/* [trap 26] UTF-8 and every proper escape pass; what is half a character does not. */
static void test_text(void **state)
{
    (void)state;
    assert_null(objection("{\"a\":\"\xc3\xbc \\u00fc \\\\u0000 \\ud83d\\ude00 \\\" \\/\"}"));
    static const char *const bad[] = {"{\"a\":\"\xff\"}",    "{\"a\":\"\xed\xa0\x80\"}",
                                      "{\"a\":\"\\u0000\"}", "{\"a\":\"\\\\\\u0000\"}",
                                      "{\"a\":\"\\ud83d\"}", "{\"a\":\"\\ud83d\\u0041\"}",
                                      "{\"a\":\"\\uDE00\"}", "{\"a\":\"\xc3\"}",
                                      "{\"\\u0000\":1}",     "{\"a\":\"\\ud83d\\ud83d\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_string_equal(objection(bad[i]), "its text is not proper UTF-8");
}

static void test_names(void **state)
{
    (void)state;
    assert_null(objection("{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":1},{\"a\":1}]}"));
    static const char *const twice[] = {"{\"a\":1,\"a\":1}", "{\"a\":1,\"A\":1}",
                                        "{\"a\":1,\"\\u0061\":1}",
                                        "{\"x\":[{\"y\":{\"onoff\":1,\"b\":2,\"OnOff\":7}}]}"};
    for (size_t i = 0; i < sizeof twice / sizeof twice[0]; i++)
        assert_string_equal(objection(twice[i]), "a name stands twice in one object");
    char text[4096], *at = text;
    for (unsigned n = STRICT_NAME_MAX; n <= STRICT_NAME_MAX + 1; n++) {
        (void)snprintf(text, sizeof text, "{\"%0*d\":1}", (int)n, 7);
        assert_int_equal(objection(text) == NULL, n == STRICT_NAME_MAX);
    }
    for (unsigned n = STRICT_NAMES_MAX; n <= STRICT_NAMES_MAX + 1; n++) {
        at = text;
        for (unsigned i = 0; i < n; i++)
            at += sprintf(at, "%s\"m%u\":%u", i > 0 ? "," : "{", i, i);
        (void)sprintf(at, "}");
        assert_int_equal(objection(text) == NULL, n == STRICT_NAMES_MAX);
    }
}

static void test_shape(void **state)
{
    (void)state;
    char text[128];
    for (unsigned n = STRICT_DEPTH_MAX; n <= STRICT_DEPTH_MAX + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        text[2 * n] = '\0';
        assert_int_equal(objection(text) == NULL, n == STRICT_DEPTH_MAX);
    }
    assert_null(objection("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"}"));
    assert_null(objection("[-9223372036854775807,0.5,12345678901234567890]"));
    assert_non_null(objection("[123456789012345678901]"));
    assert_non_null(objection("[1e3]"));
    assert_non_null(objection("{\"a\":1E-3}"));
    assert_int_equal(mem_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_shape)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading with a forgiving eye what is proper JSON, and refusing what is not. */
#include "tests/unit/no_leak.h"

#include "broker/base/mem.h"
#include "meross/wire/json.h"
#include "meross/wire/json_write.h"

#include <stdio.h>
#include <stdlib.h>

static int check(const char *text)
{
    unsigned n;
    return json_check(span_str(text), &n);
}

static void test_well_formed(void **state)
{
    (void)state;
    static const char *const good[] = {"{}",
                                       "[]",
                                       " {\"a\":1} ",
                                       "[1,-0,0.5,1e9,-1.5E-3,true,false,null,\"\\u00e4\\n\\/\"]",
                                       "{\"a\":{\"b\":[{},[],{}]},\"c\":\"\xc3\xa4\"}",
                                       "[[[[]]]]"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(check(good[i]), MD_OK);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "1",
                                      "0",
                                      "\"a\"",
                                      "true",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      "{]",
                                      "[}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "{\"a\" \"b\"}",
                                      "{a:1}",
                                      "{1:2}",
                                      "{\"a\":1 \"b\":2}",
                                      "[01]",
                                      "[1.]",
                                      "[.5]",
                                      "[1e]",
                                      "[-]",
                                      "[+1]",
                                      "[tru]",
                                      "[nul]",
                                      "[\"\\x\"]",
                                      "[\"\\u12g4\"]",
                                      "[\"a",
                                      "[\"a\\",
                                      "[\"\\u12",
                                      "[\"a\nb\"]",
                                      "{}{}",
                                      "[]x",
                                      "[\"a\"\"b\"]",
                                      "[NaN]",
                                      "{\"a\"::1}",
                                      "\xef\xbb\xbf{}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(check(bad[i]), MD_PROTO);
    unsigned n;
    assert_int_equal(json_check(span_of("{}\0", 3), &n), MD_PROTO);
    assert_int_equal(json_check(span_of("[\"a\0\"]", 6), &n), MD_PROTO);
}

/* Each limit: at it, and one past it. */
static void test_limits(void **state)
{
    (void)state;
    char deep[2 * JSON_DEPTH_MAX + 4];
    size_t d = JSON_DEPTH_MAX;
    memset(deep, '[', d);
    memset(deep + d, ']', d);
    deep[2 * d] = '\0';
    assert_int_equal(check(deep), MD_OK);
    memset(deep, '[', d + 1);
    memset(deep + d + 1, ']', d + 1);
    deep[2 * d + 2] = '\0';
    assert_int_equal(check(deep), MD_TOOBIG);

    char *wide = malloc(JSON_TEXT_MAX + 2);
    memset(wide, ' ', JSON_TEXT_MAX + 1);
    wide[0] = '{';
    wide[JSON_TEXT_MAX - 1] = '}';
    unsigned n;
    assert_int_equal(json_check(span_of(wide, JSON_TEXT_MAX), &n), MD_OK);
    assert_int_equal(json_check(span_of(wide, JSON_TEXT_MAX + 1), &n), MD_TOOBIG);

    size_t at = 0;
    wide[at++] = '[';
    for (unsigned i = 0; i + 1 < JSON_TOKENS_MAX; i++) { /* the list itself is one */
        wide[at++] = '1';
        wide[at++] = ',';
    }
    wide[at - 1] = ']';
    assert_int_equal(json_check(span_of(wide, at), &n), MD_OK);
    assert_int_equal(n, JSON_TOKENS_MAX);
    wide[at - 1] = ',';
    wide[at++] = '1';
    wide[at++] = ']';
    assert_int_equal(json_check(span_of(wide, at), &n), MD_TOOBIG);
    free(wide);
}

static struct json doc(const char *text)
{
    struct json j;
    assert_int_equal(json_parse(&j, span_str(text)), MD_OK);
    return j;
}

/* Traps 20-22 and 25. */
static void test_getters(void **state)
{
    (void)state;
    struct json j = doc("{\"n\":5,\"s\":\"7\",\"f\":75.9,\"neg\":-381895630,\"big\":4294967295,"
                        "\"e\":\"1e3\",\"t\":true,\"null\":null,\"w\":\"0x10\",\"empty\":\"\","
                        "\"huge\":99999999999999999999,\"light.effect\":[1],\"_\":null,"
                        "\"dup\":1,\"dup\":2,\"LmTime\":3,\"sp\":\" 5\",\"o\":{\"x\":1},"
                        "\"l\":[{\"x\":2},{\"x\":3}],\"esc\\u0061ped\":4}");
    struct json_at r = json_root(&j);
    int64_t v = 42;
    assert_true(json_int(json_get(r, "n"), &v) && v == 5);
    assert_true(json_int(json_get(r, "s"), &v) && v == 7);
    assert_true(json_int(json_get(r, "f"), &v) && v == 75);
    assert_true(json_int(json_get(r, "neg"), &v) && v == -381895630);
    assert_true(json_int(json_get(r, "big"), &v) && v == 4294967295);
    assert_true(json_int(json_get(r, "e"), &v) && v == 1000);
    assert_true(json_int(json_get(r, "t"), &v) && v == 1);
    v = 42;
    static const char *const none[] = {"null", "w", "empty", "huge", "_", "absent", "o", "sp"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(json_int(json_get(r, none[i]), &v));
    assert_int_equal(v, 42);
    assert_true(json_int(json_get(r, "dup"), &v) && v == 2);
    assert_true(json_int(json_get_nocase(r, "lmtime"), &v) && v == 3);
    assert_false(json_exists(json_get(r, "lmtime")));
    assert_true(json_exists(json_get(r, "light.effect")));
    assert_true(json_int(json_get(json_get(r, "o"), "x"), &v) && v == 1);
    assert_true(json_int(json_get(json_get(r, "l"), "x"), &v) && v == 2);
    assert_true(json_int(json_get(r, "escaped"), &v) && v == 4);
    assert_false(json_exists(json_get(json_get(json_get(r, "x"), "y"), "z")));
    json_free(&j);
}

static void test_lists(void **state)
{
    (void)state;
    struct json j = doc("{\"a\":[{\"c\":1},{\"c\":2,\"d\":[{\"c\":9}]},{\"c\":3}],\"b\":{\"c\":4},"
                        "\"e\":[],\"n\":null,\"t\":[[1,2,3],[4,5,6]]}");
    struct json_at r = json_root(&j);
    int64_t sum = 0, v;
    JSON_EACH(it, json_get(r, "a")) { sum += json_int(json_get(it, "c"), &v) ? v : 100; }
    assert_int_equal(sum, 6);
    sum = 0;
    JSON_EACH(it, json_get(r, "b")) { sum += json_int(json_get(it, "c"), &v) ? v : 100; }
    assert_int_equal(sum, 4); /* a bare object is a list of itself */
    JSON_EACH(it, json_get(r, "e")) { fail(); }
    JSON_EACH(it, json_get(r, "n")) { fail(); }
    JSON_EACH(it, json_get(r, "absent")) { fail(); }
    sum = 0;
    JSON_EACH(it, json_get(r, "t")) { sum += json_int(json_next(json_first(it)), &v) ? v : 100; }
    assert_int_equal(sum, 7);
    unsigned names = 0;
    for (struct json_at n = json_first_name(r); json_exists(n); n = json_next_name(n))
        names++;
    assert_int_equal(names, 5);
    json_free(&j);
}

static void test_text(void **state)
{
    (void)state;
    struct json j = doc("{\"a\":\"\\u00e4\\ud83d\\ude00\\/\\\"\\n\",\"lone\":\"\\ud800x\","
                        "\"low\":\"\\udc00\",\"half\":\"\\ud800\\u0041\",\"nul\":\"a\\u0000b\","
                        "\"n\":12,\"o\":{},\"bad\":\"\xff\"}");
    struct json_at r = json_root(&j);
    char text[16];
    assert_true(json_text(json_get(r, "a"), text, sizeof text));
    assert_string_equal(text, "\xc3\xa4\xf0\x9f\x98\x80/\"\n");
    assert_true(json_text(json_get(r, "lone"), text, sizeof text));
    assert_string_equal(text, "\xef\xbf\xbdx");
    assert_true(json_text(json_get(r, "low"), text, sizeof text));
    assert_string_equal(text, "\xef\xbf\xbd");
    assert_true(json_text(json_get(r, "half"), text, sizeof text));
    assert_string_equal(text, "\xef\xbf\xbd"
                              "A");
    assert_true(json_text(json_get(r, "bad"), text, sizeof text));
    assert_string_equal(text, "\xef\xbf\xbd");
    assert_false(json_text(json_get(r, "nul"), text, sizeof text));
    assert_true(json_text(json_get(r, "n"), text, sizeof text));
    assert_string_equal(text, "12");
    assert_false(json_text(json_get(r, "o"), text, sizeof text));
    assert_string_equal(text, "");
    assert_true(json_text(json_get(r, "a"), text, 10)); /* nine bytes and the NUL */
    assert_false(json_text(json_get(r, "a"), text, 9));
    assert_true(span_is(json_raw(json_get(r, "o")), "{}"));
    assert_true(span_is(json_raw(json_get(r, "low")), "\"\\udc00\""));
    json_free(&j);
}

/* Whatever the bytes, what is written can be read back. */
static void test_write(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 4096);
    json_write_start(&w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "s", "\"\\/\b\f\n\r\t\x01\x7f\xff\xc3\xa4");
    json_write_pair_int(&w, "i", INT64_MIN);
    json_write_pair_bool(&w, "b", true);
    json_write_name(&w, "l");
    json_write_open(&w, '[');
    json_write_int(&w, 1);
    json_write_open(&w, '{');
    json_write_close(&w, '}');
    json_write_raw(&w, span_str("null"));
    json_write_close(&w, ']');
    json_write_pair(&w, "", "");
    json_write_close(&w, '}');
    assert_int_equal(w.err, MD_OK);
    assert_true(span_is(buf_view(&b),
                        "{\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\xef\xbf\xbd\xc3\xa4\","
                        "\"i\":-9223372036854775808,\"b\":true,\"l\":[1,{},null],\"\":\"\"}"));
    unsigned n;
    assert_int_equal(json_check(buf_view(&b), &n), MD_OK);
    buf_free(&b);

    buf_init(&b, 8);
    json_write_start(&w, &b);
    json_write_str(&w, "far too long for it");
    assert_int_equal(w.err, MD_TOOBIG);
    json_write_str(&w, "x"); /* stays failed */
    assert_int_equal(w.err, MD_TOOBIG);
    buf_free(&b);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct json j;
    mem_fail_after(1);
    assert_int_equal(json_parse(&j, span_str("{\"a\":1}")), MD_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(json_parse(&j, span_str("{\"a\":")), MD_PROTO);
}

static void test_scaled(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        bool ok;
        int64_t want;
    } cases[] = {
        {"[21.5]", 1, true, 215},
        {"[21.5]", 0, true, 22},
        {"[-21.5]", 1, true, -215},
        {"[-0.05]", 1, true, -1},
        {"[75.0]", 0, true, 75},
        {"[\"21.25\"]", 1, true, 213},
        {"[1e2]", 1, true, 1000},
        {"[-1.5e1]", 0, true, -15},
        {"[0.000001]", 6, true, 1},
        {"[922337203685477580]", 1, false, 0},
        {"[1e99]", 0, false, 0},
        {"[true]", 0, false, 0},
        {"[null]", 0, false, 0},
        {"[\"\"]", 0, false, 0},
        {"[\"1.2.3\"]", 0, false, 0},
        {"[\".5\"]", 1, true, 5},
        {"[\"0x10\"]", 0, false, 0},
        {"[\"-\"]", 0, false, 0},
        {"[\"inf\"]", 0, false, 0},
        {"[[]]", 0, false, 0},
        {"[9999999999999999]", 2, true, 999999999999999900},
        {"[9999999999999999]", 9, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json j;
        int64_t got = 0;
        assert_int_equal(json_parse(&j, span_str(cases[i].text)), MD_OK);
        bool ok = json_scaled(json_first(json_root(&j)), cases[i].decimals, &got);
        if (ok != cases[i].ok || (ok && got != cases[i].want))
            fail_msg("%s with %u: %d %lld", cases[i].text, cases[i].decimals, ok, (long long)got);
        json_free(&j);
    }
}

/* Every beginning of a message is seen to be cut off; what is wrong is not. */
static void test_cut_off(void **state)
{
    (void)state;
    const char *whole = "{\"a\":[1,-2.5e+3,true,false,null,\"\\u00e4\\n\",{}],\"b\":{\"c\":0}}";
    static const char *const wrong[] = {"",          " ",           "x",    "{]",  "{\"a\"]",
                                        "{\"a\":tx", "{\"a\":\"\n", "[1,]", "{}}", "{\"a\" 1"};
    for (size_t n = 1; n < strlen(whole); n++)
        assert_true(json_cut_off(span_of(whole, n)));
    assert_false(json_cut_off(span_str(whole)));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(json_cut_off(span_str(wrong[i])));
}

static void numbers_are_written_with_their_decimals(void **state)
{
    static const struct {
        int64_t value;
        unsigned decimals;
        const char *want;
    } cases[] = {{0, 0, "0"},
                 {7, 0, "7"},
                 {-10, 0, "-10"},
                 {0, 3, "0.000"},
                 {5, 3, "0.005"},
                 {-5, 1, "-0.5"},
                 {12345, 3, "12.345"},
                 {-12000, 3, "-12.000"},
                 {INT64_MAX, 0, "9223372036854775807"},
                 {INT64_MIN, 0, "-9223372036854775808"},
                 {INT64_MIN, 18, "-9.223372036854775808"},
                 {1, JSON_WRITE_DECIMALS_MAX, "0.000000000000000001"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_writer w;
        struct buf out;
        buf_init(&out, 64);
        json_write_start(&w, &out);
        json_write_scaled(&w, cases[i].value, cases[i].decimals);
        assert_int_equal(w.err, MD_OK);
        assert_true(span_is(buf_view(&out), cases[i].want));
        buf_free(&out);
    }
}

static void names_are_compared_as_they_are_meant(void **state)
{
    static const struct {
        const char *name, *text;
        bool same, same_nocase;
    } cases[] = {{"a", "a", true, true},
                 {"a", "A", false, true},
                 {"", "", true, true},
                 {"", "a", false, false},
                 {"a", "", false, false},
                 {"ab", "a", false, false},
                 {"\\u0061b", "ab", true, true},
                 {"\\u0041b", "ab", false, true},
                 {"\\u0062b", "ab", false, false},
                 {"a\\\\", "a\\\\", false, false},
                 {"a\\\\", "a\\", true, true},
                 {"[", "{", false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        struct json j;
        (void)snprintf(text, sizeof text, "{\"%s\":0}", cases[i].name);
        assert_int_equal(json_parse(&j, span_str(text)), MD_OK);
        struct json_at name = json_first_name(json_root(&j));
        assert_int_equal(json_name_is(name, span_str(cases[i].text), false), cases[i].same);
        assert_int_equal(json_name_is(name, span_str(cases[i].text), true), cases[i].same_nocase);
        json_free(&j);
    }
}

static void depth_is_that_of_objects_and_lists(void **state)
{
    static const struct {
        const char *text;
        unsigned want;
    } cases[] = {{"{}", 1}, {"[]", 1}, {"{\"a\":{},\"b\":[[1],\"[[[[\"]}", 3}, {"[[[[]]],[]]", 4}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json j;
        assert_int_equal(json_parse(&j, span_str(cases[i].text)), MD_OK);
        assert_int_equal(json_depth(&j), cases[i].want);
        json_free(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_with_their_decimals),
        cmocka_unit_test(names_are_compared_as_they_are_meant),
        cmocka_unit_test(depth_is_that_of_objects_and_lists),
        cmocka_unit_test(test_scaled),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_well_formed),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_no_memory),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

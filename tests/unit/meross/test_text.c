/* UTF-8, case, uuids, MAC addresses. */
#include "tests/unit/no_leak.h"

#include "meross/wire/text.h"

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc3\xa4",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xef\xbf\xbd"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "a\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(text_utf8_valid(span_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_utf8_valid(span_str(bad[i])));
}

/* Every scalar value survives, and lower case keeps the length. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        uint8_t out[4], low[4];
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        size_t n = text_put(out, cp);
        struct span s = span_of(out, n);
        assert_int_equal(text_next(&s), cp);
        assert_int_equal(s.n, 0);
        assert_int_equal(text_put(low, text_lower(cp)), n);
        assert_int_equal(text_lower(text_lower(cp)), text_lower(cp));
    }
}

static void test_fold(void **state)
{
    (void)state;
    char out[16];
    assert_true(text_fold(span_str("K\303\234CHE"), out, sizeof out));
    assert_string_equal(out, "k\303\274che");
    assert_true(text_fold(span_str("\xd0\x9a\xd0\xa3\xd0\xa5"), out, sizeof out)); /* Cyrillic */
    assert_string_equal(out, "\xd0\xba\xd1\x83\xd1\x85");
    assert_true(text_fold(span_str("123456789012345"), out, sizeof out));
    assert_false(text_fold(span_str("1234567890123456"), out, sizeof out));
    assert_string_equal(out, "");
    assert_true(text_eq_nocase(span_str("AbZ9"), span_str("aBz9")));
    assert_false(text_eq_nocase(span_str("a["), span_str("a{")));
}

static void test_shapes(void **state)
{
    (void)state;
    assert_true(text_is_uuid(span_str("2101011234567890123448e1e9123456")));
    assert_true(text_is_uuid(span_str("20091131118061251h5748e1e9334e2b"))); /* not hexadecimal */
    assert_false(text_is_uuid(span_str("2101011234567890123448e1e912345")));
    assert_false(text_is_uuid(span_str("2101011234567890123448e1e91234567")));
    assert_false(text_is_uuid(span_str("2101011234567890123448e1e912345/")));
    assert_true(text_is_mac(span_str("48:e1:E9:12:34:56")));
    assert_false(text_is_mac(span_str("48:e1:e9:12:34:5")));
    assert_false(text_is_mac(span_str("48-e1-e9-12-34-56")));
    assert_false(text_is_mac(span_str("48:e1:e9:12:34:5g")));
    assert_true(span_is(text_trim(span_str(" \t a b\r\n")), "a b"));
    assert_int_equal(text_trim(span_str("  ")).n, 0);
}

static void plain_is_what_stands_for_itself(void **state)
{
    (void)state;
    assert_int_equal(text_plain(span_str("")), 0);
    assert_int_equal(text_plain(span_str("Appliance.System.All ~")), 22);
    for (unsigned c = 0; c < 256; c++) {
        uint8_t s[3] = {'a', (uint8_t)c, 'b'};
        bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
        assert_int_equal(text_plain(span_of(s, 3)), plain ? 3 : 1);
    }
}

/* At every place of a text of every length, as eight bytes are looked at together. */
static void one_byte_is_found_wherever_it_stands(void **state)
{
    static const uint8_t bytes[] = {0, 0x1f, ' ', '"', '#', '\\', 0x7e, 0x7f, 0x80, 0xc3, 0xff};
    (void)state;
    for (size_t n = 1; n <= 26; n++) {
        for (size_t at = 0; at < n * sizeof bytes; at++) {
            uint8_t s[26], c = bytes[at / n];
            memset(s, 'a', sizeof s);
            s[at % n] = c;
            s[n - 1] = at % n == n - 1 || c < 0x80 ? s[n - 1] : 0xff; /* which changes nothing */
            bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
            assert_int_equal(text_plain(span_of(s, n)), plain ? n : at % n);
            assert_int_equal(text_utf8_valid(span_of(s, n)), c < 0x80);
        }
    }
}

static void hexadecimal_digits_are_lower_case(void **state)
{
    char out[7];
    (void)state;
    text_hex(out, span_of("\x00\x9a\xff", 3));
    assert_string_equal(out, "009aff");
    text_hex(out, span_of("", 0));
    assert_string_equal(out, "");
}

/* At the limit, one past it, and no memory. */
static void a_copy_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *copy;
    } rows[] = {{"", ""}, {"abc", "abc"}, {"abcd", "abcd"}, {"abcde", "abcd"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *copy = text_dup(rows[i].text, 4);
        assert_non_null(copy);
        assert_string_equal(copy, rows[i].copy);
        mem_free(copy);
    }
    mem_fail_after(1);
    assert_null(text_dup("abc", 4));
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_utf8),
                                       cmocka_unit_test(plain_is_what_stands_for_itself),
                                       cmocka_unit_test(one_byte_is_found_wherever_it_stands),
                                       cmocka_unit_test(hexadecimal_digits_are_lower_case),
                                       cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_fold),
                                       cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(a_copy_has_a_limit),
                                       LAST_TEST(no_leak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

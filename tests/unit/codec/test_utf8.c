/* Strings as MQTT allows them: every code point, every malformed shape, every offset. */
#include "broker/base/mem.h"
#include "broker/codec/utf8.h"
#include "tests/unit/no_leak.h"

/* Encodes without asking whether c may exist. */
static size_t encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)((0xf00u >> n) | c);
    return n;
}

static bool in(uint32_t c, uint32_t first, uint32_t last) { return c >= first && c <= last; }

static bool may_exist(uint32_t c)
{
    if (in(c, 0, 0x1f) || in(c, 0x7f, 0x9f)) /* controls, U+0000 with them */
        return false;
    if (in(c, 0xd800, 0xdfff) || in(c, 0xfdd0, 0xfdef))
        return false;
    return (c & 0xffff) < 0xfffe && c <= 0x10ffff;
}

/* [MQTT-1.5.3-1] [MQTT-1.5.3-2] and the SHOULD NOTs of 1.5.3 */
static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        uint8_t text[4];
        size_t n = encode(c, text);
        if (utf8_char(span_of(text, n)) != (may_exist(c) ? n : 0))
            fail_msg("utf8_char of U+%04X", c);
        if (utf8_valid(span_of(text, n)) != may_exist(c))
            fail_msg("utf8_valid of U+%04X", c);
    }
}

/* Table 3-7 of the Unicode standard, without our further exclusions. */
static bool well_formed_pair(const uint8_t *p)
{
    if (!in(p[1], 0x80, 0xbf))
        return false;
    switch (p[0]) {
    case 0xe0:
        return in(p[1], 0xa0, 0xbf);
    case 0xed:
        return in(p[1], 0x80, 0x9f);
    case 0xf0:
        return in(p[1], 0x90, 0xbf);
    case 0xf4:
        return in(p[1], 0x80, 0x8f);
    default:
        return in(p[0], 0xc2, 0xf4);
    }
}

/* Every first and second byte, the tails that follow being good or missing. */
static void test_every_head(void **state)
{
    (void)state;
    for (unsigned head = 0; head < 0x10000; head++) {
        uint8_t text[4] = {(uint8_t)(head >> 8), (uint8_t)head, 0x81, 0x81};
        size_t n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
        if (text[0] < 0x80)
            continue;
        bool want = well_formed_pair(text) && (n > 2 || text[0] > 0xc2 || text[1] > 0x9f);
        if (utf8_valid(span_of(text, n)) != want)
            fail_msg("%02x %02x with %zu bytes", text[0], text[1], n);
        for (size_t cut = 1; cut < n; cut++)
            assert_false(utf8_valid(span_of(text, cut)));
    }
}

static void test_every_tail(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool tail = c >= 0x80 && c <= 0xbf;
        uint8_t three[] = {0xe2, 0x82, (uint8_t)c};
        uint8_t four_third[] = {0xf0, 0x9f, (uint8_t)c, 0x8d};
        uint8_t four_last[] = {0xf0, 0x9f, 0x8c, (uint8_t)c};
        assert_int_equal(utf8_valid(span_of(three, 3)), tail);
        assert_int_equal(utf8_valid(span_of(four_third, 4)), tail);
        assert_int_equal(utf8_valid(span_of(four_last, 4)), tail);
    }
}

/* The fast path takes eight bytes at a time; no offset and no byte may escape it. */
static void test_every_byte_at_every_offset(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 34; n++) {
        uint8_t *text = mem_alloc_raw(n); /* exact, so that a sanitizer sees one byte more */
        assert_non_null(text);
        for (size_t at = 0; at < n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                memset(text, 'x', n);
                text[at] = (uint8_t)c;
                if (utf8_valid(span_of(text, n)) != (c >= 0x20 && c < 0x7f))
                    fail_msg("%02x at %zu of %zu", c, at, n);
            }
        }
        mem_free(text);
    }
}

static void test_characters_across_words(void **state)
{
    (void)state;
    static const char *const chars[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x8d"};
    for (size_t kind = 0; kind < 3; kind++) {
        size_t c = strlen(chars[kind]);
        for (size_t n = c; n <= 28; n++) {
            for (size_t at = 0; at + c <= n; at++) {
                uint8_t text[32];
                memset(text, 'x', n);
                memcpy(text + at, chars[kind], c);
                assert_true(utf8_valid(span_of(text, n)));
                text[at + c - 1] = 'x'; /* its last tail byte is lost */
                assert_false(utf8_valid(span_of(text, n)));
            }
        }
    }
}

/* [MQTT-1.5.3-3] */
static void test_feff_is_an_ordinary_character(void **state)
{
    (void)state;
    assert_true(utf8_valid(span_str("\xef\xbb\xbf")));
    assert_true(utf8_valid(span_str("\xef\xbb\xbf"
                                    "abc")));
    assert_true(utf8_valid(span_str("abcdefgh\xef\xbb\xbfijklmnop")));
}

static void test_shapes(void **state)
{
    (void)state;
    assert_true(utf8_valid(span_of(NULL, 0)));
    assert_int_equal(utf8_char(span_of(NULL, 0)), 0);
    assert_false(utf8_valid(span_str("\xc0\x80")));                 /* Java's U+0000       */
    assert_false(utf8_valid(span_str("\xc0\xaf")));                 /* overlong /          */
    assert_false(utf8_valid(span_str("\xe0\x80\xaf")));             /* overlong / in three */
    assert_false(utf8_valid(span_str("\xf0\x80\x80\xaf")));         /* overlong / in four  */
    assert_false(utf8_valid(span_str("\xed\xa0\x80\xed\xb0\x80"))); /* a surrogate pair    */
    assert_false(utf8_valid(span_str("\xf4\x90\x80\x80")));         /* U+110000            */
    assert_false(utf8_valid(span_str("\xf8\x88\x80\x80\x80")));     /* five bytes          */
    assert_false(utf8_valid(span_str("\xfe")));
    assert_false(utf8_valid(span_of("abc\0def", 7)));
    assert_int_equal(utf8_char(span_str("\xe2\x82\xacxyz")), 3);
}

static void test_word(void **state)
{
    (void)state;
    for (unsigned lane = 0; lane < 8; lane++) {
        for (uint64_t c = 0; c < 256; c++) {
            uint64_t w = 0x4141414141414141u & ~((uint64_t)0xff << 8 * lane);
            assert_int_equal(utf8_word_printable(w | c << 8 * lane), c >= 0x20 && c < 0x7f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_every_head),
        cmocka_unit_test(test_every_tail),
        cmocka_unit_test(test_every_byte_at_every_offset),
        cmocka_unit_test(test_characters_across_words),
        cmocka_unit_test(test_feff_is_an_ordinary_character),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_word),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Topic Names and Topic Filters: validity, levels, matching. */
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/codec/utf8.h"
#include "tests/unit/no_leak.h"

struct validity {
    const char *text;
    bool name, filter;
};

static const struct validity validity[] = {
    {"", false, false}, /* [MQTT-4.7.3-1] */
    {"a", true, true},
    {"/", true, true},
    {"//", true, true},
    {"/a", true, true},
    {"a/", true, true},
    {"a b/c d", true, true},
    {"$SYS/x", true, true},
    {"$share/group/a/#", false, true},
    {"Accounts payable", true, true},
    {"/appliance/19012345678901234567890123456789/publish", true, true},
    {"+", false, true}, /* [MQTT-3.3.2-2] [MQTT-4.7.1-1] */
    {"#", false, true},
    {"/+", false, true},
    {"+/", false, true},
    {"/#", false, true},
    {"+/+", false, true},
    {"+/#", false, true},
    {"a/+/b", false, true},
    {"a/+/+/#", false, true},
    {"sport/tennis/player1/#", false, true},
    {"a#", false, false}, /* [MQTT-4.7.1-2] */
    {"#a", false, false},
    {"##", false, false},
    {"#/", false, false},
    {"#/#", false, false},
    {"a/#/b", false, false},
    {"a/#b", false, false},
    {"a/b#", false, false},
    {"sport/tennis#", false, false},
    {"sport/tennis/#/ranking", false, false},
    {"a+", false, false}, /* [MQTT-4.7.1-3] */
    {"+a", false, false},
    {"++", false, false},
    {"a/+b", false, false},
    {"a/b+/c", false, false},
    {"+#", false, false},
    {"#+", false, false},
    {"sport+", false, false},
    {"a\x01", false, false},
    {"a\x7f", false, false},
    {"caf\xc3\xa9/\xe2\x82\xac", true, true},
    {"\xef\xbb\xbf", true, true}, /* [MQTT-1.5.3-3] */
    {"caf\xc3", false, false},
    {"\xed\xa0\x80", false, false}, /* [MQTT-1.5.3-1] */
};

static void test_validity(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof validity / sizeof validity[0]; i++) {
        struct span s = span_str(validity[i].text);
        if (topic_name_valid(s) != validity[i].name)
            fail_msg("name \"%s\"", validity[i].text);
        if (topic_filter_valid(s) != validity[i].filter)
            fail_msg("filter \"%s\"", validity[i].text);
    }
}

/* [MQTT-4.7.3-2] */
static void test_nul(void **state)
{
    (void)state;
    assert_false(topic_name_valid(span_of("a\0b", 3)));
    assert_false(topic_name_valid(span_of("abcdefghijk\0", 12)));
    assert_false(topic_filter_valid(span_of("a/\0", 3)));
}

/* [MQTT-4.7.3-3], and 65,400 levels for code that might recurse */
static void test_longest(void **state)
{
    (void)state;
    char *text = mem_alloc_raw(65536);
    assert_non_null(text);
    memset(text, 'a', 65536);
    assert_true(topic_name_valid(span_of(text, 65535)));
    assert_true(topic_filter_valid(span_of(text, 65535)));
    assert_false(topic_name_valid(span_of(text, 65536)));
    assert_false(topic_filter_valid(span_of(text, 65536)));
    memset(text, '/', 65536);
    assert_true(topic_name_valid(span_of(text, 65535)));
    assert_int_equal(topic_levels(span_of(text, 65535)), 65536);
    assert_true(topic_match(span_of(text, 65535), span_of(text, 65535)));
    assert_false(topic_match(span_of(text, 65535), span_of(text, 65534)));
    assert_false(topic_match(span_of(text, 65534), span_of(text, 65535)));
    mem_free(text);
}

/* The one-pass check of names against its definition, a wildcard or bad byte at each offset. */
static void test_every_byte_at_every_offset(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 26; n++) {
        uint8_t *text = mem_alloc_raw(n);
        assert_non_null(text);
        for (size_t at = 0; at < n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                memset(text, 'x', n);
                text[at] = (uint8_t)c;
                struct span s = {text, n};
                bool want = utf8_valid(s) && c != '+' && c != '#';
                if (topic_name_valid(s) != want)
                    fail_msg("%02x at %zu of %zu", c, at, n);
            }
        }
        mem_free(text);
    }
}

struct match {
    const char *filter, *name;
    bool yes;
};

static const struct match matches[] = {
    {"a", "a", true},
    {"a", "b", false},
    {"a", "A", false}, /* [MQTT-4.7.3-4] */
    {"a", "ab", false},
    {"ab", "a", false},
    {"a/b", "a/b", true},
    {"a/b", "a", false},
    {"a", "a/b", false},
    {"a/b", "a//b", false},
    {"a//b", "a//b", true},
    {"a//b", "a/b", false},
    {"/a", "a", false},
    {"a", "/a", false},
    {"a", "a/", false},
    {"a/", "a/", true},
    {"/", "/", true},
    {"/", "//", false},
    {"#", "a", true},
    {"#", "a/b/c", true},
    {"#", "/x", true},
    {"#", "/", true},
    {"/#", "/foo", true},
    {"/#", "foo", false},
    {"/#", "/", true},
    {"a/#", "a", true}, /* the parent [MQTT 4.7.1.2] */
    {"a/#", "a/", true},
    {"a/#", "a/b", true},
    {"a/#", "a/b/c", true},
    {"a/#", "ab", false},
    {"a/#", "b/a", false},
    {"a/b/#", "a", false},
    {"a//#", "a/", true},
    {"a//#", "a", false},
    {"+", "a", true},
    {"+", "a/b", false},
    {"+", "/a", false},
    {"+/+", "/finance", true}, /* [MQTT 4.7.1.3] */
    {"/+", "/finance", true},
    {"+", "/finance", false},
    {"+/", "a/", true},
    {"+/", "a", false},
    {"a/+", "a", false},
    {"a/+", "a/", true},
    {"a/+", "a/b", true},
    {"a/+", "a/b/c", false},
    {"a/+/c", "a/b/c", true},
    {"a/+/c", "a//c", true},
    {"a/+/c", "a/b/d", false},
    {"+/b/#", "a/b", true},
    {"+/b/#", "a/b/c/d", true},
    {"+/#", "a", true},
    {"+/#", "/", true},
    {"+/+/#", "a", false},
    {"#", "$SYS/x", false}, /* [MQTT-4.7.2-1] */
    {"+/x", "$SYS/x", false},
    {"+", "$SYS", false},
    {"+/#", "$SYS/x", false},
    {"$SYS/#", "$SYS/x", true},
    {"$SYS/#", "$SYS", true},
    {"$SYS/+", "$SYS/x", true},
    {"$SYS/x", "$SYS/x", true},
    {"#", "a/$SYS", true}, /* only the first character counts */
    {"a/+", "a/$SYS", true},
    {"/#", "/$SYS", true},
    {"/appliance/+/publish", "/appliance/1901/publish", true},
    {"/appliance/+/publish", "/appliance/1901/subscribe", false},
};

static void test_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        const struct match *m = &matches[i];
        assert_true(topic_filter_valid(span_str(m->filter)));
        assert_true(topic_name_valid(span_str(m->name)));
        if (topic_match(span_str(m->filter), span_str(m->name)) != m->yes)
            fail_msg("filter \"%s\" name \"%s\"", m->filter, m->name);
    }
}

static void check_levels(const char *text, size_t n, const char *const want[])
{
    struct span rest = span_str(text), level;
    bool more = true;
    assert_int_equal(topic_levels(rest), n);
    for (size_t max = 1; max < n + 2; max++)
        assert_int_equal(topic_deeper(rest, max), n > max);
    for (size_t i = 0; i < n; i++) {
        assert_true(topic_next_level(&rest, &more, &level));
        assert_true(span_is(level, want[i]));
    }
    assert_false(topic_next_level(&rest, &more, &level));
    assert_false(topic_next_level(&rest, &more, &level));
}

/* [MQTT-4.7.3-4]: empty levels are levels */
static void test_levels(void **state)
{
    (void)state;
    check_levels("a", 1, (const char *const[]){"a"});
    check_levels("a//", 3, (const char *const[]){"a", "", ""});
    check_levels("/", 2, (const char *const[]){"", ""});
    check_levels("/ab/+/#", 4, (const char *const[]){"", "ab", "+", "#"});
    check_levels("", 1, (const char *const[]){""});
}

static void test_levels_of_nothing(void **state)
{
    (void)state;
    struct span rest = {NULL, 0}, level = span_str("x");
    bool more = true;
    assert_true(topic_next_level(&rest, &more, &level));
    assert_int_equal(level.n, 0);
    assert_false(topic_next_level(&rest, &more, &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validity),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_every_byte_at_every_offset),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_levels_of_nothing),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

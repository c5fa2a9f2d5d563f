/* Spans and the big-endian reader. */
#include "broker/base/rd.h"
#include "tests/unit/cmocka.h"

static void test_numbers(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1,    0xff, 0xfe, 0xff, 0xfe, 0xfd, 0x80, 0x00, 0x00,
                                    0x01, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8};
    struct rd r = rd_of(span_of(bytes, sizeof bytes));
    assert_int_equal(rd_left(&r), 18);
    assert_int_equal(rd_u8(&r), 1);
    assert_int_equal(rd_u16(&r), 0xfffe);
    assert_int_equal(rd_u24(&r), 0xfffefd);
    assert_int_equal(rd_u32(&r), 0x80000001);
    assert_false(rd_done(&r));
    assert_true(rd_u64(&r) == 0xfffefdfcfbfaf9f8u);
    assert_true(rd_done(&r));
    assert_true(rd_ok(&r));
    assert_int_equal(rd_left(&r), 0);
}

/* Failure sticks: what would fit is not read any more. */
static void test_failure_sticks(void **state)
{
    (void)state;
    struct rd r = rd_of(span_of("\1\2\3", 3));
    assert_int_equal(rd_u32(&r), 0x01020000); /* the halves of a number come one by one */
    assert_false(rd_ok(&r));
    assert_false(rd_done(&r));
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_left(&r), 0);
    assert_int_equal(rd_rest(&r).n, 0);
    assert_null(rd_take(&r, 1).p);
}

static void test_each_number_one_byte_short(void **state)
{
    (void)state;
    struct rd r = rd_of(span_of("", 0));
    assert_int_equal(rd_u8(&r), 0);
    assert_false(rd_ok(&r));
    r = rd_of(span_of("\1", 1));
    assert_int_equal(rd_u16(&r), 0);
    assert_false(rd_ok(&r));
    r = rd_of(span_of("\1\2", 2));
    assert_int_equal(rd_u24(&r), 0);
    assert_false(rd_ok(&r));
    r = rd_of(span_of("\1\2\3\4\5\6\7", 7));
    (void)rd_u64(&r);
    assert_false(rd_ok(&r));
}

static void test_bin16(void **state)
{
    (void)state;
    struct rd r = rd_of(span_of("\0\3abc\0\0x", 8));
    assert_true(span_is(rd_bin16(&r), "abc"));
    assert_int_equal(rd_bin16(&r).n, 0);
    assert_true(rd_ok(&r));
    assert_true(span_is(rd_rest(&r), "x"));
    assert_true(rd_done(&r));
    r = rd_of(span_of("\0\4abc", 5));
    assert_int_equal(rd_bin16(&r).n, 0);
    assert_false(rd_ok(&r));
    r = rd_of(span_of("\0", 1));
    assert_int_equal(rd_bin16(&r).n, 0);
    assert_false(rd_ok(&r));
}

static void test_take(void **state)
{
    (void)state;
    struct rd r = rd_of((struct span){NULL, 0});
    assert_true(rd_done(&r));
    assert_int_equal(rd_take(&r, 0).n, 0);
    assert_true(rd_done(&r));
    r = rd_of(span_of("abc", 3));
    assert_true(span_is(rd_take(&r, 3), "abc"));
    assert_true(rd_ok(&r));
    r = rd_of(span_of("abc", 3));
    assert_int_equal(rd_take(&r, SIZE_MAX).n, 0);
    assert_false(rd_ok(&r));
}

static void test_span(void **state)
{
    (void)state;
    struct span none = {NULL, 0}, abc = span_str("abc");
    assert_true(span_eq(none, span_str("")));
    assert_true(span_is(none, ""));
    assert_false(span_eq(abc, none));
    assert_true(span_is(abc, "abc"));
    assert_false(span_is(abc, "abd"));
    assert_false(span_is(abc, "ab"));
    assert_true(span_starts(abc, "ab"));
    assert_true(span_starts(abc, ""));
    assert_true(span_starts(none, ""));
    assert_false(span_starts(abc, "abcd"));
    assert_true(span_is(span_skip(abc, 1), "bc"));
    assert_int_equal(span_skip(abc, 3).n, 0);
    assert_int_equal(span_skip(abc, 4).n, 0);
}

static void test_span_to_str(void **state)
{
    (void)state;
    char out[4] = "zzz";
    assert_true(span_to_str(span_str("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_false(span_to_str(span_str("abcd"), out, sizeof out)); /* one past */
    assert_string_equal(out, "");
    assert_false(span_to_str(span_of("a\0b", 3), out, sizeof out));
    assert_string_equal(out, "");
    assert_true(span_to_str((struct span){NULL, 0}, out, sizeof out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_failure_sticks),
        cmocka_unit_test(test_each_number_one_byte_short),
        cmocka_unit_test(test_bin16),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_span),
        cmocka_unit_test(test_span_to_str),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

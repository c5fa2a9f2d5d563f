/* Owned bytes and their ceiling. */
#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "tests/unit/no_leak.h"

static void test_empty(void **state)
{
    (void)state;
    struct buf b;
    size_t before = mem_used();
    buf_init(&b, 100);
    assert_int_equal(mem_used(), before);
    assert_int_equal(b.n, 0);
    assert_int_equal(buf_put(&b, (struct span){NULL, 0}), MD_OK);
    assert_int_equal(mem_used(), before);
    assert_int_equal(buf_view(&b).n, 0);
    buf_free(&b);
    buf_free(&b);
}

static void test_put(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_put(&b, span_of("ab\0c", 4)), MD_OK);
    assert_int_equal(buf_put_str(&b, "de"), MD_OK);
    assert_int_equal(buf_putf(&b, "%d-%s", 42, "x"), MD_OK);
    assert_true(span_eq(buf_view(&b), span_of("ab\0cde42-x", 10)));
    buf_free(&b);
}

static void test_ceiling(void **state)
{
    (void)state;
    for (size_t max = 1; max < 300; max += 7) {
        struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(buf_put(&b, span_of("x", 1)), MD_OK);
        assert_int_equal(b.n, max);
        assert_true(b.cap <= max);
        assert_int_equal(buf_put(&b, span_of("x", 1)), MD_TOOBIG);
        assert_int_equal(buf_put(&b, (struct span){NULL, 0}), MD_OK);
        assert_int_equal(b.n, max);
        buf_consume(&b, 1);
        assert_int_equal(buf_put(&b, span_of("y", 1)), MD_OK);
        assert_int_equal(b.p[max - 1], 'y');
        buf_free(&b);
    }
}

static void test_ceiling_at_once(void **state)
{
    (void)state;
    struct buf b;
    uint8_t bytes[65] = {0};
    buf_init(&b, 64);
    assert_int_equal(buf_put(&b, span_of(bytes, 65)), MD_TOOBIG);
    assert_int_equal(b.n, 0);
    assert_int_equal(buf_put(&b, span_of(bytes, 64)), MD_OK);
    assert_int_equal(buf_reserve(&b, 1), MD_TOOBIG);
    assert_int_equal(buf_reserve(&b, 0), MD_OK);
    buf_free(&b);
}

/* A size that would wrap around is too big like any other. */
static void test_no_overflow(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(buf_put_str(&b, "abc"), MD_OK);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), MD_TOOBIG);
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 2), MD_TOOBIG);
    assert_true(span_is(buf_view(&b), "abc"));
    buf_free(&b);
}

/* F46: it grows into other memory, and ends empty. */
static void test_secret(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (unsigned i = 0; i < 100; i++) {
        const uint8_t *before = b.p;
        size_t cap = b.cap, n = b.n;
        assert_int_equal(buf_put_secret(&b, span_str("0123456789")), MD_OK);
        assert_int_equal(b.n, n + 10);
        assert_int_equal(b.p == before, b.cap == cap);
    }
    for (unsigned i = 0; i < 100; i++)
        assert_memory_equal(b.p + 10 * i, "0123456789", 10);
    buf_wipe(&b);
    assert_null(b.p);
    assert_int_equal(b.n, 0);
    buf_wipe(&b);
}

static void test_secret_ceiling_and_memory(void **state)
{
    (void)state;
    struct buf b;
    uint8_t bytes[65] = {0};
    buf_init(&b, 65);
    assert_int_equal(buf_put_secret(&b, span_of(bytes, 64)), MD_OK);
    assert_int_equal(buf_put_secret(&b, span_of(bytes, 2)), MD_TOOBIG);
    mem_fail_after(0);
    assert_int_equal(buf_put_secret(&b, span_of(bytes, 1)), MD_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(b.n, 64);
    assert_int_equal(buf_put_secret(&b, span_of(bytes, 1)), MD_OK);
    assert_int_equal(buf_put_secret(&b, span_of(bytes, 1)), MD_TOOBIG);
    assert_int_equal(b.n, 65);
    buf_wipe(&b);
}

static void test_consume(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_put_str(&b, "abcdef"), MD_OK);
    size_t cap = b.cap;
    buf_consume(&b, 0);
    buf_consume(&b, 2);
    assert_true(span_is(buf_view(&b), "cdef"));
    buf_consume(&b, 4);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.cap, cap);
    buf_free(&b);
}

static void test_putf_past_the_ceiling(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    assert_int_equal(buf_putf(&b, "%s", "too long a text"), MD_TOOBIG);
    assert_int_equal(b.n, 0);
    assert_int_equal(buf_putf(&b, "%s", "1234567"), MD_OK);
    assert_true(span_is(buf_view(&b), "1234567"));
    buf_free(&b);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct buf b;
    uint8_t bytes[200] = {0};
    buf_init(&b, 1000);
    assert_int_equal(buf_put_str(&b, "abc"), MD_OK);
    mem_fail_after(1);
    assert_int_equal(buf_put(&b, span_of(bytes, sizeof bytes)), MD_NOMEM);
    assert_int_equal(buf_putf(&b, "%0200d", 1), MD_NOMEM);
    mem_fail_after(-1);
    assert_true(span_is(buf_view(&b), "abc"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_ceiling_at_once),
        cmocka_unit_test(test_no_overflow),
        cmocka_unit_test(test_consume),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_secret_ceiling_and_memory),
        cmocka_unit_test(test_putf_past_the_ceiling),
        cmocka_unit_test(test_no_memory),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

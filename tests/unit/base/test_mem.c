/* The allocator: accounting, overflow, failure on demand. */
#include "broker/base/mem.h"
#include "tests/unit/no_leak.h"

#include <string.h>

/* Asked by AddressSanitizer, whose calloc would abort on an overflow instead of failing. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

static void test_accounting(void **state)
{
    (void)state;
    assert_int_equal(mem_used(), 0);
    void *a = mem_alloc(100);
    assert_non_null(a);
    assert_true(mem_used() >= 100);
    void *b = mem_alloc_raw(1000);
    assert_non_null(b);
    assert_true(mem_used() >= 1100);
    b = mem_realloc(b, 10000);
    assert_non_null(b);
    assert_true(mem_used() >= 10100);
    b = mem_realloc(b, 10);
    assert_non_null(b);
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
    assert_int_equal(mem_used(), 0);
}

static void test_zeroed(void **state)
{
    (void)state;
    static const char zero[512];
    for (int i = 0; i < 10; i++) { /* also when the memory was used before */
        char *p = mem_alloc(sizeof zero);
        assert_non_null(p);
        assert_memory_equal(p, zero, sizeof zero);
        memset(p, 0xa5, sizeof zero);
        mem_free(p);
    }
}

static void test_overflow(void **state)
{
    (void)state;
    volatile size_t half = SIZE_MAX / 2 + 1;
    assert_null(mem_calloc(half, 2));
    assert_null(mem_calloc(2, half));
    assert_int_equal(mem_used(), 0);
}

static void test_nothing_is_something(void **state)
{
    (void)state;
    void *a = mem_alloc(0), *b = mem_calloc(0, 8), *c = mem_dup(NULL, 0), *d = mem_realloc(NULL, 0);
    assert_true(a && b && c && d);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
}

static void test_dup(void **state)
{
    (void)state;
    char *a = mem_dup("a\0b", 3), *b = mem_strdup("text");
    assert_true(a && b);
    assert_memory_equal(a, "a\0b", 3);
    assert_string_equal(b, "text");
    mem_free(a);
    mem_free(b);
}

static void test_wipe(void **state)
{
    (void)state;
    char secret[8] = "secret";
    mem_wipe(secret, 6);
    assert_memory_equal(secret, "\0\0\0\0\0\0\0", 8);
}

static void test_fail_after(void **state)
{
    (void)state;
    mem_fail_after(3);
    void *a = mem_alloc(1), *b = mem_alloc_raw(1);
    assert_true(a && b);
    assert_null(mem_alloc(1));
    assert_null(mem_calloc(1, 1)); /* and all after it */
    assert_null(mem_dup("x", 1));
    assert_null(mem_strdup("x"));
    assert_null(mem_alloc_raw(1));
    assert_null(mem_realloc(a, 100)); /* a stays */
    mem_fail_after(-1);
    mem_free(a);
    mem_free(b);
    a = mem_alloc(1);
    assert_non_null(a);
    mem_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounting), cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_overflow),   cmocka_unit_test(test_nothing_is_something),
        cmocka_unit_test(test_dup),        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_fail_after), LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

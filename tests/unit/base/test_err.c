/* The error vocabulary: every code has a name, a text and its number for good. */
#include "broker/base/err.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <string.h>

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(md_err_name(MD_OK), "MD_OK");
    assert_string_equal(md_err_name(MD_PROTO), "MD_PROTO");
    assert_string_equal(md_err_name(MD_CORRUPT), "MD_CORRUPT");
    assert_string_equal(md_err_text(MD_PROTO), "the peer broke the protocol");
    assert_string_equal(md_err_name(1), "MD_UNKNOWN");
    assert_string_equal(md_err_name(-1000), "MD_UNKNOWN");
    assert_string_equal(md_err_text(-1000), "unknown error");
}

static void test_steps(void **state)
{
    (void)state;
    assert_string_equal(md_errno_step(ENOSPC), "; make room on that disk");
    assert_string_equal(md_errno_step(EDQUOT), md_errno_step(ENOSPC));
    assert_non_null(strstr(md_errno_step(EROFS), "read-write"));
    assert_non_null(strstr(md_errno_step(EACCES), "owner"));
    assert_null(strstr(md_errno_step(EIO), "owner"));
    assert_non_null(strstr(md_errno_step(EMFILE), "ulimit -n"));
    assert_string_equal(md_errno_step(EINTR), "");
}

static void test_all_differ(void **state)
{
    (void)state;
#define X(name, value, text) value,
    static const int codes[] = {MD_ERR_MAP(X)};
#undef X
    size_t n = sizeof codes / sizeof codes[0];
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(codes[i], -(int)i);
        assert_true(strlen(md_err_text(codes[i])) > 0);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(md_err_name(codes[i]), md_err_name(codes[k]));
            assert_string_not_equal(md_err_text(codes[i]), md_err_text(codes[k]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_all_differ),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "certs/dates.h"

#include "tests/fake/fake_env.h"
#include "tests/unit/cmocka.h"

static void assert_day(int64_t seconds, int64_t year, unsigned month, unsigned day)
{
    struct dates d = dates_from_unix(seconds);
    assert_int_equal(d.year, year);
    assert_int_equal(d.month, month);
    assert_int_equal(d.day, day);
}

static void known_days(void **state)
{
    (void)state;
    assert_day(0, 1970, 1, 1);
    assert_day(86399, 1970, 1, 1);
    assert_day(86400, 1970, 1, 2);
    assert_day(-1, 1969, 12, 31);
    assert_day(951782400, 2000, 2, 29);
    assert_day(1700000000, 2023, 11, 14);
    assert_day(INT32_MAX, 2038, 1, 19);
    assert_day((int64_t)INT32_MAX + 1, 2038, 1, 19);
    assert_day(4107542400, 2100, 3, 1); /* 2100 is no leap year */
    assert_day(253402300799, 9999, 12, 31);
}

static void every_day_of_two_centuries_comes_back(void **state)
{
    (void)state;
    for (int64_t day = -36525; day < 60000; day++) {
        struct dates d = dates_from_unix(day * DATES_DAY);
        assert_int_equal(dates_to_unix(d), day * DATES_DAY);
        assert_in_range(d.month, 1, 12);
        assert_in_range(d.day, 1, 31);
    }
}

static void a_clock_in_1970_counts_as_the_floor(void **state)
{
    (void)state;
    struct fake_env f;
    fake_env_init(&f);
    f.wall_ms = 0;
    assert_int_equal(dates_now(&f.env), 1767225600); /* 2026-01-01 */
    f.wall_ms = 1767225599 * INT64_C(1000);
    assert_int_equal(dates_now(&f.env), 1767225600);
    f.wall_ms = 4102444800 * INT64_C(1000); /* 2100: past every 32-bit clock */
    assert_int_equal(dates_now(&f.env), 4102444800);
}

static void years_are_added(void **state)
{
    (void)state;
    struct dates d = dates_add_years((struct dates){2028, 2, 29}, 20);
    assert_true(d.year == 2048 && d.month == 2 && d.day == 28);
    d = dates_add_years((struct dates){2026, 12, 31}, 20);
    assert_true(d.year == 2046 && d.month == 12 && d.day == 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days),
        cmocka_unit_test(every_day_of_two_centuries_comes_back),
        cmocka_unit_test(a_clock_in_1970_counts_as_the_floor),
        cmocka_unit_test(years_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

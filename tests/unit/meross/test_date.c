/* Calendar days in every year there is, and where they begin in zones. */
#include "tests/unit/cmocka.h"

#include "meross/time/date.h"

#include <string.h>
#include <time.h>

static void test_every_day(void **state)
{
    (void)state;
    for (int32_t day = 0; day <= DATE_MAX; day += day < 80000 ? 1 : 97) {
        char text[DATE_TEXT], want[16];
        int32_t back = -1, month = -1;
        time_t t = (time_t)day * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(strftime(want, sizeof want, "%Y-%m-%d", &tm), 10);
        date_text(day, text);
        assert_string_equal(text, want);
        assert_int_equal(date_parse(span_str(text), &back), MD_OK);
        assert_int_equal(back, day);
        want[7] = '\0';
        assert_int_equal(date_parse_month(span_str(want), &month), MD_OK);
        assert_int_equal(month, date_month(day));
        assert_int_equal(date_of_month(day), tm.tm_mday - 1);
    }
}

static void test_bad_dates(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "2026-11-2",  "2026-11-244", "2026-02-29",
                                      "2100-02-29", "2026-13-01", "2026-00-01",  "2026-01-00",
                                      "2026-04-31", "1969-12-31", "2026/11/24",  "2026-11 24",
                                      "+026-11-24", "2026-1a-24", "-026-11-24"};
    int32_t day = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(date_parse(span_str(bad[i]), &day), MD_INVAL);
    assert_int_equal(date_parse_month(span_str("2026-11-24"), &day), MD_INVAL);
    assert_int_equal(date_parse_month(span_str("2026-0x"), &day), MD_INVAL);
    assert_int_equal(day, 7);
    assert_int_equal(date_parse(span_str("2024-02-29"), &day), MD_OK);
    assert_int_equal(date_parse(span_str("2000-02-29"), &day), MD_OK);
}

static int32_t day_of(const char *text)
{
    int32_t day = -1;
    assert_int_equal(date_parse(span_str(text), &day), MD_OK);
    return day;
}

static void begins(const char *posix, const char *day, int64_t at, int hours)
{
    struct zone zone;
    assert_int_equal(zone_parse_posix(&zone, "X/Y", posix), MD_OK);
    int32_t d = day_of(day);
    assert_int_equal(date_begin(&zone, d), at);
    assert_int_equal(date_begin(&zone, d + 1) - at, hours * 3600);
    assert_int_equal(date_local(&zone, at), d);
    assert_int_equal(date_local(&zone, at - 1), d - 1);
}

/* [trap 34] A day has 23, 24 or 25 hours.  The instants are from the time zone database. */
static void test_days_of_zones(void **state)
{
    (void)state;
    static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
    begins(berlin, "2026-03-28", 1774652400, 24);
    begins(berlin, "2026-03-29", 1774738800, 23);
    begins(berlin, "2026-03-30", 1774821600, 24);
    begins(berlin, "2026-10-25", 1792879200, 25);
    begins(berlin, "2026-10-26", 1792969200, 24);
    begins("EST5EDT,M3.2.0,M11.1.0", "2026-11-01", 1793505600, 25);
    begins("IST-5:30", "2026-11-01", 1793471400, 24);
    /* Clocks that go forward at midnight: the day begins at one o'clock (Beirut). */
    begins("EET-2EEST,M3.5.0/0,M10.5.0/0", "2026-03-29", 1774735200, 23);
    assert_int_equal(date_begin(NULL, 20000), 20000 * 86400LL);
    assert_int_equal(date_local(NULL, 20000 * 86400LL - 1), 19999);
    assert_int_equal(date_local(NULL, -5), 0);
    assert_int_equal(date_local(NULL, INT64_MAX / 2), DATE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_bad_dates),
        cmocka_unit_test(test_days_of_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

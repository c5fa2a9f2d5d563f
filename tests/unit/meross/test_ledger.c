/* The account of a channel: what is booked, what is not, and that nothing is booked twice. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/energy/ledger_pages.h"

#include <string.h>

#define BERLIN   "CET-1CEST,M3.5.0,M10.5.0/3"
#define MIDNIGHT 1795561200 /* 2026-11-25 00:00 in Berlin */
#define DAY0     20782      /* 2026-11-25 */

static struct zone zone;
static struct ledger l;
static struct ledger_now now;

static int start(void **state)
{
    (void)state;
    assert_int_equal(zone_parse_posix(&zone, "Europe/Berlin", BERLIN), MD_OK);
    memset(&l, 0, sizeof l);
    now = (struct ledger_now){MIDNIGHT, 1000000, &zone};
    assert_int_equal(date_begin(&zone, DAY0), MIDNIGHT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ledger_clear(&l);
    assert_int_equal(mem_used(), 0);
    return 0;
}

static void at(int64_t s)
{
    now.mono_ms += (uint64_t)(s - now.s) * 1000;
    now.s = s;
}

/* The plug says so much of one day. */
static void count(int32_t day, uint32_t wh)
{
    struct ledger_day_count c[] = {{day, now.s, wh}};
    assert_int_equal(ledger_count_days(&l, &now, c, 1), MD_OK);
}

static uint32_t day(int32_t d)
{
    uint32_t wh;
    (void)ledger_day(&l, d, &wh);
    return wh;
}

static uint32_t hour(int64_t second)
{
    uint32_t wh;
    (void)ledger_hour(&l, ledger_slot(&zone, second), &wh);
    return wh;
}

/* A load for some time, read each minute. */
static void load(int32_t mw, int64_t seconds)
{
    for (int64_t until = now.s + seconds; now.s < until;) {
        assert_int_equal(ledger_power(&l, &now, mw, false), MD_OK);
        at(now.s + 60 < until ? now.s + 60 : until);
    }
    assert_int_equal(ledger_power(&l, &now, mw, false), MD_OK);
}

/* A list as plugs give it: in no order, with days that are no days. */
static void test_first_list(void **state)
{
    (void)state;
    struct ledger_day_count list[] = {{DAY0, MIDNIGHT + 60, 3},
                                      {DAY0 - 2, 0, 200},
                                      {DAY0 - 29, 0, 7},
                                      {DAY0 - 1, 0, 512},
                                      {0, 0, 99},
                                      {DAY0 + 2, 0, 50},
                                      {DAY0 - LEDGER_DAYS_MAX, 0, 9},
                                      {DAY0 - 3, 0, LEDGER_WH_MAX + 1}};
    at(MIDNIGHT + 300);
    assert_int_equal(ledger_count_days(&l, &now, list, 8), MD_OK);
    assert_int_equal(l.total, 3 + 200 + 7 + 512);
    assert_int_equal(day(DAY0 - 1), 512);
    assert_int_equal(day(DAY0 - 29), 7);
    assert_int_equal(ledger_month_wh(&l, date_month(DAY0)), 3 + 200 + 512);
    uint32_t wh;
    assert_false(ledger_day(&l, DAY0 - 3, &wh));
    assert_false(ledger_hour(&l, ledger_slot(&zone, MIDNIGHT), &wh)); /* nobody knows when */
    assert_int_equal(ledger_count_days(&l, &now, list, 8), MD_OK);
    assert_int_equal(l.total, 722);
    /* The day of a plug that is ahead of us. */
    count(DAY0 + 1, 2);
    assert_int_equal(l.total, 724);
}

/* What was used while nobody listened is filled in, by day and by hour. */
static void test_gap(void **state)
{
    (void)state;
    at(MIDNIGHT - 4 * 3600);
    count(DAY0 - 1, 100);
    at(MIDNIGHT + 86400 + 2 * 3600);
    struct ledger_day_count list[] = {{DAY0 + 1, 0, 20}, {DAY0 - 1, 0, 140}, {DAY0, 0, 480}};
    assert_int_equal(ledger_count_days(&l, &now, list, 3), MD_OK);
    assert_int_equal(l.total, 640);
    for (int h = -4; h < 0; h++)
        assert_int_equal(hour(MIDNIGHT + h * 3600), 10);
    for (int h = 0; h < 26; h++)
        assert_int_equal(hour(MIDNIGHT + h * 3600), h < 24 ? 20 : 10);
}

/* [trap 34] Days of 23 and 25 hours: each hour is one, also the one that comes twice. */
static void test_dst_days(void **state)
{
    (void)state;
    static const struct {
        int32_t day;
        int64_t begin;
        unsigned hours;
    } days[] = {{20541, 1774738800, 23}, {20751, 1792879200, 25}};
    for (size_t i = 0; i < 2; i++) {
        int64_t begin = days[i].begin;
        assert_int_equal(date_begin(&zone, days[i].day), begin);
        at(begin - 60);
        count(days[i].day - 1, 10);
        int64_t before = l.total;
        at(begin + days[i].hours * 3600 + 60);
        struct ledger_day_count list[] = {{days[i].day, 0, 1000}, {days[i].day + 1, 0, 1}};
        assert_int_equal(ledger_count_days(&l, &now, list, 2), MD_OK);
        uint32_t sum = 0;
        for (unsigned h = 0; h < days[i].hours; h++) {
            assert_true(hour(begin + h * 3600) >= 1000 / days[i].hours);
            sum += hour(begin + h * 3600);
        }
        assert_int_equal(sum, 1000);
        assert_int_equal(day(days[i].day), 1000);
        assert_int_equal(l.total - before, 1001);
    }
}

/* Hours get what power says of them, and add up to the day. */
static void test_hours_by_power(void **state)
{
    (void)state;
    at(MIDNIGHT + 3600 * 9 + 1800);
    count(DAY0, 50);
    load(0, 1740);
    load(2000000, 660); /* 2 kW; the first minute is half */
    count(DAY0, 50 + 367);
    assert_int_equal(hour(MIDNIGHT + 9 * 3600) + hour(MIDNIGHT + 10 * 3600), 367);
    assert_in_range(hour(MIDNIGHT + 10 * 3600), 330, 336);
}

/* [trap 34] The new day begins with yesterday's value until the plug notices. */
static void test_stale_midnight(void **state)
{
    (void)state;
    at(MIDNIGHT - 600);
    count(DAY0 - 1, 512);
    load(600000, 615); /* 600 W */
    struct ledger_day_count list[] = {{DAY0, MIDNIGHT + 10, 612}, {DAY0 - 1, 0, 612}};
    assert_int_equal(ledger_count_days(&l, &now, list, 2), MD_OK);
    assert_int_equal(day(DAY0), 0);
    assert_int_equal(l.total, 612);
    load(600000, 585);
    count(DAY0, 100);
    assert_int_equal(day(DAY0), 100);
    assert_int_equal(l.total, 712);
    assert_false(l.carries);
}

/* The same without anything known of the power. */
static void test_stale_unseen(void **state)
{
    (void)state;
    at(MIDNIGHT - 3000);
    count(DAY0 - 1, 512);
    at(MIDNIGHT + 3599);
    struct ledger_day_count list[] = {{DAY0, now.s, 512}, {DAY0 - 1, 0, 512}};
    assert_int_equal(ledger_count_days(&l, &now, list, 2), MD_OK);
    assert_int_equal(l.total, 512);
    count(DAY0, 20);
    assert_int_equal(l.total, 532);
    /* A day later and an hour after midnight it is believed: a fridge does that. */
    at(MIDNIGHT + 86400 - 60);
    count(DAY0, 900);
    at(MIDNIGHT + 86400 + 3600);
    count(DAY0 + 1, 900);
    assert_int_equal(l.total, 512 + 900 + 900);
}

/* [trap 34] A counter that goes on over midnight, night after night. */
static void test_never_resets(void **state)
{
    (void)state;
    uint32_t counter = 300;
    at(MIDNIGHT - 3600);
    count(DAY0 - 1, counter);
    for (int32_t d = 0; d < 4; d++) {
        load(1200000, 3660); /* to a minute past midnight */
        counter += 1220;
        struct ledger_day_count list[] = {{DAY0 + d, now.s, counter},
                                          {DAY0 + d - 1, 0, counter - 20}};
        assert_int_equal(ledger_count_days(&l, &now, list, 2), MD_OK);
        load(1200000, 86400 - 3660);
        counter += 86400 / 3 - 1220;
        count(DAY0 + d, counter);
        assert_int_equal(l.total, counter);
    }
    assert_int_equal(l.total, counter);
    assert_true(l.carries);
    assert_int_equal(day(DAY0 + 1), 24 * 1200);
    /* One night it does reset: then it is believed again. */
    load(1200000, 4000);
    count(DAY0 + 4, 133);
    assert_int_equal(day(DAY0 + 4), 133);
    assert_false(l.carries);
}

/* A counter that falls within a day. */
static void test_cleared(void **state)
{
    (void)state;
    at(MIDNIGHT + 36000);
    count(DAY0, 1000);
    /* By power: what flowed, or what the counter says when that is a little more. */
    load(600000, 600);
    count(DAY0, 70);
    assert_int_equal(day(DAY0), 1100);
    load(600000, 600);
    count(DAY0, 69); /* again */
    assert_int_equal(day(DAY0), 1200);
    load(600000, 600);
    count(DAY0, 169);
    assert_int_equal(day(DAY0), 1300);
    /* Nothing known, cleared. */
    at(now.s + 3600);
    count(DAY0, 84);
    assert_int_equal(day(DAY0), 1384);
    /* Nothing known, set back. */
    at(now.s + 3600);
    count(DAY0, 43);
    assert_int_equal(day(DAY0), 1384);
    count(DAY0, 50);
    assert_int_equal(day(DAY0), 1391);
    assert_int_equal(l.total, 1391);
    /* More than can flow in ten seconds. */
    count(DAY0, 5000);
    at(now.s + 10);
    count(DAY0, 13);
    assert_int_equal(l.total, 1391 + 4950);
}

/* What is shown between counts never falls, and is overtaken by the account. */
static void test_shown(void **state)
{
    (void)state;
    at(MIDNIGHT + 36000);
    count(DAY0, 1000);
    assert_int_equal(ledger_shown(&l), 1000);
    load(600000, 600);
    assert_int_equal(ledger_shown(&l), 1100);
    assert_int_equal(ledger_today(&l, &now), 1100);
    count(DAY0, 1090);
    assert_int_equal(ledger_shown(&l), 1100);
    assert_int_equal(l.total, 1090);
    load(600000, 300);
    assert_int_equal(ledger_shown(&l), 1140);
    count(DAY0, 1150);
    assert_int_equal(ledger_shown(&l), 1150);
    assert_int_equal(ledger_today(&l, &now), 1150);
    at(MIDNIGHT + 86400);
    assert_int_equal(ledger_today(&l, &now), 0);
}

/* A channel without a counter: power is the account. */
static void test_account_by_power(void **state)
{
    (void)state;
    at(MIDNIGHT + 36000 - 1800);
    for (int i = 0; i <= 60; i++, at(now.s + 60))
        assert_int_equal(ledger_power(&l, &now, i % 2 ? 0 : 30000, true), MD_OK);
    assert_int_equal(l.total, 15);
    assert_int_equal(day(DAY0), 15);
    assert_in_range(hour(MIDNIGHT + 9 * 3600), 7, 8);
    /* What flows back is not taken off, and nothing is known of a long pause. */
    assert_int_equal(ledger_power(&l, &now, -2000000, true), MD_OK);
    int64_t before = l.total;
    at(now.s + 60);
    assert_int_equal(ledger_power(&l, &now, -2000000, true), MD_OK);
    assert_int_equal(l.total, before);
    at(now.s + LEDGER_GAP_S + 1);
    assert_int_equal(ledger_power(&l, &now, 3000000, true), MD_OK);
    assert_int_equal(l.total, before);
    at(now.s + LEDGER_GAP_S);
    assert_int_equal(ledger_power(&l, &now, 3000000, true), MD_OK);
    assert_int_equal(l.total, before + 250);
}

static void count_hours(int64_t end_of, uint32_t wh, bool account)
{
    struct ledger_hour_count c[] = {{end_of, wh}};
    assert_int_equal(ledger_count_hours(&l, &now, c, 1, account), MD_OK);
}

/* The plug's own hours, beside its days and as the account. */
static void test_own_hours(void **state)
{
    (void)state;
    at(MIDNIGHT + 8 * 3600);
    count(DAY0, 10);
    at(MIDNIGHT + 10 * 3600);
    count(DAY0, 30);
    assert_int_equal(hour(MIDNIGHT + 8 * 3600), 10);
    count_hours(MIDNIGHT + 9 * 3600 - 60, 4, false);
    count_hours(MIDNIGHT + 10 * 3600, 16, false);
    assert_int_equal(hour(MIDNIGHT + 8 * 3600), 4);
    assert_int_equal(hour(MIDNIGHT + 9 * 3600), 16);
    assert_int_equal(l.total, 30);
    count_hours(now.s + 300, 5, false);
    at(now.s + 300);
    count(DAY0, 40); /* the plug says itself what belongs there */
    assert_int_equal(hour(MIDNIGHT + 10 * 3600), 5);
    assert_int_equal(l.total, 40);
}

static void test_hours_as_account(void **state)
{
    (void)state;
    at(MIDNIGHT + 1800);
    struct ledger_hour_count list[] = {
        {MIDNIGHT + 1740, 3}, {MIDNIGHT - 60, 7}, {MIDNIGHT - 3660, 8}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(ledger_count_hours(&l, &now, list, 3, true), MD_OK);
    assert_int_equal(l.total, 18);
    assert_int_equal(day(DAY0), 3);
    assert_int_equal(day(DAY0 - 1), 15);
    at(now.s + 600);
    count_hours(now.s - 60, 9, true);
    assert_int_equal(l.total, 24);
    load(60000, 600);
    count_hours(now.s - 60, 2, true); /* cleared */
    assert_int_equal(l.total, 34);
    assert_int_equal(hour(MIDNIGHT), 19);
    count_hours(now.s - 60, 5, true);
    assert_int_equal(l.total, 37);
    /* An hour of half an hour's offset. */
    assert_int_equal(zone_parse_posix(&zone, "Asia/Kolkata", "IST-5:30"), MD_OK);
    int64_t slot = ledger_slot(&zone, 1795561200);
    assert_int_equal(ledger_slot_begin(&zone, slot) % 3600, 1800);
    assert_int_equal(ledger_slot(&zone, ledger_slot_begin(&zone, slot)), slot);
    assert_int_equal(ledger_slot(&zone, ledger_slot_begin(&zone, slot) - 1), slot - 1);
}

/* A record that was lost is filled in again, but the total has it already. */
static void test_lost_days(void **state)
{
    (void)state;
    struct ledger_day_count list[] = {{DAY0 - 1, 0, 512}, {DAY0, 0, 40}};
    at(MIDNIGHT + 7200);
    assert_int_equal(ledger_count_days(&l, &now, list, 2), MD_OK);
    ledger_pages_drop_after(&l, LEDGER_DAYS, 0);
    list[0] = (struct ledger_day_count){DAY0, 0, 55};
    list[1] = (struct ledger_day_count){DAY0 - 1, 0, 512};
    assert_int_equal(ledger_count_days(&l, &now, list, 2), MD_OK);
    assert_int_equal(l.total, 567);
    assert_int_equal(day(DAY0), 55);
    assert_int_equal(day(DAY0 - 1), 512);
}

/* A router without a battery starts with the time of its last image, until NTP comes: what was
 * counted since then is no less true. */
static void test_clock_behind(void **state)
{
    (void)state;
    struct ledger_day_count list[] = {{DAY0 - 2, 0, 300}, {DAY0 - 1, 0, 512}, {DAY0, 0, 40}};
    struct ledger_hour_count hours[] = {{MIDNIGHT + 3540, 7}};
    at(MIDNIGHT + 7200);
    assert_int_equal(ledger_count_days(&l, &now, list, 3), MD_OK);
    assert_int_equal(ledger_count_hours(&l, &now, hours, 1, false), MD_OK);
    assert_int_equal(l.total, 852);
    now.s -= 60 * 86400;
    for (unsigned i = 0; i < 3; i++) {
        at(now.s + 600);
        list[2].wh = 45 + i;
        assert_int_equal(ledger_count_days(&l, &now, list, 3), MD_OK);
        assert_int_equal(ledger_count_hours(&l, &now, hours, 1, false), MD_OK);
        assert_int_equal(ledger_power(&l, &now, 3600000, false), MD_OK);
        assert_int_equal(l.total, 852);
    }
    now.s += 60 * 86400;
    list[2].wh = 50;
    assert_int_equal(ledger_count_days(&l, &now, list, 3), MD_OK);
    assert_int_equal(l.total, 862);
    assert_int_equal(day(DAY0 - 2), 300);
    assert_int_equal(day(DAY0 - 1), 512);
    assert_int_equal(day(DAY0), 50);
    assert_int_equal(hour(MIDNIGHT), 7);
}

/* The same where power is the account: it is booked when the day is known again. */
static void test_power_clock_behind(void **state)
{
    (void)state;
    for (int64_t until = MIDNIGHT + 3600; now.s < until; at(now.s + 60))
        assert_int_equal(ledger_power(&l, &now, 1000000, true), MD_OK);
    int64_t before = l.total;
    assert_true(before > 950);
    now.s -= 60 * 86400;
    for (unsigned i = 0; i < 60; i++, at(now.s + 60))
        assert_int_equal(ledger_power(&l, &now, 1000000, true), MD_OK);
    assert_int_equal(l.total, before);
    assert_int_equal(day(DAY0), before);
    now.s += 60 * 86400;
    assert_int_equal(ledger_power(&l, &now, 1000000, true), MD_OK);
    assert_int_equal(l.total, 2000);
    assert_int_equal(day(DAY0), 2000);
}

/* Years go by: what is too old makes room, a clock that was in the future does not stay in the
 * way. */
static void test_bounds(void **state)
{
    (void)state;
    int32_t d = DAY0;
    for (; d < DAY0 + 900; d++) {
        at(date_begin(&zone, d) + 7200);
        count(d, 10);
        at(date_begin(&zone, d) + 10800);
        count(d, 30);
    }
    assert_int_equal(l.total, 900 * 30);
    uint32_t wh;
    assert_true(ledger_day(&l, d - LEDGER_DAYS_MAX, &wh));
    assert_false(ledger_day(&l, d - 31 * LEDGER_MONTHS - 1, &wh));
    assert_true(ledger_hour(&l, ledger_slot(&zone, now.s - LEDGER_HOURS_MAX * 3600LL), &wh));
    assert_false(ledger_hour(&l, ledger_slot(&zone, now.s - (LEDGER_SPANS + 1) * 86400LL), &wh));
    assert_true(mem_used() < 3 * 1024);
    assert_false(ledger_hour(&l, -1, &wh));
    assert_int_equal(wh, 0);
    now.s = MIDNIGHT; /* it was all a dream, unless this is one */
    count(DAY0, 25);
    assert_int_equal(l.total, 900 * 30);
    at(MIDNIGHT + LEDGER_AHEAD_S - 1);
    count(DAY0, 25);
    assert_int_equal(l.total, 900 * 30);
    at(MIDNIGHT + LEDGER_AHEAD_S);
    count(DAY0, 25);
    assert_int_equal(day(DAY0), 25);
    assert_int_equal(l.total, 900 * 30 + 25);
}

/* Whichever allocation fails: the next count puts right what is missing, and nothing twice. */
static void test_no_memory(void **state)
{
    (void)state;
    int failed = 0;
    for (long n = 1; n <= 6; n++) {
        ledger_clear(&l);
        now = (struct ledger_now){MIDNIGHT + 7200, 1000000, &zone};
        for (int again = 0; again < 2; again++) {
            struct ledger_hour_count h[] = {{MIDNIGHT + 3600, 14}, {MIDNIGHT + 7200, 5}};
            (void)mem_fail_after(again ? -1 : n);
            int err = ledger_count_hours(&l, &now, h, 2, true);
            (void)mem_fail_after(-1);
            assert_true(err == MD_OK || (err == MD_NOMEM && !again));
            failed += err == MD_NOMEM;
            assert_int_equal(l.total, day(DAY0));
        }
        assert_int_equal(l.total, 19);
        assert_int_equal(hour(MIDNIGHT), 14);
        assert_int_equal(hour(MIDNIGHT + 3600), 5);
    }
    assert_true(failed >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_list, start, end),
        cmocka_unit_test_setup_teardown(test_no_memory, start, end),
        cmocka_unit_test_setup_teardown(test_gap, start, end),
        cmocka_unit_test_setup_teardown(test_dst_days, start, end),
        cmocka_unit_test_setup_teardown(test_hours_by_power, start, end),
        cmocka_unit_test_setup_teardown(test_stale_midnight, start, end),
        cmocka_unit_test_setup_teardown(test_stale_unseen, start, end),
        cmocka_unit_test_setup_teardown(test_never_resets, start, end),
        cmocka_unit_test_setup_teardown(test_cleared, start, end),
        cmocka_unit_test_setup_teardown(test_shown, start, end),
        cmocka_unit_test_setup_teardown(test_account_by_power, start, end),
        cmocka_unit_test_setup_teardown(test_own_hours, start, end),
        cmocka_unit_test_setup_teardown(test_hours_as_account, start, end),
        cmocka_unit_test_setup_teardown(test_lost_days, start, end),
        cmocka_unit_test_setup_teardown(test_bounds, start, end),
        cmocka_unit_test_setup_teardown(test_clock_behind, start, end),
        cmocka_unit_test_setup_teardown(test_power_clock_behind, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

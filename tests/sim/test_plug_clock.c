/* What the simulated device does by its own clock: timers, triggers, its meter (sheet 5.4, 5.12). */
#include "tests/sim/plug_family.h"

#define TIMERX "Appliance.Control.TimerX"
#define DAYS   "Appliance.Control.ConsumptionX"
#define HOURS  "Appliance.Control.ConsumptionH"
#define HOUR   (60 * MINUTE)

#define TIMER(id, week, type, minute, on)                                                          \
    "{\"timerx\":{\"id\":\"" id "\",\"alias\":\"x\",\"type\":" type ",\"enable\":1,\"channel\":0," \
    "\"createTime\":1,\"week\":" week ",\"time\":" minute ",\"sunOffset\":0,\"duration\":0,"       \
    "\"extend\":{\"toggle\":{\"onoff\":" on ",\"lmTime\":0}}}}"

/* The bench begins on Tuesday, 14 November 2023, 23:13:20 in Berlin. */
static void test_timers_run_inside_the_plug(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    set_zone(b);
    (void)ask(b, "SET", TIMERX, TIMER("n1jxtruoknvotm8a", "132", "1", "1400", "1"), "SETACK");
    (void)ask(b, "SET", TIMERX, TIMER("n1jxtruoknvotm8b", "136", "1", "5", "0"), "SETACK");
    (void)ask(b, "SET", TIMERX, TIMER("n1jxtruoknvotm8b", "136", "1", "6", "0"), "SETACK");
    holds(ask(b, "GET", "Appliance.Digest.TimerX", "{}", "GETACK"),
          "{\"digest\":[{\"channel\":0,\"id\":\"n1jxtruoknvotm8a\",\"count\":1},{\"channel\":0,"
          "\"id\":"
          "\"n1jxtruoknvotm8b\",\"count\":2}]}");
    holds(ask(b, "GET", TIMERX, "{\"timerx\":{\"id\":\"n1jxtruoknvotm8a\"}}", "GETACK"),
          "\"week\":132,\"time\":1400");
    bench_run(b, 7 * MINUTE);
    assert_true(simplug_status(b->plug)->relay[0]); /* 23:20 on a Tuesday */
    bench_cut(b);                                   /* with or without a broker */
    bench_run(b, 46 * MINUTE);
    assert_false(simplug_status(b->plug)->relay[0]); /* 0:06 on a Wednesday */
    bench_run(b, 24 * HOUR);
    assert_false(simplug_status(b->plug)->relay[0]);
    (void)ask(b, "DELETE", TIMERX, "{\"timerx\":{\"id\":\"n1jxtruoknvotm8a\"}}", "DELETEACK");
    holds(ask(b, "GET", TIMERX, "{\"timerx\":{\"id\":\"n1jxtruoknvotm8a\"}}", "GETACK"),
          "{\"digest\":{},\"timerx\":{}}");
    assert_clean(b);
    (void)ask(b, "SET", TIMERX, TIMER("short", "132", "1", "1400", "1"), "ERROR");
    assert_violation(b, "16 characters");
    (void)ask(b, "SET", TIMERX, TIMER("n1jxtruoknvotm8a", "132", "1", "1440", "1"), "ERROR");
    assert_violation(b, "no type, week or time");
    bench_free(b);
}

static void test_the_weekday_bits_may_begin_with_monday(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss310");
    o.week_from_monday = true;
    struct bench *b = bound_with(&o);
    set_zone(b);
    (void)ask(b, "SET", TIMERX, TIMER("n1jxtruoknvotm8a", "130", "2", "1400", "1"), "SETACK");
    bench_run(b, 7 * MINUTE);
    assert_true(simplug_status(b->plug)->relay[0]);
    holds(ask(b, "GET", TIMERX, "{\"timerx\":{\"id\":\"n1jxtruoknvotm8a\"}}", "GETACK"),
          "\"enable\":0"); /* once */
    bench_free(b);
}

static void test_a_trigger_switches_off_after_a_while(void **state)
{
    (void)state;
    struct bench *b = bound("mss310");
    (void)ask(b, "SET", "Appliance.Control.TriggerX",
              "{\"triggerx\":{\"id\":\"n1jxtruoknvotm8c\",\"type\":0,\"enable\":1,\"channel\":0,"
              "\"alias\":"
              "\"auto off\",\"createTime\":1,\"rule\":{\"week\":255,\"duration\":900}}}",
              "SETACK");
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK");
    bench_run(b, 14 * MINUTE);
    assert_true(simplug_status(b->plug)->relay[0]);
    bench_run(b, MINUTE);
    assert_false(simplug_status(b->plug)->relay[0]);
    holds(pushed(b, TOGGLEX, 1), "\"onoff\":0");
    assert_clean(b);
    bench_free(b);
}

/* One kilowatt, from 23:13:23 on: what each day and hour has. */
static void test_the_meter_counts_local_days_and_hours(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss305-8.3.15");
    struct bench *b = bound_with(&o);
    set_zone(b);
    simplug_set_load(b->plug, 0, 1000000, b->now);
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK");
    bench_run(b, 26 * HOUR);
    const char *days = ask(b, "GET", DAYS, "{\"consumptionx\":[]}", "GETACK");
    holds(days, "{\"date\":\"2023-11-16\",\"time\":1700093604,\"value\":1223}");
    holds(days, "{\"date\":\"2023-11-15\",\"time\":1700089199,\"value\":24000}");
    holds(days, "{\"date\":\"2023-11-14\",\"time\":1700002799,\"value\":776}");
    const char *hours = ask(b, "GET", HOURS, "{\"consumptionH\":[{\"channel\":0}]}", "GETACK");
    holds(hours, "{\"consumptionH\":[{\"channel\":0,\"total\":23223,\"data\":[");
    holds(hours, "{\"timestamp\":1700089140,\"value\":1000},");
    assert_in_range(simplug_true_wh(b->plug, 0, b->now), 26000, 26001);
    bench_free(b);
}

/* The day of 31 March 2024 has 23 hours in Berlin; some plugs begin a day with the value
 * of the one before. */
static void test_short_days_and_stale_ones(void **state)
{
    (void)state;
    struct simplug_options o = preset("mss210p-7.3.3");
    struct bench *b = open_bench(&o);
    b->ack_bind = b->answer_clock = b->answer_config = true;
    simplug_set_wall(b->plug, 1711756800000 - (int64_t)b->now); /* 30 March, 1:00 in Berlin */
    b->opt.wall_offset_ms = 1711756800000 - (int64_t)b->now;
    bench_run(b, 3000);
    set_zone(b);
    simplug_set_load(b->plug, 0, 1000000, b->now);
    (void)ask(b, "SET", TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "SETACK");
    bench_run(b, 23 * HOUR);
    holds(ask(b, "GET", DAYS, "{}", "GETACK"),
          "[{\"date\":\"2024-03-31\",\"time\":1711839604,\"value\":22999}");
    bench_run(b, 5 * MINUTE);
    holds(ask(b, "GET", DAYS, "{}", "GETACK"), "\"value\":84}");
    bench_run(b, 24 * HOUR);
    holds(ask(b, "GET", DAYS, "{}", "GETACK"),
          "{\"date\":\"2024-03-31\",\"time\":1711922399,\"value\":23000}");
    bench_free(b);
}

static void test_six_meters_tell_by_themselves(void **state)
{
    (void)state;
    const char *ns = "Appliance.Control.ElectricityX";
    struct bench *b = bound("em06-2.3.8");
    set_zone(b);
    bench_run(b, 30000);
    holds(pushed(b, ns, 0),
          "{\"channel\":1,\"current\":7411,\"voltage\":233100,\"power\":1500000,\"mConsume\":11,");
    holds(pushed(b, ns, 0), "\"power\":-800000,\"mConsume\":-");
    bench_forget(b);
    bench_ask(b, "PUSH", ns, NULL, "{\"electricity\":[{\"channel\":3}]}");
    bench_run(b, 500);
    holds(pushed(b, ns, 0), "\"channel\":6");
    holds(ask(b, "GET", ns, "{\"electricity\":[{\"channel\":3}]}", "GETACK"),
          "{\"electricity\":[{\"channel\":3,");
    (void)ask(b, "GET", ns, "{\"electricity\":[{\"channel\":7}]}", "ERROR");
    assert_violation(b, "channel 7");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_timers_run_inside_the_plug),
        TEST(test_the_weekday_bits_may_begin_with_monday),
        TEST(test_a_trigger_switches_off_after_a_while),
        TEST(test_the_meter_counts_local_days_and_hours),
        TEST(test_short_days_and_stale_ones),
        TEST(test_six_meters_tell_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

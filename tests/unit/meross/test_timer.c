/* Timers that live in the plug (sheet 5.12). */
#include "broker/base/mem.h"
#include "meross/wire/timer.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

static struct json json;

static bool read_text(struct timer *t, const char *text, bool is_trigger, enum timer_first first)
{
    assert_int_equal(json_parse(&json, span_str(text)), MD_OK);
    bool ok = timer_read(t, json_root(&json), is_trigger, first);
    json_free(&json);
    return ok;
}

#define SHEET                                                                                      \
    "{\"id\":\"n1jxtruoknvotm8a\",\"alias\":\"evening\",\"type\":1,\"enable\":1,\"channel\":0,"    \
    "\"createTime\":1700000000,\"week\":255,\"time\":1260,\"sunOffset\":0,\"duration\":0,"         \
    "\"extend\":{\"toggle\":{\"onoff\":1,\"lmTime\":0}}}"

static void the_timer_of_the_sheet(void **state)
{
    struct timer t;
    (void)state;
    assert_true(read_text(&t, SHEET, false, TIMER_FROM_SUNDAY));
    assert_string_equal(t.id, "n1jxtruoknvotm8a");
    assert_string_equal(t.name, "evening");
    assert_int_equal(t.minute, 21 * 60);
    assert_int_equal(t.days, TIMER_EVERY_DAY);
    assert_true(t.enabled && !t.once && t.on == 1 && !t.is_trigger);
    assert_false(read_text(&t, "{}", false, TIMER_FROM_SUNDAY));
    assert_false(read_text(&t, "{\"id\":\"\"}", false, TIMER_FROM_SUNDAY));
    assert_false(read_text(&t, "[]", true, TIMER_FROM_SUNDAY));
    assert_true(read_text(&t,
                          "{\"id\":\"x\",\"type\":0,\"enable\":1,\"channel\":3,\"alias\":\"auto "
                          "off\",\"rule\":{\"week\":255,\"duration\":900}}",
                          true, TIMER_FROM_MONDAY));
    assert_true(t.is_trigger && t.on == 0 && t.after_s == 900 && t.channel == 3);
}

/* Whatever a plug says, the numbers stay in their ranges; texts may be numbers, and the reverse. */
static void odd_numbers(void **state)
{
    struct timer t;
    (void)state;
    assert_true(
        read_text(&t,
                  "{\"id\":7,\"channel\":\"900\",\"time\":1440,\"week\":-1,\"enable\":\"1\","
                  "\"sunOffset\":99999,\"type\":\"2\",\"extend\":{\"Toggle\":{\"onoff\":2}}}",
                  false, TIMER_FROM_MONDAY));
    assert_string_equal(t.id, "7");
    assert_int_equal(t.channel, 0);
    assert_int_equal(t.minute, 0);
    assert_int_equal(t.sun_offset, 0);
    assert_int_equal(t.on, -1);
    assert_true(t.enabled && t.once);
}

/* Each day stands on its own bit, by both countings; all seven are the same either way. */
static void days_by_both_countings(void **state)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    struct timer t = {.id = "a", .enabled = true, .on = 1}, back;
    struct json_writer w;
    struct buf b;
    (void)state;
    for (unsigned first = TIMER_FROM_SUNDAY; first <= TIMER_FROM_MONDAY; first++) {
        for (unsigned day = 0; day < 7; day++) {
            char text[TIMER_DAYS_TEXT], want[40];
            assert_true(timer_read_days(names[day], &t.days));
            assert_int_equal(t.days, 1u << day);
            timer_days_text(t.days, text);
            assert_string_equal(text, names[day]);
            buf_init(&b, 1024);
            json_write_start(&w, &b);
            timer_write(&w, &t, (enum timer_first)first, 5);
            assert_int_equal(buf_put(&b, span_of("", 1)), MD_OK);
            unsigned bit = first == TIMER_FROM_MONDAY ? day : (day + 1) % 7;
            (void)snprintf(want, sizeof want, "\"week\":%u,", 128u | 1u << bit);
            assert_non_null(strstr((const char *)buf_view(&b).p, want));
            assert_true(
                read_text(&back, (const char *)buf_view(&b).p, false, (enum timer_first)first));
            assert_true(timer_same(&t, &back));
            buf_free(&b);
        }
    }
    assert_true(read_text(&t, SHEET, false, TIMER_FROM_SUNDAY));
    assert_true(read_text(&back, SHEET, false, TIMER_FROM_MONDAY));
    assert_true(timer_same(&t, &back));
}

static void days_in_words(void **state)
{
    static const struct {
        const char *text;
        unsigned days;
    } cases[] = {{"daily", 127},     {"Weekdays", 31},
                 {"weekend", 96},    {"mon,wed,sun", 69},
                 {"MONDAY,tues", 3}, {"sun,mon,tue,wed,thu,fri,sat", 127},
                 {"mon,mon", 1},     {"sat,sun", 96},
                 {"mo", 0},          {"", 0},
                 {"mon,", 0},        {",mon", 0},
                 {"mon,,tue", 0},    {"mon tue", 0},
                 {"moonday", 0},     {"mondays", 0},
                 {"daily,mon", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned days = 0;
        assert_int_equal(timer_read_days(cases[i].text, &days), cases[i].days != 0);
        assert_int_equal(days, cases[i].days);
    }
}

static void times_and_spans(void **state)
{
    static const char *const wrong[] = {"",      "24:00", "7:60",  "7:5", "7",    ":30",   "007:30",
                                        "7:30a", " 7:30", "-7:30", "730", "7.30", "sunset"};
    static const char *const no_span[] = {"",    "0",    "59s",    "1441",   "25h", "m",
                                          "15x", "1h30", "86401s", "999999", "-5"};
    unsigned n;
    (void)state;
    assert_true(timer_read_time("00:00", &n) && n == 0);
    assert_true(timer_read_time("7:05", &n) && n == 425);
    assert_true(timer_read_time("23:59", &n) && n == 1439);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (timer_read_time(wrong[i], &n))
            fail_msg("\"%s\" is a time", wrong[i]);
    assert_true(timer_read_after("1", &n) && n == 60);
    assert_true(timer_read_after("60s", &n) && n == 60);
    assert_true(timer_read_after("15m", &n) && n == 900);
    assert_true(timer_read_after("24h", &n) && n == 86400);
    assert_true(timer_read_after("1440", &n) && n == 86400);
    assert_true(timer_read_after("OFF", &n) && n == 0);
    for (size_t i = 0; i < sizeof no_span / sizeof no_span[0]; i++)
        if (timer_read_after(no_span[i], &n))
            fail_msg("\"%s\" is a span", no_span[i]);
}

/* What we do not know of a timer stays when it is switched on or off. */
static void another_enable(void **state)
{
    struct json_writer w;
    struct buf b;
    (void)state;
    assert_int_equal(
        json_parse(&json, span_str("{\"enable\":1,\"id\":\"a\",\"odd\":[1,{\"x\":null}],"
                                   "\"name\":\"\\u00e4\"}")),
        MD_OK);
    buf_init(&b, 1024);
    json_write_start(&w, &b);
    timer_write_enabled(&w, json_root(&json), false);
    assert_true(span_is(buf_view(&b), "{\"id\":\"a\",\"odd\":[1,{\"x\":null}],\"name\":\"\\u00e4\","
                                      "\"enable\":0}"));
    buf_free(&b);
    json_free(&json);
}

/* A timer that comes once has no bit 7. */
static void once(void **state)
{
    struct timer t = {.id = "a", .days = TIMER_EVERY_DAY, .once = true, .enabled = true};
    struct json_writer w;
    struct buf b;
    (void)state;
    buf_init(&b, 1024);
    json_write_start(&w, &b);
    timer_write(&w, &t, TIMER_FROM_SUNDAY, 1700000000);
    assert_true(span_is(buf_view(&b),
                        "{\"id\":\"a\",\"alias\":\"\",\"enable\":1,\"channel\":0,\"createTime\":"
                        "1700000000,\"type\":2,\"week\":127,\"time\":0,\"sunOffset\":0,"
                        "\"duration\":0,\"extend\":{\"toggle\":{\"onoff\":0,\"lmTime\":0}}}"));
    buf_free(&b);
    assert_int_equal(mem_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_timer_of_the_sheet),
                                       cmocka_unit_test(odd_numbers),
                                       cmocka_unit_test(days_by_both_countings),
                                       cmocka_unit_test(days_in_words),
                                       cmocka_unit_test(times_and_spans),
                                       cmocka_unit_test(another_enable),
                                       cmocka_unit_test(once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

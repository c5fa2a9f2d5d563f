/* What plugs say of power and energy, in every shape. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/energy/reading.h"

#include <string.h>

static struct json json;

static struct json_at parse(const char *text)
{
    json_free(&json);
    assert_int_equal(json_parse(&json, span_str(text)), MD_OK);
    return json_root(&json);
}

static void test_electricity(void **state)
{
    (void)state;
    struct reading r[READING_CHANNELS];
    assert_int_equal(reading_electricity(
                         parse("{\"electricity\":{\"channel\":0,\"current\":290,\"voltage\":2331,"
                               "\"power\":5297,\"config\":{\"voltageRatio\":188}}}"),
                         false, r),
                     1);
    assert_int_equal(r[0].mw, 5297);
    assert_int_equal(r[0].dv, 2331);
    assert_int_equal(r[0].ma, 290);
    assert_int_equal(r[0].factor, READING_NONE);
    assert_int_equal(r[0].month_wh, READING_NONE);
    /* [trap 20] [trap 21] Strings for numbers, a list for an object, no channel, floats. */
    assert_int_equal(reading_electricity(parse("{\"Electricity\":[{\"power\":\"-12\",\"voltage\":"
                                               "\"2310\",\"current\":3.0}]}"),
                                         false, r),
                     1);
    assert_int_equal(r[0].mw, -12);
    assert_int_equal(r[0].dv, 2310);
    assert_int_equal(r[0].ma, 3);
    assert_int_equal(r[0].channel, 0);
    /* em06: millivolts, month, power factor. */
    assert_int_equal(
        reading_electricity(
            parse(
                "{\"electricity\":[{\"channel\":1,\"current\":0,\"voltage\":233680,\"power\":0,"
                "\"mConsume\":1500,\"factor\":0.965},{\"channel\":2,\"voltage\":233649,\"power\":"
                "-5,\"current\":1,\"factor\":-1},{\"channel\":300,\"power\":1},{\"channel\":3}]}"),
            true, r),
        2);
    assert_int_equal(r[0].dv, 2337);
    assert_int_equal(r[0].month_wh, 1500);
    assert_int_equal(r[0].factor, 965);
    assert_int_equal(r[1].channel, 2);
    assert_int_equal(r[1].dv, 2336);
    assert_int_equal(r[1].factor, -1000);
    static const char *const none[] = {"{}",
                                       "{\"electricity\":{}}",
                                       "{\"electricity\":[]}",
                                       "{\"electricity\":null}",
                                       "{\"electricity\":{\"power\":100000001}}",
                                       "{\"electricity\":{\"power\":\"x\"}}",
                                       "[]"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(reading_electricity(parse(none[i]), false, r), 0);
    assert_int_equal(
        reading_electricity(parse("{\"electricity\":{\"power\":100000000,\"factor\":\"1.01\"}}"),
                            false, r),
        1);
    assert_int_equal(r[0].factor, READING_NONE);
}

static void test_days(void **state)
{
    (void)state;
    struct ledger_day_count d[READING_DAYS];
    static const char list[] =
        "{\"consumptionx\":[{\"date\":\"2024-04-03\",\"time\":1712188549,\"value\":512},"
        "{\"date\":\"2024-04-01\",\"time\":\"1712015749\",\"value\":\"7\"},{\"date\":\"2024-02-"
        "30\","
        "\"value\":1},{\"date\":\"2024-04-02\",\"value\":-1},{\"date\":\"2024-04-02\",\"value\":"
        "10000001},{\"value\":5},{},7]}";
    assert_int_equal(reading_days(parse(list), d), 2);
    assert_int_equal(d[0].day, 19816);
    assert_int_equal(d[0].at, 1712188549);
    assert_int_equal(d[0].wh, 512);
    assert_int_equal(d[1].day, 19814);
    assert_int_equal(d[1].wh, 7);
    assert_int_equal(
        reading_days(parse("{\"consumptionx\":{\"date\":\"2024-04-03\",\"value\":1}}"), d), 1);
    assert_int_equal(d[0].at, 0);
    char many[8192] = "{\"consumptionx\":[";
    for (int i = 0; i < READING_DAYS + 1; i++)
        strcat(many, i ? ",{\"date\":\"2024-04-03\",\"value\":1}"
                       : "{\"date\":\"2024-04-03\",\"value\":1}");
    assert_int_equal(reading_days(parse(strcat(many, "]}")), d), READING_DAYS);
}

static void test_hours(void **state)
{
    (void)state;
    struct ledger_hour_count h[READING_HOURS];
    unsigned channel, n = 0;
    struct json_at list = reading_hours_list(
        parse("{\"consumptionH\":[{\"channel\":1,\"total\":958,\"data\":[{\"timestamp\":1721552340,"
              "\"value\":253},{\"value\":\"70\",\"timestamp\":\"1721555940\"},{\"timestamp\":0,"
              "\"value\":1}]},{\"data\":[],\"total\":0},{\"channel\":-1,\"data\":[{\"timestamp\":5,"
              "\"value\":1}]}]}"));
    JSON_EACH(it, list)
    {
        size_t got = reading_hours(it, &channel, h);
        assert_int_equal(got, n == 0 ? 2 : 0);
        if (n == 0) {
            assert_int_equal(channel, 1);
            assert_int_equal(h[0].at, 1721552340);
            assert_int_equal(h[0].wh, 253);
            assert_int_equal(h[1].wh, 70);
        }
        n++;
    }
    assert_int_equal(n, 3);
}

static int end(void **state)
{
    (void)state;
    json_free(&json);
    json = (struct json){.n = 0};
    assert_int_equal(mem_used(), 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_electricity, end),
        cmocka_unit_test_teardown(test_days, end),
        cmocka_unit_test_teardown(test_hours, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

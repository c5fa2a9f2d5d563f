/* Named values: what is news, limits, the state people see and the record on disk. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/device/device.h"

#include <stdio.h>

static char text[DEVICE_STATE_MAX + 20000];

static const char *state_of(const struct device *d)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, sizeof text - 1);
    json_write_start(&w, &b);
    device_write_state(&w, d);
    assert_int_equal(w.err, MD_OK);
    assert_true(span_to_str(buf_view(&b), text, sizeof text));
    buf_free(&b);
    return text;
}

static void test_news(void **state)
{
    (void)state;
    struct facts f = {.n = 0};
    uint32_t at = facts_channel(0);
    assert_true(facts_number(&f, at, FACT_POWER, 5297, 3));
    assert_false(facts_number(&f, at, FACT_POWER, 5297, 3));
    assert_false(facts_number(&f, at, FACT_POWER, 52970, 4)); /* the same number */
    assert_true(facts_number(&f, at, FACT_POWER, 5298, 3));
    assert_true(facts_number(&f, facts_channel(1), FACT_POWER, 5298, 3));
    assert_true(facts_bool(&f, at, FACT_OPEN, false));
    assert_false(facts_bool(&f, at, FACT_OPEN, false));
    assert_true(facts_bool(&f, at, FACT_OPEN, true));
    assert_true(facts_text(&f, at, FACT_MODE, "heat"));
    assert_false(facts_text(&f, at, FACT_MODE, "heat"));
    assert_true(facts_text(&f, at, FACT_MODE, "cool"));
    assert_true(facts_number(&f, at, FACT_MODE, 1, 0)); /* a number now */
    assert_int_equal(f.n, 4);
    assert_true(facts_forget(&f, at, FACT_MODE));
    assert_false(facts_forget(&f, at, FACT_MODE));
    assert_true(facts_forget_all(&f, at));
    assert_false(facts_forget_all(&f, at));
    assert_int_equal(f.n, 1);
    assert_null(facts_get(&f, at, FACT_POWER));
    assert_non_null(facts_get(&f, facts_channel(1), FACT_POWER));
    facts_clear(&f);
    assert_int_equal(mem_used(), 0);
}

static void test_values(void **state)
{
    (void)state;
    struct facts f = {.n = 0};
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_TEMPERATURE, -1985, 2));
    assert_int_equal(facts_value(&f, FACTS_DEVICE, FACT_TEMPERATURE, 2, 7), -1985);
    assert_int_equal(facts_value(&f, FACTS_DEVICE, FACT_TEMPERATURE, 1, 7), -198);
    assert_int_equal(facts_value(&f, FACTS_DEVICE, FACT_TEMPERATURE, 4, 7), -198500);
    assert_int_equal(facts_value(&f, FACTS_DEVICE, FACT_HUMIDITY, 1, 7), 7);
    assert_true(facts_bool(&f, FACTS_DEVICE, FACT_OPEN, true));
    assert_int_equal(facts_value(&f, FACTS_DEVICE, FACT_OPEN, 0, 7), 7);
    assert_true(facts_named("power"));
    assert_false(facts_named("Power"));
    facts_clear(&f);
}

/* At the limit and one past it. */
static void test_limits(void **state)
{
    (void)state;
    struct facts f = {.n = 0};
    char longest[FACTS_TEXT_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[FACTS_TEXT_MAX + 1] = '\0';
    assert_false(facts_text(&f, FACTS_DEVICE, FACT_EFFECT, longest));
    longest[FACTS_TEXT_MAX] = '\0';
    assert_true(facts_text(&f, FACTS_DEVICE, FACT_EFFECT, longest));
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_ENERGY, FACTS_NUMBER, 0));
    assert_false(facts_number(&f, FACTS_DEVICE, FACT_ENERGY, FACTS_NUMBER + 1, 0));
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_ENERGY, -FACTS_NUMBER, 0));
    assert_false(facts_number(&f, FACTS_DEVICE, FACT_ENERGY, -FACTS_NUMBER - 1, 0));
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_ENERGY, 1, FACTS_DECIMALS));
    assert_false(facts_number(&f, FACTS_DEVICE, FACT_ENERGY, 1, FACTS_DECIMALS + 1));
    for (unsigned i = f.n; i < FACTS_MAX; i++)
        assert_true(facts_bool(&f, facts_sub(i), FACT_OPEN, true));
    assert_false(facts_bool(&f, facts_sub(FACTS_MAX), FACT_OPEN, true));
    assert_true(facts_bool(&f, facts_sub(FACTS_MAX - 1), FACT_OPEN, false)); /* one that is there */
    assert_int_equal(f.n, FACTS_MAX);
    facts_clear(&f);
}

static void test_memory(void **state)
{
    (void)state;
    struct facts f = {.n = 0};
    (void)mem_fail_after(1);
    assert_false(facts_bool(&f, FACTS_DEVICE, FACT_OPEN, true));
    (void)mem_fail_after(-1);
    assert_int_equal(f.n, 0);
    assert_false(f.unsaved);
}

/* What is written down at once, some time, and never. */
static void test_saving(void **state)
{
    (void)state;
    struct facts f = {.n = 0};
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_POWER, 1, 0));
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_TEMPERATURE, 1, 0));
    assert_false(f.unsaved);
    assert_true(facts_forget(&f, FACTS_DEVICE, FACT_POWER));
    assert_false(f.unsaved);
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_BRIGHTNESS, 1, 0));
    assert_true(f.unsaved);
    f.unsaved = false;
    assert_false(facts_number(&f, FACTS_DEVICE, FACT_BRIGHTNESS, 1, 0));
    assert_false(f.unsaved);
    assert_true(facts_forget(&f, FACTS_DEVICE, FACT_BRIGHTNESS));
    assert_true(f.unsaved);
    facts_clear(&f);
}

static void test_state_of_one_channel(void **state)
{
    (void)state;
    struct device d = {.n_channels = 0};
    assert_string_equal(state_of(&d), "{\"channels\":[]}");
    facts_number(&d.facts, facts_channel(0), FACT_POSITION, 50, 0);
    assert_string_equal(state_of(&d), "{\"position\":50,\"channels\":[]}");
    device_channel_add(&d, 0)->on = 1;
    facts_number(&d.facts, facts_channel(0), FACT_VOLTAGE, 2314, 1);
    facts_number(&d.facts, facts_channel(0), FACT_POWER, -12300, 3);
    facts_number(&d.facts, facts_channel(0), FACT_CURRENT, 61, 3);
    facts_text(&d.facts, facts_channel(0), FACT_COLOR, "#ff0000");
    facts_bool(&d.facts, FACTS_DEVICE, FACT_LED, false);
    assert_string_equal(state_of(&d),
                        "{\"state\":\"ON\",\"power\":-12.3,\"voltage\":231.4,\"current\":0.061,"
                        "\"color\":\"#ff0000\",\"position\":50,\"led\":false,\"channels\":[{"
                        "\"channel\":0,\"state\":\"ON\"}]}");
    device_clear(&d);
}

static void test_state_of_several(void **state)
{
    (void)state;
    struct device d = {.n_channels = 0};
    device_channel_add(&d, 0)->on = 1;
    device_channel_add(&d, 1)->on = 0;
    facts_number(&d.facts, facts_channel(1), FACT_SPEED, 3, 0);
    facts_number(&d.facts, facts_channel(6), FACT_POWER, 1, 0); /* no relay there */
    facts_bool(&d.facts, FACTS_DEVICE, FACT_OVERHEATED, true);
    assert_string_equal(state_of(&d), "{\"state\":\"ON\",\"overheated\":true,\"channels\":["
                                      "{\"channel\":0,\"state\":\"ON\"},"
                                      "{\"channel\":1,\"state\":\"OFF\",\"speed\":3},"
                                      "{\"channel\":6,\"power\":1}]}");
    device_clear(&d);
}

static void test_state_of_a_hub(void **state)
{
    (void)state;
    struct device d = {.n_channels = 0};
    struct subdev *s = subdevs_add(&d.subs, "01008C11");
    (void)snprintf(s->type, sizeof s->type, "ms100");
    s->online = 1;
    facts_number(&d.facts, facts_sub(s->number), FACT_TEMPERATURE, 215, 1);
    s = subdevs_add(&d.subs, "0300AA");
    s->on = 0;
    (void)snprintf(s->name, sizeof s->name, "bath");
    assert_string_equal(
        state_of(&d),
        "{\"channels\":[],\"subdevices\":[{\"id\":\"01008C11\",\"type\":\"ms100\",\"online\":true,"
        "\"temperature\":21.5},{\"id\":\"0300AA\",\"name\":\"bath\",\"type\":\"\","
        "\"state\":\"OFF\"}]}");
    device_clear(&d);
    assert_int_equal(mem_used(), 0);
}

static void write_record(struct buf *out, const struct device *d)
{
    struct json_writer w;
    buf_init(out, 65536);
    json_write_start(&w, out);
    device_write_record(&w, d);
    assert_int_equal(w.err, MD_OK);
}

/* All but what is measured all the time comes back. */
static void test_record(void **state)
{
    (void)state;
    struct device d = {.uuid = "2101011234567890123448e1e9123456", .mac = "48:e1:e9:12:34:56"};
    struct device back = {.n_channels = 0};
    struct buf b;
    device_channel_add(&d, 0)->on = 1;
    device_channel_add(&d, 2)->on = 0;
    facts_number(&d.facts, facts_channel(0), FACT_POWER, 123, 1);
    facts_number(&d.facts, facts_channel(2), FACT_ENERGY, -1234567, 6);
    facts_text(&d.facts, facts_channel(2), FACT_EFFECT, "Fl\"amme");
    facts_bool(&d.facts, FACTS_DEVICE, FACT_LED, true);
    struct subdev *s = subdevs_add(&d.subs, "01008C11");
    s->online = 0;
    s->on = 1;
    facts_number(&d.facts, facts_sub(s->number), FACT_BATTERY, 87, 0);
    write_record(&b, &d);
    assert_int_equal(device_read_record(&back, buf_view(&b)), MD_OK);
    assert_false(back.facts.unsaved);
    facts_forget(&d.facts, facts_channel(0), FACT_POWER);
    char want[2000];
    (void)snprintf(want, sizeof want, "%s", state_of(&d));
    assert_string_equal(state_of(&back), want);
    buf_free(&b);
    device_clear(&d);
    device_clear(&back);
    assert_int_equal(mem_used(), 0);
}

/* The fullest device there can be still fits into its record and its state. */
static void test_fullest(void **state)
{
    (void)state;
    struct device d = {.uuid = "2101011234567890123448e1e9123456", .mac = "48:e1:e9:12:34:56"};
    struct device back = {.n_channels = 0};
    struct buf b;
    char longest[FACTS_TEXT_MAX + 1], id[SUBDEVS_ID_MAX + 1];
    memset(longest, 'x', sizeof longest);
    longest[FACTS_TEXT_MAX] = '\0';
    for (unsigned i = 0; i < SUBDEVS_MAX; i++) {
        (void)snprintf(id, sizeof id, "%032u", i);
        struct subdev *s = subdevs_add(&d.subs, id);
        assert_non_null(s);
        memset(s->type, 't', SUBDEVS_TYPE_MAX);
        memset(s->name, 'n', SUBDEVS_NAME_MAX);
        s->online = s->on = 1;
        static const char *const names[] = {FACT_TARGET_TEMPERATURE, FACT_TARGET_COOL,
                                            FACT_MIN_TEMPERATURE,    FACT_MAX_TEMPERATURE,
                                            FACT_FROST_PROTECTION,   FACT_COLOR_TEMPERATURE,
                                            FACT_STANDBY_KILLER,     FACT_WINDOW_DETECTION};
        for (unsigned n = 0; n < 8; n++)
            assert_true(facts_text(&d.facts, facts_sub(s->number), names[n], longest));
    }
    assert_null(subdevs_add(&d.subs, "one more"));
    assert_int_equal(d.facts.n, FACTS_MAX);
    write_record(&b, &d);
    assert_int_equal(device_read_record(&back, buf_view(&b)), MD_OK);
    assert_int_equal(back.facts.n, FACTS_MAX);
    assert_true(strlen(state_of(&back)) < DEVICE_STATE_MAX);
    buf_free(&b);
    device_clear(&d);
    device_clear(&back);
}

/* A record of a newer version, or one that was tampered with. */
static void test_odd_record(void **state)
{
    (void)state;
    struct device d = {.n_channels = 0};
    assert_int_equal(
        device_read_record(
            &d,
            span_str(
                "{\"format\":1,\"uuid\":\"2101011234567890123448e1e9123456\","
                "\"mac\":\"48:e1:e9:12:34:56\",\"facts\":{\"future\":1,\"led\":null,"
                "\"open\":{},\"position\":1e99,\"brightness\":\"x\",\"mode\":7},"
                "\"channel_facts\":[{\"channel\":256,\"open\":true},{\"open\":true},7,"
                "{\"channel\":\"1\",\"open\":true}],"
                "\"subdevices\":[{\"id\":\"\"},{},{\"id\":\"A\",\"online\":5},{\"id\":\"a\"}]}")),
        MD_OK);
    assert_string_equal(state_of(&d),
                        "{\"open\":true,\"brightness\":\"x\",\"mode\":7,\"channels\":[],"
                        "\"subdevices\":[{\"id\":\"A\",\"type\":\"\"}]}");
    device_clear(&d);
}

static void test_subdevs(void **state)
{
    (void)state;
    struct subdevs s = {.n = 0};
    char id[SUBDEVS_ID_MAX + 2];
    memset(id, 'a', sizeof id);
    id[SUBDEVS_ID_MAX + 1] = '\0';
    assert_null(subdevs_add(&s, id));
    assert_null(subdevs_add(&s, ""));
    assert_non_null(subdevs_add(&s, "0100AA"));
    assert_int_equal(subdevs_add(&s, "0100aa")->number, 0); /* [trap 25] duplicate ids are one */
    assert_non_null(subdevs_add(&s, "0100AB"));
    assert_null(subdevs_named(&s, span_str("0100")));
    assert_int_equal(subdevs_named(&s, span_str("0100ab"))->number, 1);
    (void)snprintf(subdevs_find(&s, "0100AA")->name, SUBDEVS_NAME_MAX + 1, "Bath");
    assert_int_equal(subdevs_named(&s, span_str("bath"))->number, 0);
    subdevs_remove(&s, subdevs_find(&s, "0100AA"));
    assert_null(subdevs_find(&s, "0100AA"));
    assert_int_equal(subdevs_named(&s, span_str("01"))->number, 1); /* the only one */
    assert_int_equal(subdevs_add(&s, "0100AA")->number, 2);         /* a new one */
    subdevs_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_news),
                                       cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_saving),
                                       cmocka_unit_test(test_state_of_one_channel),
                                       cmocka_unit_test(test_state_of_several),
                                       cmocka_unit_test(test_state_of_a_hub),
                                       cmocka_unit_test(test_record),
                                       cmocka_unit_test(test_fullest),
                                       cmocka_unit_test(test_odd_record),
                                       cmocka_unit_test(test_subdevs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

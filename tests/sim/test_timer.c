/* The verb `timer`, and what the plug does by itself then. */
#include "meross/meross.h"
#include "tests/sim/own_house.h"

#include <stdio.h>

#define NAME   "mss310-3456"
#define ASK    "meross/broker/request/timer"
#define ANSWER "meross/broker/response/timer"
#define MINUTE 60000u

static struct house_plug *plug;

/* A bound plug; option NULL: none. */
static void with(const char *type, const char *option)
{
    struct simplug_options o = house_options(h, type, 0);
    if (option != NULL)
        assert_int_equal(simplug_options_set(&o, option), MD_OK);
    plug = house_plug(h, &o);
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    house_forget(h);
}

/* Asks {"plug":NAME,...} and gives the answer. */
static const char *ask(const char *rest)
{
    char text[512];
    house_forget(h);
    (void)snprintf(text, sizeof text, "{\"plug\":\"" NAME "\",\"transaction\":\"t\"%s}", rest);
    house_say(h, ASK, text);
    house_run(h, 3000);
    return house_heard(h, ANSWER);
}

static void expect(const char *rest, const char *part)
{
    const char *got = ask(rest);
    if (strstr(got, part) == NULL)
        fail_msg("%s\n%s\nlacks %s", rest, got, part);
}

/* The id in the last answer. */
static const char *an_id(void)
{
    static char id[17];
    const char *at = strstr(house_heard(h, ANSWER), "\"id\":\"");
    assert_non_null(at);
    (void)snprintf(id, sizeof id, "%.16s", at + 6);
    return id;
}

static void act(const char *action, const char *ref, const char *part)
{
    char text[128];
    (void)snprintf(text, sizeof text, ",\"action\":\"%s\",\"id\":\"%s\"", action, ref);
    expect(text, part);
}

static void from_nothing_to_nothing(void **state)
{
    char id[17], start[6];
    (void)state;
    with("mss310", NULL);
    expect("", "\"status\":\"ok\",\"data\":{\"timers\":[]}");
    expect(
        ",\"action\":\"add\",\"time\":\"21:00\",\"state\":\"ON\",\"name\":\"evening\"",
        "\"name\":\"evening\",\"kind\":\"timer\",\"channel\":0,\"enabled\":true,\"state\":\"ON\","
        "\"time\":\"21:00\",\"once\":false,\"days\":\"daily\"}}}");
    (void)snprintf(id, sizeof id, "%s", an_id());
    (void)snprintf(start, sizeof start, "%.5s", id);
    expect(",\"action\":\"list\"", id);
    act("disable", "evening", "\"enabled\":false");
    expect("", "\"enabled\":false");
    act("enable", start, "\"enabled\":true");
    act("remove", "nothing", "\"code\":\"no_such_timer\"");
    act("remove", id, "\"removed\":{\"id\":\"");
    expect("", "\"timers\":[]");
    act("remove", id, "\"code\":\"no_such_timer\"");
    house_assert_clean(h);
}

/* In two minutes, in the plug's own time (Berlin, in summer two hours ahead of UTC). */
static void add_soon(const char *more)
{
    char text[256];
    int64_t minute = (h->fake.wall_ms / 60000 + 120 + 2) % 1440;
    (void)snprintf(text, sizeof text,
                   ",\"action\":\"add\",\"state\":\"ON\",\"time\":\"%02u:%02u\"%s",
                   (unsigned)(minute / 60 % 24), (unsigned)(minute % 60), more);
    expect(text, "\"status\":\"ok\"");
}

static void it_switches_without_a_broker(void **state)
{
    (void)state;
    with("mss310", NULL);
    add_soon("");
    assert_false(house_status(plug)->relay[0]);
    house_broker_stop(h);
    for (unsigned i = 0; i < 180; i++) {
        fake_env_step(&h->fake, 1000);
        (void)simplug_tick(plug->sim, h->fake.mono_ms);
    }
    assert_true(house_status(plug)->relay[0]);
    house_broker_start(h);
}

/* 2026-09-21 is a Monday.  The plug counts its days one way or the other; with the right first day
 * it switches today, with the wrong one it does not; and we say which one we went by. */
static void chosen_days(void **state)
{
    static const struct {
        const char *option;
        bool monday, fires;
    } cases[] = {{"week_from_monday=0", false, true},
                 {"week_from_monday=1", true, true},
                 {"week_from_monday=0", true, false},
                 {"week_from_monday=1", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (i > 0) {
            (void)end_house(state);
            (void)begin_house(state);
        }
        with("mss310", cases[i].option);
        meross_set_timer_first_day(h->meross, cases[i].monday);
        add_soon(",\"days\":\"mon\"");
        assert_non_null(strstr(house_heard(h, ANSWER), cases[i].monday
                                                           ? "\"first_day\":\"monday\""
                                                           : "\"first_day\":\"sunday\""));
        assert_non_null(strstr(house_heard(h, ANSWER), "\"days\":\"mon\""));
        expect("", "\"first_day\"");
        house_run(h, 3 * MINUTE);
        assert_int_equal(house_status(plug)->relay[0], cases[i].fires);
    }
}

static void every_day_and_once_need_no_first_day(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        if (i > 0) {
            (void)end_house(state);
            (void)begin_house(state);
        }
        with("mss310", "week_from_monday=1");
        add_soon(i == 0 ? "" : ",\"once\":true");
        assert_null(strstr(house_heard(h, ANSWER), "first_day"));
        house_run(h, 3 * MINUTE);
        assert_true(house_status(plug)->relay[0]);
    }
    house_assert_clean(h);
}

static void off_by_itself(void **state)
{
    (void)state;
    with("mss310", NULL);
    expect(",\"action\":\"auto_off\",\"after\":0", "\"code\":\"no_such_timer\"");
    expect(",\"action\":\"auto_off\",\"after\":900", "\"kind\":\"auto_off\"");
    expect(",\"action\":\"auto_off\",\"after\":120", "\"after\":120"); /* in place of the other */
    assert_int_equal(house_count(h, ANSWER, "\"id\""), 1);
    const char *list = ask("");
    assert_non_null(strstr(list, "\"after\":120"));
    assert_null(strstr(list, "\"after\":900"));
    house_say(h, "meross/" NAME "/set", "ON");
    house_run(h, MINUTE);
    assert_true(house_status(plug)->relay[0]);
    house_run(h, MINUTE + 1000);
    assert_false(house_status(plug)->relay[0]);
    expect(",\"action\":\"auto_off\",\"after\":0", "\"removed\":{");
    expect("", "\"timers\":[]");
    house_assert_clean(h);
}

static void what_makes_no_sense_is_not_sent(void **state)
{
    static const char *const wrong[] = {
        ",\"action\":\"jump\"",
        ",\"action\":\"add\"",
        ",\"action\":7",
        ",\"action\":\"add\",\"time\":\"24:00\",\"state\":\"ON\"",
        ",\"action\":\"add\",\"time\":\"sunset\",\"state\":\"ON\"",
        ",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"MAYBE\"",
        ",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\",\"days\":\"someday\"",
        ",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\",\"days\":\"mon\",\"once\":true",
        ",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\",\"channel\":5",
        ",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\",\"channel\":-1",
        ",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\",\"name\":"
        "\"123456789012345678901234567890123\"",
        ",\"action\":\"remove\"",
        ",\"action\":\"enable\",\"id\":\"\"",
        ",\"action\":\"auto_off\"",
        ",\"action\":\"auto_off\",\"after\":59",
        ",\"action\":\"auto_off\",\"after\":86401"};
    (void)state;
    with("mss310", NULL);
    unsigned before = house_status(plug)->requests;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect(wrong[i], "\"code\":\"invalid\"");
    assert_int_equal(house_status(plug)->requests - before < 5, true); /* but for our own polls */
    expect(",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\",\"name\":"
           "\"12345678901234567890123456789012\"",
           "\"status\":\"ok\"");
    expect(",\"action\":\"auto_off\",\"after\":60", "\"status\":\"ok\"");
    expect(",\"action\":\"auto_off\",\"after\":86400", "\"status\":\"ok\"");
    house_assert_clean(h);
}

/* A plug that has no room says so; nothing is told as done. */
static void one_more_than_a_plug_takes(void **state)
{
    (void)state;
    with("mss310", NULL);
    for (unsigned i = 0; i < 16; i++)
        expect(",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\"", "\"status\":\"ok\"");
    expect(",\"action\":\"add\",\"time\":\"20:00\",\"state\":\"ON\"", "\"code\":\"refused\"");
    expect("", "\"timers\":[{");
}

static void first_generation(void **state)
{
    (void)state;
    struct simplug_options o = house_options(h, "mss210-old", 0);
    plug = house_plug(h, &o);
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    house_say(h, ASK, "{\"plug\":\"mss210\",\"transaction\":\"t\"}");
    house_run(h, 1000);
    assert_non_null(strstr(house_heard(h, ANSWER), "\"code\":\"unsupported\""));
    house_assert_clean(h);
}

static void one_that_is_away_has_no_answer(void **state)
{
    (void)state;
    with("mss310", NULL);
    simplug_die(plug->sim);
    house_forget(h);
    house_say(h, ASK, "{\"plug\":\"" NAME "\",\"transaction\":\"t\"}");
    house_run(h, 7000);
    assert_int_equal(house_count(h, ANSWER, "\"code\":\"timeout\""), 1);
    conn_lost(plug->conn, "it was unplugged");
    plug->conn = NULL;
    house_run(h, 100);
    expect("", "\"code\":\"offline\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_house, end_house)
    const struct CMUnitTest tests[] = {
        TEST(from_nothing_to_nothing),
        TEST(it_switches_without_a_broker),
        TEST(chosen_days),
        TEST(every_day_and_once_need_no_first_day),
        TEST(off_by_itself),
        TEST(what_makes_no_sense_is_not_sent),
        TEST(one_more_than_a_plug_takes),
        TEST(first_generation),
        TEST(one_that_is_away_has_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

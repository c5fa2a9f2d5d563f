/* Online and offline as people see it, and what is asked while a plug is away. */
#include "meross/meross.h"
#include "tests/sim/own_house.h"

#define NAME  "meross/mss210-3456"
#define THERE NAME "/availability"
#define ABOUT NAME "/response"
#define DELAY 15

static struct house_plug *plug;

static int begin(void **state)
{
    (void)begin_house(state);
    meross_set_offline_delay(h->meross, DELAY);
    struct simplug_options o = house_options(h, "mss210", 0);
    plug = house_plug(h, &o);
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    assert_string_equal(house_heard(h, THERE), "online");
    house_forget(h);
    return 0;
}

/* The transport breaks, and the plug does not come back until `plug->unplugged` is false. */
static void blackout(void)
{
    struct conn *c = plug->conn;
    plug->unplugged = true;
    plug->conn = NULL;
    conn_lost(c, "the network failed");
    house_run(h, HOUSE_STEP);
}

static void recover(void)
{
    plug->unplugged = false;
    simplug_closed(plug->sim, h->fake.mono_ms);
}

static void a_blip_is_no_news(void **state)
{
    (void)state;
    blackout();
    house_run(h, 2000);
    recover();
    assert_true(house_run_until_bound(h, 12000) < 12000);
    house_run(h, 60000);
    assert_int_equal(house_count(h, THERE, ""), house_count(h, THERE, "online"));
    assert_int_equal(house_count(h, NAME "/event", "offline"), 0);
    assert_int_equal(house_count(h, NAME "/event", "online"), 0);
}

static void who_stays_away_is_offline(void **state)
{
    (void)state;
    blackout();
    house_run(h, DELAY * 1000 - 2 * HOUSE_STEP);
    assert_int_equal(house_count(h, THERE, ""), 0);
    house_run(h, 2 * HOUSE_STEP);
    assert_string_equal(house_heard(h, THERE), "offline");
    assert_int_equal(
        house_count(h, NAME "/event", "\"event\":\"offline\",\"reason\":\"the network"), 1);
    house_run(h, 2000);
    assert_non_null(strstr(house_heard(h, "meross/broker/plugs"), "\"online\":false"));
    recover();
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 100);
    assert_string_equal(house_heard(h, THERE), "online");
    assert_int_equal(house_count(h, THERE, "offline"), 1);
}

static void a_delay_of_0_tells_at_once(void **state)
{
    (void)state;
    meross_set_offline_delay(h->meross, 0);
    blackout();
    assert_string_equal(house_heard(h, THERE), "offline");
}

static void a_shorter_delay_holds_at_once(void **state)
{
    (void)state;
    blackout();
    house_run(h, 5000);
    assert_int_equal(house_count(h, THERE, ""), 0);
    meross_set_offline_delay(h->meross, 3);
    house_run(h, 100);
    assert_string_equal(house_heard(h, THERE), "offline");
}

static void an_order_waits_for_one_that_is_away(void **state)
{
    (void)state;
    blackout();
    recover();
    house_run(h, 7000); /* it connects again after nine seconds */
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    house_run(h, 4900);
    assert_true(house_status(plug)->bound);
    assert_true(house_status(plug)->relay[0]);
    assert_int_equal(house_count(h, ABOUT, "\"transaction\":\"t\",\"status\":\"ok\""), 1);
    house_assert_clean(h);
}

static void and_is_not_carried_out_when_it_is_late(void **state)
{
    (void)state;
    blackout();
    house_run(h, 2000);
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    house_run(h, 4900);
    assert_int_equal(house_count(h, ABOUT, ""), 0);
    house_run(h, 200);
    assert_int_equal(house_count(h, ABOUT, "\"code\":\"offline\""), 1);
    recover();
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    assert_false(house_status(plug)->relay[0]);
}

static void whoever_waits_is_told_when_it_is_offline(void **state)
{
    (void)state;
    blackout();
    house_run(h, DELAY * 1000 - 1000);
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    house_run(h, 500);
    assert_int_equal(house_count(h, ABOUT, ""), 0);
    house_run(h, 600);
    assert_int_equal(house_count(h, ABOUT, "\"code\":\"offline\""), 1);
    /* And from then on at once. */
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"u\"}");
    house_run(h, 50);
    assert_int_equal(house_count(h, ABOUT, "\"code\":\"offline\""), 2);
}

static void one_that_is_forgotten_or_stopped_leaves_nobody_waiting(void **state)
{
    (void)state;
    blackout();
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"t\"}");
    house_run(h, 100);
    house_say(h, "meross/broker/request/forget",
              "{\"plug\":\"mss210-3456\",\"transaction\":\"f\"}");
    house_run(h, 100);
    assert_int_equal(house_count(h, ABOUT, "\"code\":\"offline\""), 1);
    recover();
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 20000);
    blackout();
    house_say(h, NAME "/set", "{\"state\":\"ON\",\"transaction\":\"v\"}");
    house_run(h, 100);
    house_broker_stop(h);
    house_broker_start(h);
}

/* [trap 8] [trap 9] No Will; and a plug that connects again under the same client id before the
 * broker knows that the old connection is dead is never called offline, with and without delay. */
static void a_takeover_is_never_offline(void **state)
{
    (void)state;
    for (unsigned delay = 0; delay <= DELAY; delay += DELAY) {
        meross_set_offline_delay(h->meross, delay);
        struct conn *old = plug->conn;
        plug->conn = NULL; /* the broker still has it */
        simplug_closed(plug->sim, h->fake.mono_ms);
        assert_true(house_run_until_bound(h, 60000) < 60000);
        house_run(h, 60000);
        assert_true(conn_closing(old));
        conn_lost(old, "at last");
        house_run(h, 60000);
        assert_int_equal(house_count(h, THERE, "offline"), 0);
        assert_int_equal(house_count(h, NAME "/event", "offline"), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end_house)
    const struct CMUnitTest tests[] = {
        TEST(a_blip_is_no_news),
        TEST(who_stays_away_is_offline),
        TEST(a_delay_of_0_tells_at_once),
        TEST(a_shorter_delay_holds_at_once),
        TEST(an_order_waits_for_one_that_is_away),
        TEST(and_is_not_carried_out_when_it_is_late),
        TEST(whoever_waits_is_told_when_it_is_offline),
        TEST(one_that_is_forgotten_or_stopped_leaves_nobody_waiting),
        TEST(a_takeover_is_never_offline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the whole thing is for, in simulated time: plugs are bound for good and obey. */
#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define MINUTE 60000u
#define SEED   "mss210" /* hw 6.0.0, fw 6.2.3, userId 0, key "", MQIsdp, c1, k120 */

static struct house house;

/* The name merossd gives: <type>-<last four digits of the MAC>. */
static void name_of(const struct house_plug *p, char out[64])
{
    const struct simplug_options *o = simplug_options_of(p->sim);
    (void)snprintf(out, 64, "%s-%c%c%c%c", o->type, o->mac[12], o->mac[13], o->mac[15], o->mac[16]);
}

static const char *topic_of(const struct house_plug *p, const char *rest)
{
    static char topic[128];
    char name[64];
    name_of(p, name);
    (void)snprintf(topic, sizeof topic, "meross/%s%s", name, rest);
    return topic;
}

static struct house_plug *add(const char *type, unsigned index)
{
    struct simplug_options o = house_options(&house, type, index);
    return house_plug(&house, &o);
}

static struct house_plug *add_with(const char *type, const char *option)
{
    struct simplug_options o = house_options(&house, type, 0);
    assert_int_equal(simplug_options_set(&o, option), MD_OK);
    return house_plug(&house, &o);
}

static void assert_bound(const struct house_plug *p)
{
    assert_true(house_status(p)->session);
    assert_true(house_status(p)->bound);
    assert_int_equal(house_status(p)->led, SIMPLUG_LED_SOLID_GREEN);
    assert_int_equal(house_status(p)->reboots, 0);
}

/* [trap 1] [trap 5] [trap 27] The dialogue that began this project: it ends bound after the first Bind and stays so. */
static void the_seeds_plug_is_bound_and_stays(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add(SEED, 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    assert_int_equal(house_status(p)->binds, 1);
    house_run(&house, 10 * MINUTE);
    assert_bound(p);
    assert_int_equal(house_status(p)->connects, 1);
    assert_int_equal(house_status(p)->binds, 1);
    assert_int_equal(house_status(p)->times, 1);
    assert_true(house_status(p)->zone);
    assert_string_equal(house_heard(&house, topic_of(p, "/availability")), "online");
    house_assert_clean(&house);
    assert_string_equal(house.log, "");
    house_stop(&house);
}

static void after_a_broker_restart_it_never_blinks_again(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add(SEED, 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, MINUTE);
    house_broker_stop(&house);
    house_broker_start(&house);
    assert_true(house_run_until_bound(&house, MINUTE) < MINUTE);
    for (unsigned i = 0; i < 600; i++) {
        house_run(&house, 1000);
        assert_bound(p);
    }
    assert_int_equal(house_status(p)->connects, 2);
    house_assert_clean(&house);
    house_stop(&house);
}

static void twenty_plugs_come_back_in_one_second(void **state)
{
    (void)state;
    static const char *const types[] = {"mss210", "mss310", "mss425e", "mss310"};
    house_start(&house, NULL);
    for (unsigned i = 0; i < 20; i++)
        (void)add(types[i % 4], i);
    assert_true(house_run_until_bound(&house, 3000) <= 3000);
    house_run(&house, MINUTE);
    house_broker_stop(&house);
    house_broker_start(&house);
    /* Each comes back by its own timer; from the last CONNECT on three seconds are allowed. */
    assert_true(house_run_until_bound(&house, MINUTE) < MINUTE);
    for (unsigned i = 0; i < 20; i++) {
        assert_bound(&house.plugs[i]);
        assert_true(house_status(&house.plugs[i])->bound_ms <= 3000);
    }
    house_assert_clean(&house);
    house_stop(&house);
}

static void it_obeys_and_says_so(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add("mss310", 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    house_say(&house, topic_of(p, "/set"), "{\"state\":\"ON\",\"transaction\":\"t1\"}");
    house_run(&house, 100);
    assert_true(house_status(p)->relay[0]);
    assert_non_null(strstr(house_heard(&house, topic_of(p, "/response")), "\"status\":\"ok\""));
    assert_non_null(strstr(house_heard(&house, topic_of(p, "/response")), "\"t1\""));
    assert_non_null(strstr(house_heard(&house, topic_of(p, "")), "\"state\":\"ON\""));
    house_say(&house, topic_of(p, "/set"), "toggle");
    house_run(&house, 100);
    assert_false(house_status(p)->relay[0]);
    house_say(&house, topic_of(p, "/0/set"), "ON");
    house_run(&house, 100);
    assert_true(house_status(p)->relay[0]);
    house_say(&house, topic_of(p, "/set"), "maybe");
    house_run(&house, 100);
    assert_true(house_status(p)->relay[0]);
    house_assert_clean(&house);
    house_stop(&house);
}

static void a_button_press_is_seen(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add("mss310", 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    bool was = house_status(p)->relay[0];
    simplug_button(p->sim, 0, house.fake.mono_ms);
    house_run(&house, 200);
    assert_true(house_status(p)->relay[0] != was);
    assert_non_null(strstr(house_heard(&house, topic_of(p, "")),
                           was ? "\"state\":\"OFF\"" : "\"state\":\"ON\""));
    assert_int_equal(house_count(&house, topic_of(p, "/event"), "\"by\":\"plug\""), 1);
    house_stop(&house);
}

static void a_strip_has_outlets(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add("mss425e", 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    house_say(&house, topic_of(p, "/2/set"), "ON");
    house_run(&house, 200);
    assert_true(house_status(p)->relay[2]);
    assert_false(house_status(p)->relay[1]);
    house_say(&house, topic_of(p, "/set"),
              "{\"state\":\"ON\",\"channel\":9,\"transaction\":\"x\"}");
    house_run(&house, 200);
    assert_non_null(strstr(house_heard(&house, topic_of(p, "/response")), "\"code\":\"invalid\""));
    house_say(&house, topic_of(p, "/set"), "OFF"); /* channel 0: all */
    house_run(&house, 200);
    assert_false(house_status(p)->relay[2]);
    house_assert_clean(&house);
    house_stop(&house);
}

/* The variants of section 12 of the sheet: each is bound, obeys and sees nothing odd. */
static void every_variant_is_bound_and_obeys(void **state)
{
    (void)state;
    static const char *const variants[] = {"bind_as_push=1",
                                           "bind_new_ids=1",
                                           "bind_each_connect=0",
                                           "clock_ability=0",
                                           "ntp=1",
                                           "config_needed=1",
                                           "old_toggle=1",
                                           "shape=object",
                                           "shape=list",
                                           "string_timestamp=1",
                                           "header_uuid=1",
                                           "dev_boot=1",
                                           "matter=1",
                                           "level=4",
                                           "dup_republish=1",
                                           "fragment=1",
                                           "fragment=7",
                                           "user_id=1234",
                                           "report_value=0",
                                           "keep_alive_s=30",
                                           "answer_delay_ms=900",
                                           "timestamp_window_s=3"};
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        house_start(&house, NULL);
        struct house_plug *p = add_with("mss310", variants[i]);
        if (house_run_until_bound(&house, 15000) > 15000)
            fail_msg("%s: not bound", variants[i]);
        house_run(&house, 2 * MINUTE);
        assert_bound(p);
        bool was = house_status(p)->relay[0];
        house_say(&house, topic_of(p, "/set"), "TOGGLE");
        house_run(&house, 2000);
        if (house_status(p)->relay[0] == was)
            fail_msg("%s: did not switch; %s", variants[i], house.log);
        if (simplug_violations(p->sim) > 0)
            fail_msg("%s: %s", variants[i], simplug_violation(p->sim, 0));
        house_stop(&house);
    }
}

/* A plug with a foreign key: bound by echoing its own signature, and people are told. */
static void a_foreign_key_is_bound_and_explained(void **state)
{
    (void)state;
    house_start(&house, "ours");
    struct house_plug *p = add_with("mss310", "key=theirs");
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 5 * MINUTE);
    assert_bound(p);
    assert_non_null(strstr(house.log, "another key"));
    assert_non_null(strstr(house.log, "meross_key"));
    assert_null(strstr(strstr(house.log, "another key") + 1, "another key")); /* once */
    house_say(&house, topic_of(p, "/set"), "{\"state\":\"ON\",\"transaction\":\"t\"}");
    house_run(&house, 100);
    assert_non_null(strstr(house_heard(&house, topic_of(p, "/response")), "\"code\":\"key\""));
    assert_int_equal(house_status(p)->bad_signs, 0);
    house_stop(&house);
}

static void the_configured_key_is_found(void **state)
{
    (void)state;
    house_start(&house, "ours");
    struct house_plug *a = add_with("mss310", "key=ours");
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    house_say(&house, topic_of(a, "/set"), "ON");
    house_run(&house, 200);
    assert_true(house_status(a)->relay[0]);
    assert_int_equal(house_status(a)->bad_signs, 0);
    assert_string_equal(house.log, "");
    house_stop(&house);
}

/* [trap 8] No will and no DISCONNECT; one and a half times the Keep Alive later it is offline. */
static void a_silent_death_is_noticed(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add(SEED, 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    simplug_die(p->sim);
    house_run(&house, 181000);
    assert_string_equal(house_heard(&house, topic_of(p, "/availability")), "offline");
    house_say(&house, topic_of(p, "/set"), "{\"state\":\"ON\",\"transaction\":\"t\"}");
    house_run(&house, 20);
    assert_non_null(strstr(house_heard(&house, topic_of(p, "/response")), "\"code\":\"offline\""));
    house_stop(&house);
}

/* [trap 9] Wi-Fi drops, the plug connects again with the same id while the old one lingers. */
static void a_takeover_does_not_end_offline(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add(SEED, 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    struct conn *old = p->conn;
    p->conn = NULL;
    simplug_closed(p->sim, house.fake.mono_ms);
    house_forget(&house);
    assert_true(house_run_until_bound(&house, MINUTE) < MINUTE);
    conn_lost(old, "the old one ends late");
    house_run(&house, 1000);
    assert_string_equal(house_heard(&house, topic_of(p, "/availability")), "online");
    house_stop(&house);
}

/* [trap 33] A router without a clock acks Bind and says no time until it has one. */
static void nothing_is_said_about_time_before_the_host_knows_it(void **state)
{
    (void)state;
    house_start(&house, NULL);
    house_wall(&house, 12000);
    struct house_plug *p = add("mss310", 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 20000);
    assert_false(house_status(p)->clock);
    assert_int_equal(house_status(p)->times, 0);
    house_wall(&house, HOUSE_WALL_MS);
    house_run(&house, 2 * MINUTE);
    assert_bound(p);
    assert_true(house_status(p)->clock);
    assert_true(house_status(p)->zone);
    house_assert_clean(&house);
    house_stop(&house);
}

/* Traps 12, 13, 14: what would make a plug reboot does not reach it. */
static void foreign_payloads_do_not_reach_a_plug(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0", "1", "", "{", "[]", "null", "{\"header\":{}}", "{\"header\":{},\"payload\":{}}", "ON"};
    char topic[64];
    house_start(&house, NULL);
    struct house_plug *p = add(SEED, 0);
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    (void)snprintf(topic, sizeof topic, "/appliance/%s/subscribe",
                   simplug_options_of(p->sim)->uuid);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        house_say(&house, topic, bad[i]);
        house_run(&house, 100);
        assert_bound(p);
    }
    wire_publish(&house.hand, topic, "{}", MQTT_QOS0, true, 0);
    house_run(&house, 100);
    assert_bound(p);
    house_assert_clean(&house);
    house_stop(&house);
}

static void the_registry_survives_a_restart(void **state)
{
    (void)state;
    house_start(&house, NULL);
    struct house_plug *p = add(SEED, 0);
    char request[128], name[64];
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10000);
    name_of(p, name);
    (void)snprintf(request, sizeof request,
                   "{\"transaction\":\"r\",\"plug\":\"%s\",\"name\":\"Küche\"}", name);
    house_say(&house, "meross/broker/request/rename", request);
    house_run(&house, 3000);
    assert_non_null(strstr(house_heard(&house, "meross/broker/response/rename"), "\"ok\""));
    assert_string_equal(house_heard(&house, "meross/Küche/availability"), "online");
    assert_string_equal(house_heard(&house, topic_of(p, "/availability")), ""); /* cleared */
    house_broker_stop(&house);
    house_forget(&house);
    house_broker_start(&house);
    house_run(&house, 100);
    assert_string_equal(house_heard(&house, "meross/Küche/availability"), "offline");
    assert_true(house_run_until_bound(&house, MINUTE) < MINUTE);
    house_run(&house, 1000);
    assert_string_equal(house_heard(&house, "meross/Küche/availability"), "online");
    house_say(&house, "meross/broker/request/forget", "{\"transaction\":\"f\",\"plug\":\"küche\"}");
    house_run(&house, 20);
    assert_non_null(strstr(house_heard(&house, "meross/broker/response/forget"), "\"ok\""));
    assert_true(house_run_until_bound(&house, MINUTE) < MINUTE); /* it comes back as a new one */
    house_run(&house, 1000);
    assert_string_equal(house_heard(&house, topic_of(p, "/availability")), "online");
    house_stop(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_plug_is_bound_and_stays),
        cmocka_unit_test(after_a_broker_restart_it_never_blinks_again),
        cmocka_unit_test(twenty_plugs_come_back_in_one_second),
        cmocka_unit_test(it_obeys_and_says_so),
        cmocka_unit_test(a_button_press_is_seen),
        cmocka_unit_test(a_strip_has_outlets),
        cmocka_unit_test(every_variant_is_bound_and_obeys),
        cmocka_unit_test(a_foreign_key_is_bound_and_explained),
        cmocka_unit_test(the_configured_key_is_found),
        cmocka_unit_test(a_silent_death_is_noticed),
        cmocka_unit_test(a_takeover_does_not_end_offline),
        cmocka_unit_test(nothing_is_said_about_time_before_the_host_knows_it),
        cmocka_unit_test(foreign_payloads_do_not_reach_a_plug),
        cmocka_unit_test(the_registry_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The models of tests/plugsim/models behave as sections 5 and 9 of the sheet say: every one of
 * them, and each family by what it can do. */
#include "tests/sim/plug_family.h"

#include <dirent.h>
#include <stdio.h>

#define LIGHT    "Appliance.Control.Light"
#define GARAGE   "Appliance.GarageDoor.State"
#define POSITION "Appliance.RollerShutter.Position"
#define SHUTTER  "Appliance.RollerShutter.State"
#define MODE     "Appliance.Control.Thermostat.Mode"

static void check_model(const char *name)
{
    struct bench *b = bound(name);
    const struct simplug_options *o = simplug_options_of(b->plug);
    char part[64];
    (void)snprintf(part, sizeof part, "{\"type\":\"%s\",", o->type);
    holds(ask(b, "GET", ALL, "{}", "GETACK"), part);
    (void)snprintf(part, sizeof part, "{\"version\":\"%s\",", o->fw);
    holds(ask(b, "GET", ALL, "{}", "GETACK"), part);
    holds(ask(b, "GET", ABILITY, "{}", "GETACK"), "\"Appliance.System.All\":{}");
    assert_clean(b);
    bench_free(b);
}

/* Every file: it binds, and its System.All and System.Ability are JSON. */
static void test_every_model_binds(void **state)
{
    (void)state;
    unsigned n = 0;
    DIR *folder = opendir(MD_SOURCE_DIR "/tests/plugsim/models");
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
        char name[64];
        const char *dot = strstr(e->d_name, ".json");
        if (dot == NULL)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)(dot - e->d_name), e->d_name);
        check_model(name);
        n++;
    }
    (void)closedir(folder);
    assert_in_range(n, 50, 200);
}

static void test_no_such_model(void **state)
{
    (void)state;
    struct simplug_options o;
    assert_int_equal(simplug_options_preset(&o, "mss999", 0), MD_NOENT);
    assert_int_equal(simplug_options_preset(&o, "../models/mss310-6.3.21", 0), MD_NOENT);
}

static void test_a_lamp_takes_what_its_capacity_names(void **state)
{
    (void)state;
    struct bench *b = bound("msl320cpr-4.3.1");
    (void)ask(b, "SET", LIGHT,
              "{\"light\":{\"channel\":0,\"capacity\":5,\"rgb\":16711680,"
              "\"luminance\":80,\"temperature\":3}}",
              "SETACK");
    const char *light = ask(b, "GET", LIGHT, "{}", "GETACK");
    holds(light, "\"rgb\":16711680,\"temperature\":55,\"luminance\":80");
    holds(pushed(b, LIGHT, 0), "{\"light\":{\"channel\":0,\"capacity\":5,");
    assert_true(simplug_status(b->plug)->relay[0]); /* a SET turns it on */
    holds(ask(b, "GET", ALL, "{}", "GETACK"), "\"light\":{\"channel\":0,\"capacity\":5,");
    assert_clean(b);
    (void)ask(b, "SET", LIGHT,
              "{\"light\":{\"channel\":0,\"capacity\":3,\"rgb\":1,"
              "\"temperature\":1}}",
              "ERROR");
    assert_violation(b, "capacity");
    (void)ask(b, "SET", LIGHT, "{\"light\":{\"channel\":0,\"capacity\":4,\"luminance\":101}}",
              "ERROR");
    assert_violation(b, "luminance is 101");
    (void)ask(b, "SET", LIGHT, "{\"light\":{\"channel\":1,\"capacity\":4,\"luminance\":100}}",
              "ERROR");
    assert_violation(b, "which it has not");
    bench_free(b);
}

static void test_a_garage_door_takes_its_time(void **state)
{
    (void)state;
    struct bench *b = bound("msg100-4.2.1");
    holds(ask(b, "SET", GARAGE, "{\"state\":{\"channel\":0,\"open\":1,\"uuid\":\"x\"}}", "SETACK"),
          "{\"state\":{\"channel\":0,\"open\":0,\"lmTime\":0,\"execute\":1}}");
    assert_int_equal(bench_count(b, GARAGE, "PUSH"), 0);
    bench_run(b, 10000);
    holds(pushed(b, GARAGE, 0), "{\"state\":[{\"channel\":0,\"open\":1,\"lmTime\":17000000");
    holds(ask(b, "SET", GARAGE, "{\"state\":{\"channel\":0,\"open\":1,\"uuid\":\"x\"}}", "SETACK"),
          "\"execute\":0");
    /* By hand. */
    assert_int_equal(simplug_sense(b->plug, GARAGE, "{\"channel\":0,\"open\":0}", b->now), MD_OK);
    bench_run(b, 10);
    holds(pushed(b, GARAGE, 1), "\"open\":0");
    assert_clean(b);
    bench_free(b);
    b = bound("msg200-4.2.8");
    (void)ask(b, "SET", GARAGE, "{\"state\":{\"channel\":1,\"open\":1}}", "ERROR");
    assert_violation(b, "without \"uuid\"");
    bench_free(b);
}

static void test_a_shutter_moves_and_stops(void **state)
{
    (void)state;
    struct bench *b = bound("mrs100-7.6.10");
    (void)ask(b, "SET", POSITION, "{\"position\":{\"channel\":0,\"position\":50}}", "SETACK");
    holds(pushed(b, SHUTTER, 0), "\"state\":1");
    bench_run(b, 20000);
    holds(pushed(b, POSITION, 0), "\"position\":50");
    holds(pushed(b, SHUTTER, 1), "\"state\":0");
    (void)ask(b, "SET", POSITION, "{\"position\":{\"channel\":0,\"position\":0}}", "SETACK");
    bench_run(b, 9500);
    (void)ask(b, "SET", POSITION, "{\"position\":{\"channel\":0,\"position\":-1}}", "SETACK");
    holds(ask(b, "GET", POSITION, "{\"position\":[]}", "GETACK"), "\"position\":25");
    holds(pushed(b, SHUTTER, 3), "\"state\":0");
    assert_clean(b);
    bench_free(b);
    b = bound("mrs100-2.1.2");
    /* */
    holds(ask(b, "GET", TOGGLEX, "{}", "GETACK"), "\"payload\":{\"channel\":0}}");
    (void)ask(b, "SET", POSITION, "{\"position\":{\"channel\":0,\"position\":50}}", "ERROR");
    assert_violation(b, "position is 50");
    bench_free(b);
}

static void test_a_thermostat_heats_when_it_is_too_cold(void **state)
{
    (void)state;
    struct bench *b = bound("mts200b-7.6.5");
    const char *ack =
        ask(b, "SET", MODE, "{\"mode\":[{\"channel\":0,\"manualTemp\":230}]}", "SETACK");
    holds(ack, "\"state\":1,\"currentTemp\":221");
    holds(ack, "\"targetTemp\":230");
    ack = ask(b, "SET", MODE, "{\"mode\":[{\"channel\":0,\"mode\":2}]}", "SETACK");
    holds(ack, "\"state\":0");
    holds(ack, "\"targetTemp\":120");
    assert_int_equal(bench_count(b, MODE, "PUSH"), 2);
    assert_clean(b);
    (void)ask(b, "SET", MODE, "{\"mode\":[{\"channel\":0,\"targetTemp\":230}]}", "ERROR");
    assert_violation(b, "\"targetTemp\" cannot be set");
    bench_free(b);
}

static void test_an_empty_list_of_channels_gets_an_empty_list(void **state)
{
    (void)state;
    const char *ns = "Appliance.Control.Thermostat.ModeC";
    struct bench *b = bound("mts300-9.1.12");
    holds(ask(b, "GET", ALL, "{}", "GETACK"), "\"digest\":{}");
    holds(ask(b, "GET", ns, "{\"control\":[]}", "GETACK"), "{\"control\":[]}");
    holds(ask(b, "GET", ns, "{\"control\":[{\"channel\":0}]}", "GETACK"),
          "\"targetTemp\":{\"heat\":2100");
    (void)ask(b, "SET", ns, "{\"control\":[{\"channel\":0,\"targetTemp\":{\"heat\":1900}}]}",
              "SETACK");
    holds(pushed(b, ns, 0), "\"targetTemp\":{\"heat\":1900,\"cold\":2400}");
    assert_clean(b);
    bench_free(b);
}

static void test_a_diffuser_wants_its_type(void **state)
{
    (void)state;
    const char *ns = "Appliance.Control.Diffuser.Spray";
    struct bench *b = bound("mod100-3.1.5");
    (void)ask(b, "SET", ns, "{\"type\":\"mod100\",\"spray\":[{\"channel\":0,\"mode\":1}]}",
              "SETACK");
    holds(pushed(b, ns, 0), "{\"type\":\"mod100\",\"spray\":[{\"channel\":0,\"mode\":1,");
    assert_clean(b);
    (void)ask(b, "SET", ns, "{\"spray\":[{\"channel\":0,\"mode\":0}]}", "ERROR");
    assert_violation(b, "without its \"type\"");
    bench_free(b);
}

static void test_a_query_by_push(void **state)
{
    (void)state;
    struct bench *b = bound("map100-7.2.27");
    bench_ask(b, "PUSH", "Appliance.Control.FilterMaintenance", NULL, "{}");
    bench_run(b, 500);
    holds(pushed(b, "Appliance.Control.FilterMaintenance", 0),
          "{\"filter\":[{\"channel\":0,\"life\":87,");
    assert_clean(b);
    bench_ask(b, "GET", "Appliance.Control.FilterMaintenance", NULL, "{}");
    bench_run(b, 500);
    assert_null(bench_answer(b));
    assert_violation(b, "which it does not know");
    bench_free(b);
}

static void test_a_hub_and_its_sub_devices(void **state)
{
    (void)state;
    struct simplug_options o = preset("msh300-4.1.26");
    struct bench *b = open_bench(&o);
    b->ack_bind = true;
    bench_run(b, 11000);
    /* Again and again, until it is answered. */
    const struct bench_message *m = bench_find(b, "Appliance.Hub.SubdeviceList", "PUSH", 2);
    assert_non_null(m);
    assert_non_null(strstr(m->payload, "\"needReply\":1"));
    assert_int_equal(m->at, 10000);
    bench_ask(b, "PUSH", m->ns, m->id, "{\"subdevice\":[]}");
    bench_run(b, 20000);
    assert_int_equal(bench_count(b, "Appliance.Hub.SubdeviceList", "PUSH"), 3);
    assert_int_equal(simplug_status(b->plug)->answered, 1);
    holds(ask(b, "GET", ALL, "{}", "GETACK"), "\"hub\":{\"hubId\":-381895630,");
    (void)ask(b, "SET", "Appliance.Hub.ToggleX",
              "{\"togglex\":[{\"id\":\"01008C11\",\"onoff\":0}]}", "SETACK");
    holds(ask(b, "GET", ALL, "{}", "GETACK"), "\"id\":\"01008C11\",\"status\":1,\"lastActiveTime\":"
                                              "1700000000,\"scheduleBMode\":6,\"onoff\":0");
    holds(pushed(b, "Appliance.Hub.ToggleX", 0),
          "{\"togglex\":[{\"id\":\"01008C11\",\"onoff\":0}]}");
    (void)ask(b, "SET", "Appliance.Hub.Mts100.Temperature",
              "{\"temperature\":[{\"id\":\"01008C11\",\"custom\":180}]}", "SETACK");
    holds(ask(b, "GET", "Appliance.Hub.Mts100.All", "{\"all\":[{\"id\":\"01008C11\"}]}", "GETACK"),
          "\"room\":195,\"currentSet\":180,\"custom\":180,");
    assert_int_equal(simplug_sense(b->plug, "Appliance.Hub.Mts100.Temperature",
                                   "{\"id\":\"01008C11\",\"room\":170}", b->now),
                     MD_OK);
    bench_run(b, 10);
    holds(pushed(b, "Appliance.Hub.Mts100.Temperature", 1), "{\"id\":\"01008C11\",\"room\":170,");
    holds(pushed(b, "Appliance.Hub.Mts100.Temperature", 1), "\"heating\":1");
    assert_clean(b);
    (void)ask(b, "GET", "Appliance.Hub.Mts100.All", "{\"all\":[{\"id\":\"FFFFFFFF\"}]}", "ERROR");
    assert_violation(b, "which it has not");
    bench_free(b);
}

static void test_over_temperature_is_told_until_it_is_acknowledged(void **state)
{
    (void)state;
    const char *ns = "Appliance.Control.OverTemp";
    struct bench *b = bound("mss305-8.3.15");
    simplug_alarm(b->plug, ns, "{\"overTemp\":{\"channel\":0,\"value\":1,\"type\":2}}", b->now);
    bench_run(b, 6000);
    assert_int_equal(bench_count(b, ns, "SET"), 2);
    bench_ask(b, "SETACK", ns, bench_find(b, ns, "SET", 1)->id, "{}");
    bench_run(b, 20000);
    assert_int_equal(bench_count(b, ns, "SET"), 2);
    assert_clean(b);
    bench_free(b);
}

static void test_more_than_it_takes_at_once(void **state)
{
    (void)state;
    struct bench *b = bound("mss305-8.3.15"); /* three */
    char payload[1024] = "{\"multiple\":[";
    for (int i = 0; i < 4; i++) {
        size_t n = strlen(payload);
        (void)snprintf(
            payload + n, sizeof payload - n,
            "%s{\"header\":{\"messageId\":\"%032d\",\"method\":\"GET\",\"namespace\":\"" METER
            "\"},\"payload\":{}}",
            i > 0 ? "," : "", i);
    }
    (void)strncat(payload, "]}", sizeof payload - strlen(payload) - 1);
    (void)ask(b, "SET", "Appliance.Control.Multiple", payload, "SETACK");
    assert_violation(b, "it takes 3");
    bench_free(b);
}

/* Two that follow each other too soon; a minute after it connected they may. */
static void test_a_burst_right_after_it_connected(void **state)
{
    (void)state;
    struct bench *b = bound("mss305-8.3.15");
    (void)ask(b, "GET", ALL, "{}", "GETACK");
    bench_ask(b, "GET", ALL, NULL, "{}");
    assert_int_equal(simplug_status(b->plug)->reboots, 0); /* 500 ms later */
    bench_run(b, 499);
    bench_ask(b, "GET", ALL, NULL, "{}");
    assert_int_equal(simplug_status(b->plug)->reboots, 1);
    assert_violation(b, "burst");
    bench_run(b, 2 * MINUTE);
    (void)ask(b, "GET", ALL, "{}", "GETACK");
    bench_ask(b, "GET", ALL, NULL, "{}");
    bench_run(b, 200);
    bench_ask(b, "GET", ALL, NULL, "{}");
    assert_int_equal(simplug_status(b->plug)->reboots, 1);
    bench_free(b);
}

static void test_batteries_are_read_rarely(void **state)
{
    (void)state;
    struct bench *b = bound("msh300hk-5.5.41");
    holds(ask(b, "GET", "Appliance.Hub.Battery", "{\"battery\":[]}", "GETACK"), "\"value\":60}");
    bench_run(b, 10 * MINUTE - 500);
    (void)ask(b, "GET", "Appliance.Hub.Battery", "{}", "GETACK");
    assert_clean(b);
    bench_run(b, 10 * MINUTE - 1000);
    (void)ask(b, "GET", "Appliance.Hub.Battery", "{}", "GETACK");
    assert_violation(b, "wakes its sub-devices");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_model_binds),
        TEST(test_no_such_model),
        TEST(test_a_lamp_takes_what_its_capacity_names),
        TEST(test_a_garage_door_takes_its_time),
        TEST(test_a_shutter_moves_and_stops),
        TEST(test_a_thermostat_heats_when_it_is_too_cold),
        TEST(test_an_empty_list_of_channels_gets_an_empty_list),
        TEST(test_a_diffuser_wants_its_type),
        TEST(test_a_query_by_push),
        TEST(test_a_hub_and_its_sub_devices),
        TEST(test_over_temperature_is_told_until_it_is_acknowledged),
        TEST(test_more_than_it_takes_at_once),
        TEST(test_a_burst_right_after_it_connected),
        TEST(test_batteries_are_read_rarely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

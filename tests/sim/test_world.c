/* Things happen to devices without an order of ours: a door is opened by hand, smoke, a timer of the
 * plug's own.  They are told, what wants an answer gets one, and the state is right afterwards. */
#include "tests/sim/house.h"

#include "tests/plugsim/bench.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define SETTLED  30000
#define OVERTEMP "Appliance.Control.OverTemp"
#define VALVE    "Appliance.Hub.Mts100.Temperature"

static struct house house;

static struct house_plug *begin(const char *model)
{
    house_start(&house, "");
    struct simplug_options o = house_options(&house, model, 7);
    struct house_plug *p = house_plug(&house, &o);
    assert_true(house_run_until_bound(&house, 20000) != UINT64_MAX);
    house_run(&house, SETTLED);
    return p;
}

static void end(void)
{
    house_assert_clean(&house);
    house_stop(&house);
}

static const char *state_of(const struct house_plug *p)
{
    char topic[64];
    const struct simplug_options *o = simplug_options_of(p->sim);
    (void)snprintf(topic, sizeof topic, "meross/%s-%.2s%.2s", o->type, o->mac + 12, o->mac + 15);
    return house_heard(&house, topic);
}

static void assert_state(const struct house_plug *p, const char *part)
{
    if (strstr(state_of(p), part) == NULL)
        fail_msg("\"%s\" is not in %s", part, state_of(p));
}

static void test_what_sensors_tell_is_the_state(void **state)
{
    (void)state;
    static const struct {
        const char *model, *before, *ns, *news, *after;
    } cases[] = {
        {"msg100-3.2.7", "\"door\":\"closed\"", "Appliance.GarageDoor.State",
         "{\"channel\":0,\"open\":1}", "\"door\":\"open\""},
        {"mrs100-7.6.10", "\"position\":0", "Appliance.RollerShutter.Position",
         "{\"channel\":0,\"position\":64}", "\"position\":64"},
        {"mts200b-7.6.9", "\"window_open\":false", "Appliance.Control.Thermostat.WindowOpened",
         "{\"channel\":0,\"status\":1}", "\"window_open\":true"},
        {"mts300-9.1.12", "\"temperature\":22", "Appliance.Control.Thermostat.ModeC",
         "{\"channel\":0,\"currentTemp\":2315}", "\"temperature\":23.15"},
        {"map100-7.2.27", "\"filter_life\":87", "Appliance.Control.FilterMaintenance",
         "{\"channel\":0,\"life\":12}", "\"filter_life\":12"},
        {"ms600-9.3.22", "\"presence\":true", "Appliance.Control.Sensor.LatestX",
         "{\"channel\":0,\"data\":{\"presence\":[{\"value\":1,\"distance\":900,\"timestamp\":2}]}}",
         "\"presence\":false"},
        {"msh300-4.1.26", "\"temperature\":19.5", VALVE, "{\"id\":\"01008C11\",\"room\":183}",
         "\"temperature\":18.3"},
        {"msh300hk-5.5.41", "\"open\":false", "Appliance.Hub.Sensor.DoorWindow",
         "{\"id\":\"3C00A1B2\",\"status\":1}", "\"open\":true"},
        {"msh300hk-5.5.41", "\"smoke\":\"ok\"", "Appliance.Hub.Sensor.Smoke",
         "{\"id\":\"2B0012C4\",\"status\":25}", "\"smoke\":\"smoke"},
        {"msh300hk-5.5.32", "\"leak\":false", "Appliance.Hub.Sensor.WaterLeak",
         "{\"id\":\"5E00D4E5\",\"latestWaterLeak\":1}", "\"leak\":true"},
        {"msh300hk-4.5.10", "\"id\":\"01008C1C\",\"type\":\"mts150\",\"online\":true",
         "Appliance.Hub.Online", "{\"id\":\"01008C1C\",\"status\":2}",
         "\"id\":\"01008C1C\",\"type\":\"mts150\",\"online\":false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct house_plug *p = begin(cases[i].model);
        assert_state(p, cases[i].before);
        assert_int_equal(simplug_sense(p->sim, cases[i].ns, cases[i].news, house.fake.mono_ms),
                         MD_OK);
        house_run(&house, 1000);
        assert_state(p, cases[i].after);
        end();
    }
}

/* [trap 36] A hub tells its list until it is answered: the first time is the last. */
static void test_a_hubs_list_is_answered(void **state)
{
    (void)state;
    struct house_plug *p = begin("msh300hk-5.5.41");
    assert_int_equal(simplug_status(p->sim)->answered, 1);
    house_run(&house, 60000);
    assert_int_equal(simplug_status(p->sim)->answered, 1);
    end();
}

static void test_over_temperature_is_acknowledged_and_shown(void **state)
{
    (void)state;
    struct house_plug *p = begin("mss305-8.3.15");
    simplug_alarm(p->sim, OVERTEMP, "{\"overTemp\":{\"channel\":0,\"value\":1,\"type\":2}}",
                  house.fake.mono_ms);
    house_run(&house, 1000);
    assert_int_equal(simplug_status(p->sim)->answered, 1);
    assert_state(p, "\"overheated\":true");
    simplug_alarm(p->sim, OVERTEMP, "{\"overTemp\":{\"channel\":0,\"value\":2,\"type\":2}}",
                  house.fake.mono_ms);
    house_run(&house, 1000);
    assert_int_equal(simplug_status(p->sim)->answered, 2);
    assert_state(p, "\"overheated\":false");
    end();
}

/* [trap 38] However often the broker meets a hub again, batteries are not read each time. */
static void test_a_hub_that_comes_back_keeps_its_batteries(void **state)
{
    (void)state;
    struct house_plug *p = begin("msh300hk-5.5.32");
    for (unsigned i = 0; i < 5; i++) {
        simplug_power_cycle(p->sim, house.fake.mono_ms);
        house_run(&house, SETTLED);
        assert_true(simplug_status(p->sim)->bound);
    }
    assert_state(p, "\"battery\":60");
    end();
}

/* One valve of thirteen. */
static void test_a_valve_is_set_and_moves_by_itself(void **state)
{
    (void)state;
    struct house_plug *p = begin("msh300hk-4.5.10");
    const char *name = "meross/msh300hk-";
    char set[64];
    const struct simplug_options *o = simplug_options_of(p->sim);
    (void)snprintf(set, sizeof set, "%s%.2s%.2s/set", name, o->mac + 12, o->mac + 15);
    house_say(&house, set, "{\"subdevice\":\"01008C15\",\"target_temperature\":24}");
    house_run(&house, 3000);
    assert_state(p, "\"temperature\":20,\"target_temperature\":24");
    assert_state(p, "\"heating\":true");
    end();
}

/* One of each of these generations and families; the broker ends and begins again. */
static void test_a_house_full_of_them_survives_a_restart(void **state)
{
    (void)state;
    static const char *const models[] = {
        "mss210-1.1.12",   "mss310-1.1.18", "mss425e-1.1.9", "mss310-2.1.17",   "mss420f-3.1.1",
        "mss425f-4.1.6",   "mss310-6.1.8",  "mss310-6.3.21", "mss110-7.3.37",   "mss305-8.3.15",
        "mss315-9.5.33",   "mss315-9.5.39", "msl120j-2.1.2", "msl320cpr-4.3.8", "hp110ahk-4.1.12",
        "msxh0-3.1.5",     "mod100-3.1.5",  "map100-7.2.27", "mfc100-7.3.14",   "msg100-4.2.1",
        "msg200-4.2.8",    "mrs100-2.1.2",  "mrs100-7.6.10", "mts200-7.6.7",    "mts960-4.2.6",
        "mts300-9.1.12",   "ms600-9.3.22",  "em06-2.3.8",    "msh300-4.1.26",   "msh300hk-4.5.10",
        "msh300hk-5.5.41",
    };
    unsigned n = sizeof models / sizeof models[0];
    house_start(&house, "");
    for (unsigned i = 0; i < n; i++) {
        struct simplug_options o = house_options(&house, models[i], i);
        (void)house_plug(&house, &o);
    }
    assert_true(house_run_until_bound(&house, 20000) != UINT64_MAX);
    house_run(&house, SETTLED);
    house_forget(&house);
    house_broker_stop(&house);
    house_broker_start(&house);
    assert_true(house_run_until_bound(&house, 60000) != UINT64_MAX);
    house_forget(&house);
    house_run(&house, SETTLED);
    for (unsigned i = 0; i < n; i++) {
        assert_true(simplug_status(house.plugs[i].sim)->session);
        assert_int_equal(simplug_status(house.plugs[i].sim)->reboots, 0);
    }
    end();
}

/* A timer of the plug's own goes on while the broker is away. */
static void test_a_timer_goes_on_without_a_broker(void **state)
{
    (void)state;
    struct house_plug *p = begin("mss310-6.3.21");
    const struct simplug_options *o = simplug_options_of(p->sim);
    char topic[100], payload[1000], stamp[24], sign[33];
    const char *id = "0123456789abcdef0123456789abcdef";
    (void)snprintf(topic, sizeof topic, "/appliance/%s/subscribe", o->uuid);
    (void)snprintf(stamp, sizeof stamp, "%lld", (long long)(house.fake.wall_ms / 1000));
    bench_sign(id, "", stamp, sign);
    /* It was 16:13:20 in Berlin half a minute ago. */
    (void)snprintf(payload, sizeof payload,
                   "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"Appliance.Control.TimerX\","
                   "\"method\":\"SET\",\"payloadVersion\":1,\"from\":\"/app/0-test/subscribe\","
                   "\"timestamp\":%s,\"timestampMs\":0,\"sign\":\"%s\"},\"payload\":{\"timerx\":{"
                   "\"id\":\"n1jxtruoknvotm8a\",\"type\":1,\"enable\":1,\"channel\":0,\"week\":255,"
                   "\"time\":%d,\"extend\":{\"toggle\":{\"onoff\":1}}}}}",
                   id, stamp, sign, 16 * 60 + 17);
    house_say(&house, topic, payload);
    house_run(&house, 1000);
    house_broker_stop(&house);
    assert_false(simplug_status(p->sim)->relay[0]);
    for (unsigned i = 0; i < 5 * 6000; i++) {
        house.fake.mono_ms += 10;
        house.fake.wall_ms += 10;
        (void)simplug_tick(p->sim, house.fake.mono_ms);
    }
    assert_true(simplug_status(p->sim)->relay[0]);
    house_broker_start(&house);
    house_run(&house, SETTLED);
    assert_state(p, "\"state\":\"ON\"");
    end();
}

/* What pairs it with another system is nobody's business but the owner's. */
static void test_setup_codes_are_not_told(void **state)
{
    (void)state;
    struct house_plug *p = begin("mts300-9.1.12");
    simplug_alarm(p->sim, "Appliance.Config.Info",
                  "{\"info\":{\"homekit\":{\"setupCode\":\"SETUP-CODE\",\"token\":\"TOKEN-1\"}},"
                  "\"needReply\":0}",
                  house.fake.mono_ms);
    house_run(&house, 10000);
    for (unsigned i = 0; i < house.n_notes; i++) {
        assert_null(strstr(house.notes[i].payload, "SETUP-CODE"));
        assert_null(strstr(house.notes[i].payload, "TOKEN-1"));
    }
    assert_null(strstr(house.log, "SETUP-CODE"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_sensors_tell_is_the_state),
        cmocka_unit_test(test_a_hubs_list_is_answered),
        cmocka_unit_test(test_over_temperature_is_acknowledged_and_shown),
        cmocka_unit_test(test_a_hub_that_comes_back_keeps_its_batteries),
        cmocka_unit_test(test_a_valve_is_set_and_moves_by_itself),
        cmocka_unit_test(test_a_house_full_of_them_survives_a_restart),
        cmocka_unit_test(test_a_timer_goes_on_without_a_broker),
        cmocka_unit_test(test_setup_codes_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

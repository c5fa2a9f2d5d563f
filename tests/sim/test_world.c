/* Things happen to devices without an order of ours: a door is opened by hand, smoke, a timer of the
 * plug's own.  They are told, what wants an answer gets one, and the state is right afterwards. */
#include "tests/sim/house.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_sensors_tell_is_the_state),
        cmocka_unit_test(test_a_hubs_list_is_answered),
        cmocka_unit_test(test_over_temperature_is_acknowledged_and_shown),
        cmocka_unit_test(test_a_hub_that_comes_back_keeps_its_batteries),
        cmocka_unit_test(test_a_valve_is_set_and_moves_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

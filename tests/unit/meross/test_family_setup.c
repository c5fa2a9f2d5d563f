/* What is set up rather than done: doors and shutters, screens and units, overheating, schedules;
 * and machines that play (sheet 5.6 to 5.10). */
#include "tests/unit/meross/family.h"

#include "meross/wire/namespaces.h"

#define CHANNEL(n) facts_channel(n)

static void obeys_at(unsigned channel, const char *wish, const char *want)
{
    assert_int_equal(wish_at(CHANNEL(channel), true, wish, -1, want), MD_OK);
}

static void refuses_at(unsigned channel, const char *wish, const char *reason)
{
    assert_int_equal(wish_at(CHANNEL(channel), true, wish, -1, reason), MD_INVAL);
}

/* msg200: each door is set up by itself; one that is not in use has no state and cannot be
 * moved. */
static void test_doors(void **state)
{
    (void)state;
    device_is("msg200", "4.2.8",
              "\"Appliance.GarageDoor.State\":{},\"Appliance.GarageDoor.Config\":{},"
              "\"Appliance.GarageDoor.MultipleConfig\":{}");
    hears_digest("{\"garageDoor\":[{\"channel\":1,\"doorEnable\":1,\"open\":0},"
                 "{\"channel\":3,\"doorEnable\":0,\"open\":0}]}");
    hears(NS_DOORS_SETUP,
          "{\"config\":[{\"channel\":1,\"doorEnable\":1,\"signalOpen\":1000,\"signalClose\":1500,"
          "\"buzzerEnable\":0,\"doorOpenDuration\":30000,\"doorCloseDuration\":\"12345\","
          "\"timestamp\":0,\"timestampMs\":0,\"_\":null}]}"); /* [trap 20] [trap 22] */
    state_is("{\"channels\":[{\"channel\":1,\"door\":\"closed\",\"door_enabled\":true,"
             "\"buzzer\":false,\"signal_open\":1,\"signal_close\":1.5,\"open_duration\":30,"
             "\"close_duration\":12.345},{\"channel\":3,\"door_enabled\":false}]}");
    obeys_at(1, "{\"buzzer\":true}",
             "MultipleConfig {\"config\":[{\"channel\":1,\"doorEnable\":1,\"signalOpen\":1000,"
             "\"signalClose\":1500,\"buzzerEnable\":1,\"doorOpenDuration\":30000,"
             "\"doorCloseDuration\":12345}]}");
    refuses_at(3, "{\"door\":\"open\"}", "door_enabled=true brings it back");
    obeys_at(3, "{\"door_enabled\":\"on\"}",
             "MultipleConfig {\"config\":[{\"channel\":3,\"doorEnable\":1}]}");
    obeys_at(1, "{\"open_duration\":1}",
             "MultipleConfig {\"config\":[{\"channel\":1,\"doorEnable\":1,\"signalOpen\":1000,"
             "\"signalClose\":1500,\"buzzerEnable\":0,\"doorOpenDuration\":1000,"
             "\"doorCloseDuration\":12345}]}");
    refuses_at(1, "{\"open_duration\":0.999}", "takes open_duration from 1 to 600");
    refuses_at(1, "{\"open_duration\":600.001}", "takes open_duration from 1 to 600");
    refuses_at(1, "{\"signal_open\":10.001}", "takes signal_open from 0 to 10");
    acknowledges(CHANNEL(1), "{\"door_enabled\":false}", -1, "{}");
    assert_non_null(strstr(state_now(), "{\"channel\":1,\"door_enabled\":false,"));
    hears(NS_GARAGE, "{\"state\":[{\"channel\":1,\"open\":1}]}");
    assert_null(strstr(state_now(), "\"door\":"));
}

/* msg100: one door, set up as the device. */
static void test_one_door(void **state)
{
    (void)state;
    device_is("msg100", "4.2.1",
              "\"Appliance.GarageDoor.State\":{},\"Appliance.GarageDoor.Config\":{}");
    hears(NS_GARAGE_SETUP, "{\"config\":[{\"signalDuration\":1000,\"buzzerEnable\":0,"
                           "\"doorOpenDuration\":30000,\"doorCloseDuration\":29999}]}");
    state_is("{\"buzzer\":false,\"signal_duration\":1,\"open_duration\":30,"
             "\"close_duration\":29.999,\"channels\":[]}");
    obeys("{\"signal_duration\":0.5}",
          "Config {\"config\":{\"signalDuration\":500,\"buzzerEnable\":0,"
          "\"doorOpenDuration\":30000,\"doorCloseDuration\":29999}}");
    acknowledges(CHANNEL(0), "{\"buzzer\":true}", -1, "{}");
    assert_non_null(strstr(state_now(), "\"buzzer\":true"));
}

/* mrs100: run times. */
static void test_blind(void **state)
{
    (void)state;
#define BLIND "\"Appliance.RollerShutter.Position\":{},\"Appliance.RollerShutter.Config\":{}"
    device_is("mrs100", "6.6.6", BLIND ",\"Appliance.RollerShutter.Adjust\":{}");
    hears(NS_BLIND_SETUP, "{\"config\":[{\"channel\":0,\"autoAdjust\":1,\"signalOpen\":49700,"
                          "\"signalClose\":44700,\"lmTime\":1}]}");
    state_is("{\"open_duration\":49.7,\"close_duration\":44.7,\"auto_adjust\":true,"
             "\"channels\":[]}");
    obeys("{\"close_duration\":50,\"auto_adjust\":false}",
          "Config {\"config\":{\"channel\":0,\"autoAdjust\":0,\"signalOpen\":49700,"
          "\"signalClose\":50000}}");
    device_is("mrs100", "2.1.2", BLIND);
    refuses("{\"auto_adjust\":true}", "has no auto_adjust that can be set");
}

/* Plugs: what they do when they are too hot. */
static void test_overheating(void **state)
{
    (void)state;
    device_is("mss110", "7.3.37", "\"Appliance.Config.OverTemp\":{}");
    obeys("{\"overheat_protection\":true}", "OverTemp {\"overTemp\":{\"enable\":1}}");
    hears(NS_HOT_SETUP, "{\"overTemp\":{\"enable\":2,\"type\":2}}");
    state_is("{\"overheat_protection\":false,\"overheat_action\":\"cut\",\"channels\":[]}");
    obeys("{\"overheat_protection\":\"yes\"}", "OverTemp {\"overTemp\":{\"enable\":1,\"type\":2}}");
    obeys("{\"overheat_action\":\"warn\"}", "OverTemp {\"overTemp\":{\"enable\":2,\"type\":1}}");
    refuses("{\"overheat_action\":\"?\"}", "takes as overheat_action: warn, cut");
    acknowledges(CHANNEL(0), "{\"overheat_protection\":true}", -1, "{}");
    assert_non_null(strstr(state_now(), "\"overheat_protection\":true"));
    hears(NS_HOT_SETUP, "{\"overTemp\":[{\"enable\":0,\"type\":3}]}"); /* nobody knows these */
    state_is("{\"overheat_protection\":true,\"overheat_action\":3,\"channels\":[]}");
    obeys("{\"overheat_protection\":false}", "OverTemp {\"overTemp\":{\"enable\":2,\"type\":3}}");
    hears(NS_HOT_SETUP, "{\"overTemp\":{\"enable\":-1,\"type\":1}}"); /* it has none */
    state_is("{\"channels\":[]}");
}

/* Screens and units of thermostats. */
static void test_screens(void **state)
{
    (void)state;
    device_is(
        "mts200b", "7.6.5",
        "\"Appliance.Control.Thermostat.Mode\":{},\"Appliance.Control.Screen.Brightness\":{}");
    obeys("{\"screen_brightness\":100}",
          "Brightness {\"brightness\":[{\"channel\":0,\"operation\":100.0}]}");
    hears(NS_SCREEN, "{\"brightness\":[{\"channel\":0,\"operation\":75.0,\"standby\":12.5}]}");
    state_is("{\"screen_brightness\":75,\"screen_brightness_standby\":12.5,\"channels\":[]}");
    obeys("{\"screen_brightness_standby\":0}",
          "Brightness {\"brightness\":[{\"channel\":0,\"operation\":75.0,\"standby\":0.0}]}");
    refuses("{\"screen_brightness\":100.1}", "takes screen_brightness from 0 to 100");
    refuses("{\"screen_brightness\":-0.1}", "takes screen_brightness from 0 to 100");
    acknowledges(CHANNEL(0), "{\"screen_brightness\":7.5}", -1, "{}");
    assert_non_null(strstr(state_now(), "\"screen_brightness\":7.5"));
    device_is("mts300", "9.1.12", "\"Appliance.Control.TempUnit\":{}");
    hears(NS_TEMP_UNIT, "{\"tempUnit\":[{\"channel\":0,\"tempUnit\":2}]}");
    state_is("{\"temperature_unit\":\"fahrenheit\",\"channels\":[]}");
    obeys("{\"temperature_unit\":\"Celsius\"}",
          "TempUnit {\"tempUnit\":[{\"channel\":0,\"tempUnit\":1}]}");
    refuses("{\"temperature_unit\":\"kelvin\"}", "celsius, fahrenheit");
}

/* That there are schedules, and what is known of the rest. */
static void test_schedules(void **state)
{
    (void)state;
    device_is(
        "mts200b", "7.6.5",
        "\"Appliance.Control.Thermostat.Mode\":{},\"Appliance.Control.Thermostat.Schedule\":{}");
    hears(NS_SCHEDULE,
          "{\"schedule\":[{\"channel\":0,\"section\":3,\"mon\":[[390,75],[1050,160]]}]}");
    hears(NS_OVERHEAT, "{\"overheat\":[{\"channel\":0,\"warning\":0,\"value\":335,\"onoff\":1,"
                       "\"min\":200,\"max\":700,\"currentTemp\":250}]}");
    state_is("{\"overheat_protection\":true,\"overheat_temperature\":33.5,\"schedule\":true,"
             "\"channels\":[]}");
    refuses("{\"schedule\":false}", "has no schedule that can be set");
    hears(NS_SCHEDULE, "{\"schedule\":{\"channel\":0,\"mon\":[],\"tue\":[]}}");
    assert_non_null(strstr(state_now(), "\"schedule\":false"));
    hears(NS_SCHEDULE, "{\"schedule\":[{\"channel\":0}]}"); /* says nothing */
    assert_non_null(strstr(state_now(), "\"schedule\":false"));
    device_is("mts960", "4.2.6", "\"Appliance.Control.Thermostat.ModeB\":{}");
    hears(NS_SCHEDULE_B, "{\"scheduleB\":[{\"channel\":0,\"section\":1,\"sun\":[[1440,2100]]}]}");
    hears(NS_THERMO_TIMER, "{\"timer\":[{\"channel\":0,\"type\":1,\"down\":{\"duration\":1}}]}");
    state_is("{\"schedule\":true,\"timer\":1,\"channels\":[]}");
    device_is("msh300", "4.1.26", "\"Appliance.Hub.Mts100.ScheduleB\":{}");
    hears(NS_VALVE_PLAN, "{\"schedule\":[{\"id\":\"01008C11\",\"mon\":[[360,210]]}]}");
    assert_non_null(strstr(state_now(), "\"schedule\":true"));
}

/* hp110. */
static void test_sound(void **state)
{
    (void)state;
    device_is("hp110ahk", "4.1.12", "\"Appliance.Control.Mp3\":{}");
    hears(NS_MP3, "{\"mp3\":{\"song\":3,\"mute\":0,\"volume\":8,\"lmTime\":1}}");
    state_is("{\"song\":3,\"volume\":8,\"mute\":false,\"channels\":[]}");
    obeys("{\"volume\":5}", "Mp3 {\"mp3\":{\"volume\":5}}");
    obeys("{\"song\":2,\"mute\":true}", "Mp3 {\"mp3\":{\"song\":2,\"mute\":1}}");
    refuses("{\"volume\":-1}", "takes volume from 0 to 255");
    refuses("{\"song\":256}", "takes song from 0 to 255");
    acknowledges(CHANNEL(0), "{\"mute\":true}", -1, "{}");
    state_is("{\"song\":3,\"volume\":8,\"mute\":true,\"channels\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_doors),       T(test_one_door), T(test_blind),
                                       T(test_overheating), T(test_screens),  T(test_schedules),
                                       T(test_sound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

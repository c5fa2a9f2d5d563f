/* Lamps, doors, shutters, thermostats, air and what any device may have: from their messages to one
 * state, and from a wish to SETs. */
#include "tests/unit/meross/family.h"

#include "meross/people/wishes.h"
#include "meross/wire/namespaces.h"

#define TOGGLE "\"Appliance.Control.ToggleX\":{},"
#define LIGHT  "\"Appliance.Control.Light\":{\"capacity\":"

/* msl320cpr, msl450: ToggleX switches, colour and temperature exclude each other. */
static void test_strip(void **state)
{
    (void)state;
    device_is("msl320cpr", "4.3.8", TOGGLE LIGHT "15},\"Appliance.Control.Light.Effect\":{}");
    hears(NS_LIGHT, "{\"light\":{\"channel\":0,\"rgb\":23295,\"temperature\":22,\"luminance\":99,"
                    "\"transform\":0,\"capacity\":5,\"_\":null}}");
    state_is("{\"brightness\":99,\"color\":\"#005aff\",\"channels\":[]}");
    hears(NS_LIGHT, "{\"light\":[{\"capacity\":6,\"channel\":\"0\",\"rgb\":255,\"temperature\":55,"
                    "\"luminance\":75.0,\"transform\":0}]}"); /* [trap 20] floats */
    state_is("{\"brightness\":75,\"color_temperature\":55,\"channels\":[]}");
    /* A key with a dot does no harm  [trap 22]. */
    hears_digest("{\"light\":{\"channel\":0,\"capacity\":12,\"luminance\":50,\"effect\":1},"
                 "\"light.effect\":[{\"channel\":0}]}");
    state_is("{\"brightness\":50,\"color_temperature\":55,\"effect\":1,\"channels\":[]}");
    hears(NS_EFFECT, "{\"effect\":[{\"Id\":\"a\",\"effectName\":\"Night\"},"
                     "{\"Id\":\"b\",\"effectName\":\"Campfire\",\"enable\":1}]}");
    state_is(
        "{\"brightness\":50,\"color_temperature\":55,\"effect\":\"Campfire\",\"channels\":[]}");
    obeys("{\"effect\":\"night\"}",
          "Light {\"light\":{\"channel\":0,\"effect\":0,\"capacity\":8}}");
    obeys("{\"effect\":3}", "Light {\"light\":{\"channel\":0,\"effect\":3,\"capacity\":8}}");
    refuses("{\"effect\":\"Disco\"}", "knows no effect called Disco");
}

static void test_bulb_orders(void **state)
{
    (void)state;
    device_is("msl120", "2.1.12", TOGGLE LIGHT "7}");
    obeys("{\"brightness\":80,\"color\":\"#ff0000\"}",
          "Light {\"light\":{\"channel\":0,\"rgb\":16711680,\"luminance\":80,\"capacity\":5}}");
    obeys("{\"color_temperature\":40,\"brightness\":100}",
          "Light {\"light\":{\"channel\":0,\"temperature\":40,\"luminance\":100,\"capacity\":6}}");
    obeys("{\"brightness\":1}", "Light {\"light\":{\"channel\":0,\"luminance\":1,\"capacity\":4}}");
    refuses("{\"brightness\":0}", "takes brightness from 1 to 100, without a fraction");
    refuses("{\"brightness\":101}", "from 1 to 100");
    refuses("{\"brightness\":50.5}", "without a fraction");
    refuses("{\"brightness\":\"much\"}", "takes a number as brightness");
    refuses("{\"brightness\":true}", "takes a number as brightness");
    refuses("{\"color\":\"red\"}", "#rrggbb");
    refuses("{\"color\":\"#ff00\"}", "#rrggbb");
    refuses("{\"color\":5}", "takes a text as color");
    refuses("{\"color\":\"#ff0000\",\"color_temperature\":5}", "not both");
    refuses("{\"effect\":1}", "has no effect that can be set; it has: state, brightness, color, "
                              "color_temperature");
    refuses("{\"position\":1}", "has no position");
    acknowledges(facts_channel(0), "{\"brightness\":33,\"color\":\"0000FF\"}", -1, "{}");
    state_is("{\"brightness\":33,\"color\":\"#0000ff\",\"channels\":[]}");
}

/* A dimmer has no colour, and a lamp without ToggleX switches itself. */
static void test_dimmers(void **state)
{
    (void)state;
    device_is("mss560", "2.1.1", TOGGLE LIGHT "4}");
    refuses("{\"color\":\"#ff0000\"}", "has no color");
    device_is("msl999", "9.1.1", LIGHT "4}");
    hears(NS_LIGHT, "{\"light\":{\"onoff\":1,\"luminance\":20,\"capacity\":4}}");
    state_is(
        "{\"state\":\"ON\",\"brightness\":20,\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    assert_int_equal(
        wish_at(facts_channel(0), false, "{}", 0, "Light {\"light\":{\"channel\":0,\"onoff\":0}}"),
        MD_OK);
    acknowledges(facts_channel(0), "{}", 0, "{}");
    assert_int_equal(dev.channel[0].on, 0);
}

/* msg100 and msg200: the door, not its ToggleX  [trap 24]. */
static void test_garage(void **state)
{
    (void)state;
    device_is("msg200", "4.2.8",
              TOGGLE
              "\"Appliance.GarageDoor.State\":{},\"Appliance.GarageDoor.MultipleConfig\":{}");
    assert_int_equal(dev.switches, DEVICE_NO_SWITCH);
    hears_digest("{\"togglex\":[],\"garageDoor\":[{\"channel\":1,\"doorEnable\":1,\"open\":0,"
                 "\"lmTime\":0},{\"channel\":2,\"doorEnable\":1,\"open\":1},"
                 "{\"channel\":3,\"doorEnable\":0,\"open\":0}]}");
    state_is("{\"channels\":[{\"channel\":1,\"door\":\"closed\",\"door_enabled\":true},"
             "{\"channel\":2,\"door\":\"open\",\"door_enabled\":true},"
             "{\"channel\":3,\"door_enabled\":false}]}");
    refuses("{\"door\":\"open\"}", "has door on several channels: say which one, 1 to 2");
    assert_int_equal(wish_at(facts_channel(1), true, "{\"door\":\"OPEN\"}", -1,
                             "State {\"state\":{\"channel\":1,\"open\":1,"
                             "\"uuid\":\"2101011234567890123448e1e9123456\"}}"),
                     MD_OK);
    assert_int_equal(
        wish_at(facts_channel(1), true, "{\"door\":\"ajar\"}", -1, "takes as door: closed, open"),
        MD_INVAL);
    assert_int_equal(wish_at(facts_channel(1), true, "{}", 1, "has nothing to switch"), MD_NOENT);
    /* The acknowledgement shows the old state; the push tells the new one. */
    acknowledges(facts_channel(1), "{\"door\":\"open\"}", -1,
                 "{\"state\":{\"channel\":1,\"open\":0,\"lmTime\":1676147139,\"execute\":1}}");
    state_is("{\"channels\":[{\"channel\":1,\"moving\":\"opening\",\"door\":\"closed\","
             "\"door_enabled\":true},{\"channel\":2,\"door\":\"open\",\"door_enabled\":true},"
             "{\"channel\":3,\"door_enabled\":false}]}");
    hears(NS_GARAGE, "{\"state\":[{\"channel\":1,\"open\":1,\"lmTime\":1676147160}]}");
    state_is("{\"channels\":[{\"channel\":1,\"moving\":\"stopped\",\"door\":\"open\","
             "\"door_enabled\":true},{\"channel\":2,\"door\":\"open\",\"door_enabled\":true},"
             "{\"channel\":3,\"door_enabled\":false}]}");
    acknowledges(facts_channel(1), "{\"door\":\"open\"}", -1,
                 "{\"state\":{\"channel\":1,\"open\":1,\"execute\":0}}"); /* it is there already */
    assert_non_null(strstr(state_now(), "\"moving\":\"stopped\""));
}

/* mrs100 of each generation. */
static void test_shutter(void **state)
{
    (void)state;
#define SHUTTER "\"Appliance.RollerShutter.Position\":{},\"Appliance.RollerShutter.State\":{}"
    device_is("mrs100", "2.1.2", TOGGLE SHUTTER);
    hears("Appliance.RollerShutter.Position", "{\"position\":[{\"channel\":0,\"position\":100}]}");
    hears("Appliance.RollerShutter.State",
          "{\"state\":[{\"channel\":0,\"state\":0,\"stoppedBy\":0}]}");
    state_is("{\"position\":100,\"moving\":\"stopped\",\"channels\":[]}");
    refuses("{\"position\":50}", "its firmware 2.1.2 knows no position between");
    obeys("{\"position\":0}", "Position {\"position\":{\"channel\":0,\"position\":0}}");
    obeys("{\"moving\":\"stopped\"}", "Position {\"position\":{\"channel\":0,\"position\":-1}}");
    obeys("{\"moving\":\"closing\"}", "Position {\"position\":{\"channel\":0,\"position\":0}}");
    acknowledges(facts_channel(0), "{\"position\":0}", -1, "{}");
    state_is("{\"position\":100,\"moving\":\"closing\",\"channels\":[]}"); /* not there yet */
    hears("Appliance.RollerShutter.Position", "{\"position\":{\"channel\":0,\"position\":101}}");
    assert_non_null(strstr(state_now(), "\"position\":100"));
    device_is("mrs100", "6.6.6", SHUTTER ",\"Appliance.RollerShutter.Adjust\":{}");
    obeys("{\"position\":50}", "Position {\"position\":{\"channel\":0,\"position\":50}}");
    refuses("{\"position\":-1}", "from 0 to 100");
    refuses("{\"position\":101}", "from 0 to 100");
}

/* mts200: tenths, a target per mode. */
static void test_floor_thermostat(void **state)
{
    (void)state;
    device_is("mts200", "7.6.7",
              "\"Appliance.Control.Thermostat.Mode\":{},"
              "\"Appliance.Control.Thermostat.WindowOpened\":{},"
              "\"Appliance.Control.Thermostat.Calibration\":{}");
    hears_digest("{\"thermostat\":{\"mode\":[{\"channel\":0,\"onoff\":1,\"mode\":1,\"state\":1,"
                 "\"currentTemp\":205,\"heatTemp\":240,\"coolTemp\":160,\"ecoTemp\":120,"
                 "\"manualTemp\":215,\"targetTemp\":160,\"min\":50,\"max\":350,\"warning\":0}],"
                 "\"windowOpened\":[{\"channel\":0,\"status\":0,\"detect\":1}],"
                 "\"summerMode\":[{\"channel\":0,\"mode\":1}]}}");
    state_is("{\"state\":\"ON\",\"temperature\":20.5,\"target_temperature\":16,"
             "\"min_temperature\":5,\"max_temperature\":35,\"mode\":\"cool\",\"heating\":true,"
             "\"window_open\":false,\"window_detection\":true,\"season\":\"heating\","
             "\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    obeys("{\"target_temperature\":21.5}",
          "Mode {\"mode\":[{\"channel\":0,\"mode\":1,\"coolTemp\":215}]}");
    obeys("{\"target_temperature\":21.5,\"mode\":\"heat\"}",
          "Mode {\"mode\":[{\"channel\":0,\"mode\":0,\"heatTemp\":215}]}");
    assert_int_equal(wish_at(facts_channel(0), false, "{\"mode\":\"auto\"}", 1,
                             "Mode {\"mode\":[{\"channel\":0,\"onoff\":1,\"mode\":3}]}"),
                     MD_OK);
    refuses("{\"target_temperature\":35.1}", "takes target_temperature from 5 to 35");
    refuses("{\"target_temperature\":4.9}", "from 5 to 35");
    refuses("{\"target_temperature\":21.55}", "from 5 to 35");
    refuses("{\"mode\":\"party\"}", "takes as mode: heat, cool, eco, auto, manual");
    refuses("{\"heating\":true}", "has no heating that can be set; it has: state, "
                                  "target_temperature, mode, window_detection, calibration");
    obeys("{\"window_detection\":\"off\",\"calibration\":-1.5}",
          "WindowOpened {\"windowOpened\":[{\"channel\":0,\"detect\":0}]}\n"
          "Calibration {\"calibration\":[{\"channel\":0,\"value\":-15}]}");
    /* In the schedule, a target is one of manual operation. */
    hears(NS_MODE, "{\"mode\":[{\"channel\":0,\"mode\":3}]}");
    obeys("{\"target_temperature\":21}",
          "Mode {\"mode\":[{\"channel\":0,\"mode\":4,\"manualTemp\":210}]}");
    acknowledges(facts_channel(0), "{\"target_temperature\":22}", -1,
                 "{\"mode\":[{\"channel\":0,\"mode\":4,\"targetTemp\":220,\"state\":0}]}");
    assert_non_null(strstr(state_now(), "\"target_temperature\":22,"));
    assert_non_null(strstr(state_now(), "\"mode\":\"manual\",\"heating\":false"));
    acknowledges(facts_channel(0), "{\"target_temperature\":23}", 0, "{}");
    assert_non_null(strstr(state_now(), "{\"state\":\"OFF\""));
    assert_non_null(strstr(state_now(), "\"target_temperature\":23,"));
}

/* mts960 and mts300: hundredths. */
static void test_other_thermostats(void **state)
{
    (void)state;
    device_is("mts960", "4.2.6", "\"Appliance.Control.Thermostat.ModeB\":{}");
    hears_digest("{\"thermostat\":{\"modeB\":[{\"channel\":0,\"onoff\":1,\"mode\":1,\"state\":1,"
                 "\"working\":2,\"targetTemp\":2150,\"currentTemp\":2237,\"sensorStatus\":1}]}}");
    state_is("{\"state\":\"ON\",\"temperature\":22.37,\"target_temperature\":21.5,"
             "\"mode\":\"manual\",\"heating\":false,\"cooling\":true,"
             "\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    assert_int_equal(
        wish_at(facts_channel(0), false, "{\"mode\":\"timer\",\"target_temperature\":19.25}", 0,
                "ModeB {\"modeB\":[{\"channel\":0,\"onoff\":2,\"mode\":3,\"targetTemp\":1925}]}"),
        MD_OK);
    device_is("mts300", "9.1.12", "\"Appliance.Control.Thermostat.ModeC\":{}");
    hears(NS_MODE_C,
          "{\"control\":[{\"channel\":0,\"mode\":3,\"work\":2,\"targetTemp\":{\"heat\":2100,"
          "\"cold\":2400},\"currentTemp\":2200,\"fan\":{\"fMode\":0,\"speed\":0,\"hTime\":99999},"
          "\"more\":{\"humi\":495,\"hdStatus\":0}}]}");
    state_is("{\"temperature\":22,\"target_temperature\":21,\"target_temperature_cool\":24,"
             "\"humidity\":49.5,\"mode\":3,\"fan_mode\":0,\"speed\":0,\"channels\":[]}");
    obeys("{\"target_temperature_cool\":25}",
          "ModeC {\"control\":[{\"channel\":0,\"targetTemp\":{\"cold\":2500}}]}");
}

/* msxh0 and mod100: what they do is on and off; their lamp is off at brightness 0. */
static void test_humidifiers(void **state)
{
    (void)state;
    device_is("msxh0", "3.1.5", "\"Appliance.Control.Spray\":{}," LIGHT "5}");
    hears_digest("{\"spray\":[{\"channel\":0,\"mode\":2,\"lmTime\":0}],\"light\":{\"channel\":0,"
                 "\"onoff\":0,\"rgb\":255,\"luminance\":40,\"capacity\":5}}");
    state_is("{\"state\":\"ON\",\"brightness\":0,\"color\":\"#0000ff\",\"spray\":\"intermittent\","
             "\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    obeys("{\"spray\":\"continuous\"}", "Spray {\"spray\":{\"channel\":0,\"mode\":1}}");
    obeys("{\"brightness\":0}", "Light {\"light\":{\"channel\":0,\"onoff\":0}}");
    obeys("{\"brightness\":30}",
          "Light {\"light\":{\"channel\":0,\"luminance\":30,\"capacity\":4,\"onoff\":1}}");
    assert_int_equal(
        wish_at(facts_channel(0), false, "{}", 0, "Spray {\"spray\":{\"channel\":0,\"mode\":0}}"),
        MD_OK);
    hears(NS_SPRAY, "{\"channel\":0,\"spray\":{\"mode\":0}}");
    assert_int_equal(dev.channel[0].on, 0);

    device_is("mod100", "3.1.5",
              "\"Appliance.Control.Diffuser.Spray\":{},\"Appliance.Control.Diffuser.Light\":{}");
    hears_digest("{\"diffuser\":{\"type\":\"mod100\",\"light\":[{\"channel\":0,\"onoff\":1,"
                 "\"mode\":1,\"rgb\":65280,\"luminance\":70}],\"spray\":[{\"channel\":0,"
                 "\"mode\":2}]}}");
    state_is("{\"state\":\"OFF\",\"brightness\":70,\"color\":\"#00ff00\",\"effect\":\"color\","
             "\"spray\":\"off\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
    obeys("{\"spray\":\"strong\"}",
          "Spray {\"type\":\"mod100\",\"spray\":[{\"channel\":0,\"mode\":1}]}");
    obeys("{\"color\":\"#0000ff\",\"brightness\":10}",
          "Light {\"type\":\"mod100\",\"light\":[{\"channel\":0,\"onoff\":1,\"mode\":1,"
          "\"rgb\":255,\"luminance\":10}]}");
    obeys("{\"effect\":\"rainbow\"}",
          "Light {\"type\":\"mod100\",\"light\":[{\"channel\":0,\"onoff\":1,\"mode\":0}]}");
    assert_int_equal(wish_at(facts_channel(0), false, "{}", 1,
                             "Spray {\"type\":\"mod100\",\"spray\":[{\"channel\":0,\"mode\":0}]}"),
                     MD_OK);
}

/* mfc100 (0 all, 1 light, 2 fan) and map100. */
static void test_fans(void **state)
{
    (void)state;
    device_is("mfc100", "7.3.14", TOGGLE LIGHT "4},\"Appliance.Control.Fan\":{}");
    device_channel_add(&dev, 0)->on = 1;
    device_channel_add(&dev, 1)->on = 1;
    device_channel_add(&dev, 2)->on = 0;
    hears_digest("{\"light\":{\"channel\":1,\"capacity\":4,\"luminance\":60,\"onoff\":0},"
                 "\"fan\":[{\"channel\":2,\"speed\":2,\"maxSpeed\":3}]}");
    state_is("{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"},"
             "{\"channel\":1,\"state\":\"ON\",\"brightness\":60},"
             "{\"channel\":2,\"state\":\"OFF\",\"speed\":2,\"max_speed\":3}]}");
    /* Each on the channel that has it. */
    obeys("{\"speed\":3,\"brightness\":5}",
          "Light {\"light\":{\"channel\":1,\"luminance\":5,\"capacity\":4}}\n"
          "Fan {\"fan\":[{\"channel\":2,\"speed\":3}]}");
    refuses("{\"speed\":4}", "has speeds from 0 to 3");
    device_is("map100", "7.2.27",
              "\"Appliance.Control.Fan\":{},\"Appliance.Control.FilterMaintenance\":{}");
    hears(NS_FAN, "{\"fan\":[{\"channel\":0,\"speed\":0,\"maxSpeed\":3}]}");
    hears(NS_FILTER, "{\"filter\":[{\"channel\":0,\"life\":97,\"lmTime\":1}]}");
    state_is("{\"state\":\"OFF\",\"speed\":0,\"max_speed\":3,\"filter_life\":97,"
             "\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
}

/* ms600, and what any device may have. */
static void test_common(void **state)
{
    (void)state;
    device_is("ms600", "9.3.22",
              "\"Appliance.Control.Sensor.LatestX\":{},\"Appliance.System.DNDMode\":{},"
              "\"Appliance.Control.PhysicalLock\":{}");
    hears(NS_LATEST,
          "{\"latest\":[{\"channel\":0,\"data\":{\"presence\":[{\"value\":2,"
          "\"distance\":1234,\"timestamp\":1,\"times\":3}],\"light\":[{\"value\":57}]}}]}");
    hears(NS_DND, "{\"DNDMode\":{\"mode\":1}}");
    hears(NS_RUNTIME, "{\"runtime\":{\"signal\":83,\"ssid\":\"x\"}}");
    hears(NS_RUNTIME, "{\"runtime\":{\"signal\":101}}"); /* no percentage */
    hears(NS_RUNTIME, "{\"runtime\":{\"signal\":-1}}");
    hears(NS_LOCK, "{\"lock\":[{\"channel\":0,\"onoff\":1}]}");
    hears(NS_OVERTEMP, "{\"overTemp\":{\"channel\":0,\"value\":1,\"type\":1}}");
    hears(NS_STANDBY, "{\"config\":[{\"channel\":0,\"power\":0,\"time\":300,\"enable\":2}]}");
    state_is("{\"presence\":true,\"distance\":1.234,\"light\":57,\"overheated\":true,"
             "\"locked\":true,\"standby_killer\":false,\"led\":false,\"signal\":83,"
             "\"channels\":[]}");
    hears(NS_LATEST, "{\"latest\":{\"data\":{\"presence\":{\"value\":1}}}}"); /* [trap 21] */
    assert_non_null(strstr(state_now(), "\"presence\":false"));
    obeys("{\"led\":true}", "DNDMode {\"DNDMode\":{\"mode\":0}}");
    obeys("{\"led\":\"off\",\"locked\":0}",
          "PhysicalLock {\"lock\":[{\"channel\":0,\"onoff\":0}]}\n"
          "DNDMode {\"DNDMode\":{\"mode\":1}}");
    refuses("{\"led\":\"green\"}", "takes on or off as led");
    acknowledges(facts_channel(0), "{\"led\":true}", -1, "{}");
    assert_non_null(strstr(state_now(), "\"led\":true"));
}

/* Odd payloads change nothing  [trap 21] [trap 22]. */
static void test_odd(void **state)
{
    (void)state;
    static const char *const odd[] = {"{}",
                                      "{\"%s\":null}",
                                      "{\"%s\":[]}",
                                      "{\"%s\":{}}",
                                      "{\"%s\":[7,\"x\",null,[],[{}]]}",
                                      "{\"%s\":{\"channel\":256,\"onoff\":2,\"mode\":{},\"open\":9,"
                                      "\"id\":7,\"status\":\"\",\"_\":null}}",
                                      "{\"%s\":{\"channel\":-1,\"id\":\"\",\"mode\":1e99}}",
                                      "{\"channel\":{},\"%s\":\"on\"}"};
    static const char *const ns[][2] = {
        {NS_LIGHT, "light"},
        {NS_GARAGE, "state"},
        {NS_POSITION, "position"},
        {NS_MODE_B, "modeB"},
        {NS_WINDOW, "window"},
        {NS_FAN, "fan"},
        {NS_LATEST, "latest"},
        {NS_DND, "DNDMode"},
        {NS_OVERTEMP, "overTemp"},
        {NS_EFFECT, "effect"},
        {NS_VALVE_ALL, "all"},
        {NS_SENSOR_ALL, "all"},
        {NS_LOCK, "lock"},
        {NS_FILTER, "filter"},
        {NS_HUB_ONLINE, "online"},
        {NS_DOORS_SETUP, "config"},
        {NS_GARAGE_SETUP, "config"},
        {NS_BLIND_SETUP, "config"},
        {NS_OVERHEAT, "overheat"},
        {NS_SCHEDULE, "schedule"},
        {NS_SCHEDULE_B, "scheduleB"},
        {NS_THERMO_TIMER, "timer"},
        {NS_HOT_SETUP, "overTemp"},
        {NS_SCREEN, "brightness"},
        {NS_TEMP_UNIT, "tempUnit"},
        {NS_MP3, "mp3"},
        {NS_VALVE_PLAN, "schedule"},
    };
    for (size_t n = 0; n < sizeof ns / sizeof ns[0]; n++) {
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            char payload[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf(payload, sizeof payload, odd[i], ns[n][1]);
#pragma GCC diagnostic pop
            device_is("x", "1.1.1", "\"Appliance.Control.ToggleX\":{}");
            hears(ns[n][0], payload);
            dev.subs.n = 0; /* an id that is a number is one */
            if (strcmp(state_now(), "{\"channels\":[]}") != 0)
                fail_msg("%s %s: %s", ns[n][0], payload, state_text);
        }
    }
    struct json j;
    assert_int_equal(json_parse(&j, span_str("{}")), MD_OK);
    assert_false(family_take(&dev, "Appliance.Control.Nothing", json_root(&j)));
    json_free(&j);
}

/* Without memory nothing is planned, and nothing leaks. */
static void test_no_memory(void **state)
{
    (void)state;
    struct family_steps steps = {.n = 0};
    struct facts f = {.n = 0};
    struct family_target target = {.at = facts_channel(0)};
    device_is("msl120", "2.1.12", TOGGLE LIGHT "7},\"Appliance.System.DNDMode\":{}");
    assert_true(facts_number(&f, FACTS_DEVICE, FACT_BRIGHTNESS, 5, 0));
    assert_true(facts_bool(&f, FACTS_DEVICE, FACT_LED, true));
    int err = MD_NOMEM;
    for (long n = 1; err != MD_OK && n < 50; n++) {
        (void)mem_fail_after(n);
        err = family_plan(&steps, &dev, &target, &f, -1, why);
        (void)mem_fail_after(-1);
        assert_int_equal(steps.n, err == MD_OK ? 2 : 0);
        assert_true(err == MD_OK || err == MD_NOMEM);
    }
    assert_int_equal(err, MD_OK);
    family_steps_clear(&steps);
    facts_clear(&f);
}

/* Nor is an order taken for what is so already. */
static void test_no_memory_for_a_wish(void **state)
{
    (void)state;
    struct json j;
    device_is("msl120", "2.1.12", TOGGLE LIGHT "7}");
    assert_true(facts_text(&dev.facts, facts_channel(0), FACT_COLOR, "#ff0000"));
    assert_int_equal(
        json_parse(&j, span_str("{\"channels\":[{\"channel\":0,\"color\":\"#00ff00\"}]}")), MD_OK);
    int err = MD_NOMEM;
    for (long n = 1; err != MD_OK && n < 50; n++) {
        struct family_steps steps = {.n = 0};
        struct orders orders = {.n = 0};
        char reason[WISHES_WHY_MAX];
        (void)mem_fail_after(n);
        err = wishes_plan(&steps, &orders, &dev, span_of(NULL, 0), json_root(&j), reason);
        (void)mem_fail_after(-1);
        assert_int_equal(steps.n, err == MD_OK ? 1 : 0);
        assert_true(err == MD_OK || err == MD_NOMEM);
        family_steps_clear(&steps);
    }
    assert_int_equal(err, MD_OK);
    json_free(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_strip),
                                       T(test_bulb_orders),
                                       T(test_dimmers),
                                       T(test_garage),
                                       T(test_shutter),
                                       T(test_floor_thermostat),
                                       T(test_other_thermostats),
                                       T(test_humidifiers),
                                       T(test_fans),
                                       T(test_common),
                                       T(test_odd),
                                       T(test_no_memory),
                                       T(test_no_memory_for_a_wish)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

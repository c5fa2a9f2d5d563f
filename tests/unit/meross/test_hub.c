/* Hubs and their sub-devices: what they tell of them in every shape, and orders for one (sheet 5.9;
 * msh300, msh300hk, ms100, ms130, ms200, ms400, mts100v3, mts150, smoke alarms). */
#include "tests/unit/meross/family.h"

#include "meross/wire/namespaces.h"

#define HUB                                                                                        \
    "\"Appliance.Hub.Mts100.All\":{},\"Appliance.Hub.Mts100.Mode\":{},"                            \
    "\"Appliance.Hub.Mts100.Temperature\":{},\"Appliance.Hub.ToggleX\":{},"                        \
    "\"Appliance.Hub.Sensor.All\":{}"

static void hub(void) { device_is("msh300hk", "4.5.32", HUB); }

static uint32_t at_of(const char *id) { return facts_sub(subdevs_find(&dev.subs, id)->number); }

/* hubId may be larger than 31 bits, or negative  [trap 25]; the same sub-device may be listed twice. */
static void test_digest(void **state)
{
    (void)state;
    hub();
    hears_digest("{\"hub\":{\"hubId\":4294967295,\"mode\":0,\"subdevice\":["
                 "{\"id\":\"01008C11\",\"status\":1,\"onoff\":1,\"lastActiveTime\":1,"
                 "\"scheduleBMode\":6,\"mts100v3\":{\"mode\":3,\"currentSet\":215}},"
                 "{\"id\":\"120027D2\",\"status\":1,\"ms100\":{\"latestTime\":1,"
                 "\"latestTemperature\":224,\"latestHumidity\":544,\"voltage\":3000}},"
                 "{\"id\":\"120027d2\",\"status\":1,\"ms100\":{\"latestTemperature\":224}},"
                 "{\"id\":\"1A00694ACBC7\",\"status\":1,\"tempHumi\":{\"temp\":1987,\"humi\":561}},"
                 "{\"id\":\"0200AA\",\"status\":2,\"doorWindow\":{\"status\":1,\"lmTime\":5}},"
                 "{\"id\":\"0300AA\",\"status\":1,\"smokeAlarm\":{\"status\":170,\"lmTime\":5,"
                 "\"interConn\":1}},"
                 "{\"id\":\"0400AA\",\"status\":1,\"waterLeak\":{\"latestWaterLeak\":0}}]}}");
    state_is("{\"channels\":[],\"subdevices\":["
             "{\"id\":\"01008C11\",\"type\":\"mts100v3\",\"online\":true,\"state\":\"ON\"},"
             "{\"id\":\"120027D2\",\"type\":\"ms100\",\"online\":true,\"temperature\":22.4,"
             "\"humidity\":54.4},"
             "{\"id\":\"1A00694ACBC7\",\"type\":\"tempHumi\",\"online\":true,"
             "\"temperature\":19.87,\"humidity\":56.1},"
             "{\"id\":\"0200AA\",\"type\":\"doorWindow\",\"online\":false,\"open\":true},"
             "{\"id\":\"0300AA\",\"type\":\"smokeAlarm\",\"online\":true,\"smoke\":\"ok\"},"
             "{\"id\":\"0400AA\",\"type\":\"waterLeak\",\"online\":true,\"leak\":false}]}");
    /* What is no longer listed is gone, with its facts; an empty digest says nothing. */
    hears_digest("{\"hub\":{\"hubId\":-381895630}}");
    assert_int_equal(dev.subs.n, 6);
    hears_digest("{\"hub\":{\"hubId\":-381895630,\"subdevice\":[{\"id\":\"0300AA\"}]}}");
    state_is("{\"channels\":[],\"subdevices\":[{\"id\":\"0300AA\",\"type\":\"smokeAlarm\","
             "\"online\":true,\"smoke\":\"ok\"}]}");
    hears_digest("{\"hub\":{\"subdevice\":[]}}");
    assert_int_equal(dev.subs.n, 0);
    assert_int_equal(dev.facts.n, 0);
}

/* A long list from several namespaces, told in any order. */
static void test_sensors(void **state)
{
    (void)state;
    hub();
    hears(NS_SUBDEVICES, "{\"subdeviceList\":[{\"id\":\"A1\",\"type\":\"ms130\"},"
                         "{\"id\":\"B2\",\"type\":\"ms100\"},{\"type\":\"nameless\"}]}");
    hears(NS_SENSOR_ALL,
          "{\"all\":[{\"id\":\"A1\",\"online\":{\"status\":1,\"lastActiveTime\":1},"
          "\"temperature\":{\"latest\":1987,\"max\":600},\"humidity\":{\"latest\":497}},"
          "{\"id\":\"B2\",\"online\":{\"status\":2},\"temperature\":{\"latest\":-55},"
          "\"humidity\":{\"latest\":1000}},"
          "{\"id\":\"C3\",\"online\":{\"status\":1},\"smokeAlarm\":{\"status\":25,\"lmtime\":1}},"
          "{\"id\":\"D4\",\"doorWindow\":{\"status\":0,\"sample\":[[1,2]]}}]}"); /* [trap 22] */
    state_is("{\"channels\":[],\"subdevices\":["
             "{\"id\":\"A1\",\"type\":\"ms130\",\"online\":true,\"temperature\":19.87,"
             "\"humidity\":49.7},"
             "{\"id\":\"B2\",\"type\":\"ms100\",\"online\":false,\"temperature\":-5.5,"
             "\"humidity\":100},"
             "{\"id\":\"C3\",\"type\":\"smokeAlarm\",\"online\":true,\"smoke\":\"smoke_alarm\"},"
             "{\"id\":\"D4\",\"type\":\"doorWindow\",\"open\":false}]}");
    hears(NS_LATEST, "{\"latest\":[{\"subId\":\"a1\",\"channel\":0,\"data\":{\"temp\":[{\"value\":"
                     "2010,\"timestamp\":1}],\"humi\":[{\"value\":501}],\"light\":[{\"value\":"
                     "120}]}}]}");
    hears(NS_SUB_LATEST, "{\"latest\":[{\"data\":{\"temp\":[{\"value\":1}]}}]}"); /* of nobody */
    hears(NS_HUB_BATTERY, "{\"battery\":[{\"id\":\"A1\",\"value\":87},{\"id\":\"B2\",\"value\":"
                          "4294967295}]}");
    hears(NS_HUB_ONLINE, "{\"online\":{\"id\":\"B2\",\"status\":1}}");
    hears(NS_SMOKE, "{\"smokeAlarm\":[{\"id\":\"C3\",\"status\":99}]}");
    hears(NS_WATER_LEAK, "{\"waterLeak\":[{\"id\":\"E5\",\"latestWaterLeak\":1}]}");
    hears(NS_MOTION, "{\"motion\":[{\"id\":\"F6\",\"status\":1}]}");
    hears(NS_DOOR_WINDOW, "{\"doorWindow\":[{\"id\":\"D4\",\"status\":1}]}");
    state_is("{\"channels\":[],\"subdevices\":["
             "{\"id\":\"A1\",\"type\":\"ms130\",\"online\":true,\"temperature\":20.1,"
             "\"humidity\":50.1,\"light\":120,\"battery\":87},"
             "{\"id\":\"B2\",\"type\":\"ms100\",\"online\":true,\"temperature\":-5.5,"
             "\"humidity\":100},"
             "{\"id\":\"C3\",\"type\":\"smokeAlarm\",\"online\":true,\"smoke\":99},"
             "{\"id\":\"D4\",\"type\":\"doorWindow\",\"open\":true},"
             "{\"id\":\"E5\",\"type\":\"\",\"leak\":true},"
             "{\"id\":\"F6\",\"type\":\"\",\"motion\":true}]}");
}

static void test_smoke_words(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *word;
    } cases[] = {{170, "ok"},
                 {17, "temperature_error"},
                 {18, "smoke_error"},
                 {19, "battery_error"},
                 {20, "temperature_error_muted"},
                 {21, "smoke_error_muted"},
                 {22, "battery_error_muted"},
                 {23, "test"},
                 {24, "heat_alarm"},
                 {25, "smoke_alarm"},
                 {26, "heat_alarm_muted"},
                 {27, "smoke_alarm_muted"}};
    hub();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char payload[100];
        (void)snprintf(payload, sizeof payload, "{\"smokeAlarm\":[{\"id\":\"1\",\"status\":%d}]}",
                       cases[i].code);
        hears(NS_SMOKE, payload);
        const struct fact *it = facts_get(&dev.facts, at_of("1"), FACT_SMOKE);
        assert_non_null(it);
        assert_string_equal(it->text, cases[i].word);
    }
}

static void test_valve(void **state)
{
    (void)state;
    hub();
    hears(NS_VALVE_ALL,
          "{\"all\":[{\"id\":\"01008C11\",\"scheduleBMode\":6,\"online\":{\"status\":1},"
          "\"togglex\":{\"onoff\":1},\"timeSync\":{\"state\":1},\"mode\":{\"state\":3},"
          "\"temperature\":{\"room\":207,\"currentSet\":210,\"custom\":240,\"comfort\":240,"
          "\"economy\":120,\"away\":50,\"min\":50,\"max\":350,\"heating\":1,\"openWindow\":0}}]}");
    state_is("{\"channels\":[],\"subdevices\":[{\"id\":\"01008C11\",\"type\":\"\",\"online\":true,"
             "\"state\":\"ON\",\"temperature\":20.7,\"target_temperature\":21,"
             "\"min_temperature\":5,\"max_temperature\":35,\"mode\":\"auto\",\"heating\":true,"
             "\"window_open\":false,\"comfort_temperature\":24,\"economy_temperature\":12,"
             "\"away_temperature\":5}]}");
    uint32_t at = at_of("01008C11");
    /* Only in its manual mode does a valve keep a target. */
    assert_int_equal(
        wish_at(at, true, "{\"target_temperature\":21.5}", -1,
                "Mode {\"mode\":[{\"id\":\"01008C11\",\"state\":0}]}\n"
                "Temperature {\"temperature\":[{\"id\":\"01008C11\",\"custom\":215}]}"),
        MD_OK);
    assert_int_equal(wish_at(at, true, "{\"mode\":\"away\"}", 0,
                             "ToggleX {\"togglex\":[{\"id\":\"01008C11\",\"onoff\":0}]}\n"
                             "Mode {\"mode\":[{\"id\":\"01008C11\",\"state\":4}]}"),
                     MD_OK);
    assert_int_equal(wish_at(at, true, "{\"target_temperature\":36}", -1, "from 5 to 35"),
                     MD_INVAL);
    assert_int_equal(wish_at(at, true, "{\"brightness\":5}", -1,
                             "has no brightness that can be set; it has: state, mode, "
                             "target_temperature"),
                     MD_NOENT);
    /* Of the hub itself, none of that can be set. */
    assert_int_equal(wish_at(FACTS_DEVICE, false, "{\"target_temperature\":20}", -1,
                             "has no target_temperature that can be set; it has: nothing"),
                     MD_NOENT);
    acknowledges(at, "{\"target_temperature\":19.5}", -1, "{}");
    assert_non_null(strstr(state_now(), "\"target_temperature\":19.5,"));
    assert_non_null(strstr(state_now(), "\"mode\":\"manual\""));
    assert_int_equal(
        wish_at(at, true, "{\"target_temperature\":21.5}", -1,
                "Temperature {\"temperature\":[{\"id\":\"01008C11\",\"custom\":215}]}"),
        MD_OK);
}

/* As many as there may be, and one more. */
static void test_many(void **state)
{
    (void)state;
    hub();
    for (unsigned i = 0; i <= SUBDEVS_MAX; i++) {
        char payload[100];
        (void)snprintf(payload, sizeof payload, "{\"online\":[{\"id\":\"%08X\",\"status\":1}]}", i);
        hears(NS_HUB_ONLINE, payload);
    }
    assert_int_equal(dev.subs.n, SUBDEVS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_digest), T(test_sensors), T(test_smoke_words),
                                       T(test_valve), T(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Families in a session: what a device is asked, what it is ordered, events, alerts, the LED. */
#include "tests/unit/meross/conversation.h"

#include "meross/device/registry.h"
#include "meross/device/subdevs.h"
#include "meross/meross_int.h"
#include "meross/wire/namespaces.h"

#define LAMP        "msl120-3456"
#define HUB         "msh300hk-3456"
#define STATE(name) "meross/" name

static char wanted[1024];

/* A device of that type: bound, its abilities and System.All told. */
static void device(const char *type, const char *firmware, const char *abilities,
                   const char *digest)
{
    char bind[1024], ability[2048], all[2048];
    rig_attach(NULL);
    arrive("");
    (void)snprintf(bind, sizeof bind,
                   "{\"bind\":{\"hardware\":{\"type\":\"%s\",\"version\":\"6.0.0\"},"
                   "\"firmware\":{\"version\":\"%s\"}}}",
                   type, firmware);
    (void)snprintf(ability, sizeof ability, "{\"ability\":{%s}}", abilities);
    (void)snprintf(all, sizeof all,
                   "{\"all\":{\"system\":{\"hardware\":{\"type\":\"%s\",\"version\":\"6.0.0\"},"
                   "\"firmware\":{\"version\":\"%s\"},\"time\":{}},\"digest\":%s}}",
                   type, firmware, digest);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", bind);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", NS_ABILITY, "", ability);
    rig_expect(&plug, "GET", NS_ALL, "", all);
}

/* The next message to it is this; it is answered unless `reply` is NULL. */
static void expects(const char *method, const char *ns, const char *payload, const char *reply)
{
    struct rig_request r;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, ns);
    assert_string_equal(r.method, method);
    assert_string_equal(r.payload, payload);
    if (reply != NULL)
        rig_say(&plug, TOPICS_ANSWERS, strcmp(method, "GET") == 0 ? "GETACK" : "SETACK", ns, r.id,
                "", reply);
}

static void nothing_more(void) { assert_null(rig_find(RIG_TO)); }

static void said(const char *topic, const char *part)
{
    const struct rig_pub *p = rig_last(topic);
    assert_non_null(p);
    if (strstr(p->payload, part) == NULL)
        fail_msg("%s is %s, without %s", topic, p->payload, part);
}

static void order(const char *name, const char *text)
{
    char topic[100];
    (void)snprintf(topic, sizeof topic, "meross/%s/set", name);
    rig_skip();
    rig_ask(topic, text);
}

static void answered(const char *name, const char *part)
{
    (void)snprintf(wanted, sizeof wanted, "meross/%s/response", name);
    said(wanted, part);
}

#define LAMP_IS                                                                                    \
    device("msl120", "2.1.12",                                                                     \
           "\"Appliance.Control.ToggleX\":{},\"Appliance.Control.Light\":{\"capacity\":7},"        \
           "\"Appliance.System.DNDMode\":{}",                                                      \
           "{\"togglex\":[{\"channel\":0,\"onoff\":0}],\"light\":{\"channel\":0,\"capacity\":6,"   \
           "\"temperature\":30,\"luminance\":50}}")

/* What System.All does not tell is asked for, one at a time, and again when it is due. */
static void test_polls(void **state)
{
    (void)state;
    LAMP_IS;
    said(STATE(LAMP), "{\"state\":\"OFF\",\"brightness\":50,\"color_temperature\":30,\"channels\":["
                      "{\"channel\":0,\"state\":\"OFF\"}]}");
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    said(STATE(LAMP), "\"led\":true");
    nothing_more();
    rig_step(299999);
    nothing_more();
    rig_step(1);
    expects("GET", NS_ALL, "{}", "{}");
    for (unsigned i = 0; i < 10; i++) { /* 55 minutes */
        rig_step(300000);
        expects("GET", NS_ALL, "{}", "{}");
    }
    rig_step(300000); /* an hour: what was asked first is first */
    expects("GET", NS_ALL, "{}", "{}");
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":1}}");
    said(STATE(LAMP), "\"led\":false");
}

/* What is not answered, or refused, is asked rarely; the heartbeat goes on  [trap 23]. */
static void test_silence(void **state)
{
    (void)state;
    device("msh300", "4.1.26", "\"Appliance.Hub.Sensor.All\":{},\"Appliance.Hub.Mts100.All\":{}",
           "{\"hub\":{\"subdevice\":[]}}");
    expects("GET", NS_VALVE_ALL, "{\"all\":[]}", NULL); /* never answered */
    rig_step(5000);
    struct rig_request r;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.ns, NS_SENSOR_ALL);
    rig_say(&plug, TOPICS_ANSWERS, "ERROR", NS_SENSOR_ALL, r.id, "", "{\"error\":{\"code\":5000}}");
    unsigned all = 0, rare = 0;
    for (unsigned i = 0; i < 12; i++) {
        rig_step(300000);
        while (rig_request_to(RIG_TO, &r)) {
            if (strcmp(r.ns, NS_ALL) == 0) {
                rig_say(&plug, TOPICS_ANSWERS, "GETACK", NS_ALL, r.id, "", "{}");
                all++;
            } else {
                rare++;
            }
        }
    }
    assert_int_equal(all, 12);
    assert_int_equal(rare, 1); /* after an hour the first of the two */
}

/* New firmware is not asked in a burst  [trap 39]. */
static void test_gentle(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("mss305", "8.3.15"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_step(1000);
    expects("GET", NS_ABILITY, "{}",
            "{\"ability\":{\"Appliance.System.DNDMode\":{},\"Appliance.System.Runtime\":{}}}");
    rig_step(999);
    nothing_more();
    rig_step(1);
    expects("GET", NS_ALL, "{}", "{}");
    rig_step(1000);
    expects("GET", NS_DND, "{}", "{}");
    rig_step(999);
    nothing_more();
    rig_step(1);
    expects("GET", NS_RUNTIME, "{}", "{}");
}

static void bind_new_firmware(void)
{
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("mss305", "8.3.15"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_step(1000);
    expects("GET", NS_ABILITY, "{}", "{\"ability\":{\"Appliance.Control.ToggleX\":{}}}");
    rig_step(1000);
    expects("GET", NS_ALL, "{}", "{}");
    nothing_more();
}

static void order_plug(const char *to) { rig_ask("meross/mss305-3456/set", to); }

/* In the first minute people, too, keep a distance from what was asked before  [trap 39]. */
static void test_gentle_people(void **state)
{
    (void)state;
    bind_new_firmware();
    order_plug("ON");
    order_plug("OFF");
    rig_step(499);
    nothing_more();
    rig_step(1);
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "{}");
    rig_step(499);
    nothing_more();
    rig_step(1);
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", "{}");
    /* From its last answer on nothing has been asked for long: at once. */
    rig_step(500);
    order_plug("ON");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", NULL);
}

/* One that does not answer is distance, too, when it is over. */
static void test_gentle_after_silence(void **state)
{
    (void)state;
    bind_new_firmware();
    rig_step(500);
    order_plug("ON");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", NULL);
    rig_step(3000);
    order_plug("OFF");
    rig_step(2499); /* the first is over after 5 s */
    nothing_more();
    rig_step(1);
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", NULL);
}

/* Later people are not kept waiting. */
static void test_gentle_for_a_minute(void **state)
{
    (void)state;
    bind_new_firmware(); /* took 2 s */
    rig_step(58000 - 1);
    order_plug("ON");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "{}");
    order_plug("OFF");
    nothing_more();
    rig_step(500);
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", "{}");
    order_plug("ON"); /* a minute is over */
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "{}");
    order_plug("OFF");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", "{}");
}

/* Reading batteries wakes sub-devices: not again because the hub connects again  [trap 38]. */
static void test_batteries(void **state)
{
    (void)state;
    device("msh300", "4.1.26", "\"Appliance.Hub.Battery\":{}",
           "{\"hub\":{\"subdevice\":[{\"id\":\"A1\",\"ms100\":{}}]}}");
    expects("GET", NS_HUB_BATTERY, "{\"battery\":[]}",
            "{\"battery\":[{\"id\":\"A1\",\"value\":87}]}");
    said("meross/msh300-3456", "\"battery\":87");
    for (unsigned hours = 1; hours <= 6; hours++) {
        rig_drop(&plug, "gone");
        arrive("");
        rig_say(&plug, RIG_FROM, "SET", BIND, "b", "", RIG_BIND_OF("msh300", "4.1.26"));
        rig_expect(&plug, "SETACK", BIND, "", NULL);
        expects("GET", NS_ALL, "{}", "{}");
        if (hours < 6)
            nothing_more();
        rig_step(3600000 - 1);
        rig_skip();
    }
}

/* Settings first, then the relay; each as it was acknowledged. */
static void test_lamp_orders(void **state)
{
    (void)state;
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{}");
    order(LAMP, "{\"transaction\":7,\"state\":\"on\",\"brightness\":80,\"color\":\"#ff0000\"}");
    expects("SET", NS_LIGHT,
            "{\"light\":{\"channel\":0,\"rgb\":16711680,\"luminance\":80,\"capacity\":5}}", "{}");
    said(STATE(LAMP), "{\"state\":\"OFF\",\"brightness\":80,\"color\":\"#ff0000\",\"channels\"");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "{}");
    answered(LAMP, "{\"transaction\":7,\"status\":\"ok\",\"data\":{\"state\":\"ON\","
                   "\"brightness\":80,\"color\":\"#ff0000\",\"channels\":[{\"channel\":0,"
                   "\"state\":\"ON\"}]}}");
    nothing_more();
    /* One channel by its topic. */
    rig_skip();
    rig_ask("meross/" LAMP "/0/set", "{\"brightness\":10,\"transaction\":\"t\"}");
    expects("SET", NS_LIGHT, "{\"light\":{\"channel\":0,\"luminance\":10,\"capacity\":4}}", "{}");
    answered(LAMP, "\"brightness\":10");
    rig_skip();
    rig_ask("meross/" LAMP "/3/set", "{\"brightness\":10,\"transaction\":\"t\"}");
    answered(LAMP, "has no such channel");
    /* A failure in the middle ends it. */
    order(LAMP, "{\"transaction\":8,\"state\":\"off\",\"brightness\":30}");
    expects("SET", NS_LIGHT, "{\"light\":{\"channel\":0,\"luminance\":30,\"capacity\":4}}", NULL);
    rig_step(5000);
    answered(LAMP, "\"code\":\"timeout\"");
    nothing_more();
    said(STATE(LAMP), "\"brightness\":10");
}

/* Each names what is wrong, and nothing is sent. */
static void test_bad_orders(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"\"brightness\":101", "invalid", LAMP " takes brightness from 1 to 100"},
        {"\"state\":\"ON\",\"brightness\":0", "invalid", "takes brightness from 1 to 100"},
        {"\"brightness\":null", "invalid", "brightness is a number, a text, true or false"},
        {"\"brightness\":{}", "invalid", "brightness is a number"},
        {"\"position\":5", "unsupported",
         LAMP " has no position that can be set; it has: state, brightness, color, "
              "color_temperature, led"},
        {"\"wings\":true", "unsupported", "has no wings that can be set"},
        {"\"power\":5", "unsupported", "has no power that can be set"},
        {"\"subdevice\":\"x\",\"mode\":\"heat\"", "invalid", "has no sub-device called x"},
        {"\"subdevice\":5,\"state\":\"ON\"", "invalid", "has no sub-device called 5"},
        {"\"channel\":2,\"brightness\":5", "invalid", "has no such channel"},
        {"\"channel\":\"x\",\"brightness\":5", "invalid", "has no such channel"},
        {"\"channel\":99999999999999999999,\"brightness\":5", "invalid", "has no such channel"},
        {"\"state\":\"BLUE\",\"brightness\":5", "invalid", "got no order it understands"},
        {"\"_\":1", "invalid", "got no order it understands"},
    };
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[300];
        (void)snprintf(text, sizeof text, "{\"transaction\":\"t\",%s}", cases[i][0]);
        order(LAMP, text);
        nothing_more();
        answered(LAMP, cases[i][2]);
        (void)snprintf(text, sizeof text, "\"code\":\"%s\"", cases[i][1]);
        answered(LAMP, text);
    }
}

/* A state as it was published is an order: what is so already costs nothing. */
static void test_published(void **state)
{
    (void)state;
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    char published[600];
    (void)snprintf(published, sizeof published, "%s", rig_last(STATE(LAMP))->payload);
    order(LAMP, "{\"brightness\":5,\"led\":false}");
    expects("SET", NS_LIGHT, "{\"light\":{\"channel\":0,\"luminance\":5,\"capacity\":4}}", "{}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":1}}", "{}");
    order(LAMP, published);
    expects("SET", NS_LIGHT, "{\"light\":{\"channel\":0,\"luminance\":50,\"capacity\":4}}", "{}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":0}}", "{}");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":0}}", "{}");
    said(STATE(LAMP), published);
    order(LAMP, "{\"power\":1.5,\"future\":3,\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    expects("SET", NS_TOGGLEX, "{\"togglex\":{\"channel\":0,\"onoff\":1}}", "{}");
    nothing_more();
}

/* The LED is again as people wanted it after a reconnect (8.12), and a restart of ours. */
static void test_led(void **state)
{
    (void)state;
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    nothing_more(); /* nobody wished anything */
    order(LAMP, "{\"led\":false}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":1}}", "{}");
    rig_step(2000);
    rig_drop(&plug, "gone");
    rig_detach();
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND_OF("msl120", "2.1.12"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    expects("GET", NS_ALL, "{}", "{}");
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":1}}", "{}");
    said(STATE(LAMP), "\"led\":false");
    /* Somebody else changes it in the same connection: that counts from now on. */
    rig_say(&plug, RIG_FROM, "PUSH", NS_DND, "p", "", "{\"DNDMode\":{\"mode\":0}}");
    nothing_more();
    rig_drop(&plug, "gone");
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b3", "", RIG_BIND_OF("msl120", "2.1.12"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    expects("GET", NS_ALL, "{}", "{}");
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    nothing_more();
}

/* A level of the topic that is no number is no channel, not even by accident. */
static void test_odd_levels(void **state)
{
    (void)state;
    static const char *const levels[] = {"", ":", "0:", "a", "+1", "-1", "0x0", "999999999999"};
    device("msl120", "2.1.12",
           "\"Appliance.Control.ToggleX\":{},\"Appliance.Control.Light\":{\"capacity\":7}",
           "{\"togglex\":[{\"channel\":0,\"onoff\":0},{\"channel\":10,\"onoff\":0},"
           "{\"channel\":49,\"onoff\":0}],\"light\":{\"channel\":0,\"capacity\":6,"
           "\"temperature\":30,\"luminance\":50}}");
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, LAMP "/%s", levels[i]);
        order(name, "{\"brightness\":5,\"transaction\":\"t\"}");
        nothing_more();
        answered(LAMP, "\"code\":\"invalid\"");
    }
    order(LAMP "/10", "{\"brightness\":5}");
    expects("SET", NS_LIGHT, "{\"light\":{\"channel\":10,\"luminance\":5,\"capacity\":4}}", "{}");
}

/* A SET that was not answered, or gave way, is no wish of somebody else: it is tried again. */
static void test_led_again(void **state)
{
    (void)state;
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    order(LAMP, "{\"led\":false}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":1}}", "{}");
    rig_drop(&plug, "gone");
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND_OF("msl120", "2.1.12"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    expects("GET", NS_ALL, "{}", "{}");
    expects("GET", NS_DND, "{}", "{\"DNDMode\":{\"mode\":0}}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":1}}", NULL);
    rig_step(5000);
    struct rig_request r = {.ns = ""};
    for (unsigned i = 0; i < 14 && strcmp(r.ns, NS_DND) != 0; i++) {
        rig_step(300000);
        while (strcmp(r.ns, NS_DND) != 0 && rig_request_to(RIG_TO, &r))
            rig_say(&plug, TOPICS_ANSWERS, "GETACK", r.ns, r.id, "",
                    strcmp(r.ns, NS_DND) != 0 ? "{}" : "{\"DNDMode\":{\"mode\":0}}");
    }
    assert_string_equal(r.ns, NS_DND);
    expects("GET", NS_ALL, "{}", "{}");
    expects("SET", NS_DND, "{\"DNDMode\":{\"mode\":1}}", "{}");
    said(STATE(LAMP), "\"led\":false");
}

/* What a device repeats until it is acknowledged is (8.10), and is told. */
static void test_alerts(void **state)
{
    (void)state;
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{}");
    rig_skip();
    rig_say(&plug, RIG_FROM, "SET", NS_OVERTEMP, "a1", "",
            "{\"overTemp\":{\"channel\":0,\"value\":1,\"type\":1}}");
    struct rig_request r;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.method, "SETACK");
    assert_string_equal(r.id, "a1");
    assert_string_equal(r.payload, "{}");
    said("meross/" LAMP "/event", "{\"event\":\"overheated\",\"channel\":0,\"overheated\":true}");
    said(STATE(LAMP), "\"overheated\":true");
    rig_say(&plug, RIG_FROM, "PUSH", NS_ALARM, "a2", "",
            "{\"alarm\":[{\"channel\":0,\"value\":3}]}");
    said("meross/" LAMP "/event", "{\"event\":\"alarm\",\"channel\":0,\"alarm\":3}");
    nothing_more(); /* [trap 28] */
    rig_say(&plug, RIG_FROM, "SET", NS_OVERTEMP, "a3", "",
            "{\"overTemp\":{\"channel\":0,\"value\":2,\"type\":1}}");
    said("meross/" LAMP "/event", "\"overheated\":false");
}

/* Orders for two of its sub-devices, for when the hub is back: each has its own, the latest. */
static void test_hub_when_back(void **state)
{
    (void)state;
    static const char digest[] = "{\"hub\":{\"hubId\":5,\"subdevice\":[{\"id\":\"A1\",\"status\":1,"
                                 "\"onoff\":0,\"mts100v3\":{}},"
                                 "{\"id\":\"B2\",\"status\":1,\"onoff\":0,\"mts100v3\":{}}]}}";
    device("msh300hk", "4.5.32", "\"Appliance.Hub.ToggleX\":{}", digest);
    rig_drop(&plug, "gone");
    rig_step(60000);
    order(HUB, "{\"subdevice\":\"A1\",\"state\":\"ON\",\"when_back\":true,\"transaction\":\"t\"}");
    answered(HUB, "\"status\":\"queued\"");
    order(HUB, "{\"subdevice\":\"b2\",\"state\":\"OFF\",\"when_back\":true}");
    order(HUB, "{\"subdevice\":\"B2\",\"state\":\"ON\",\"when_back\":true}");
    rig_skip();
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b2", "", RIG_BIND_OF("msh300hk", "4.5.32"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    expects("GET", NS_ALL, "{}", "{}");
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"A1\",\"onoff\":1}]}", "{}");
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"B2\",\"onoff\":1}]}", "{}");
    nothing_more();
}

/* A hub: its list is answered while it asks for that [trap 36]; sensors are events; orders. */
static void test_hub(void **state)
{
    (void)state;
    device("msh300hk", "4.5.32",
           "\"Appliance.Hub.Mts100.Mode\":{},\"Appliance.Hub.Mts100.Temperature\":{},"
           "\"Appliance.Hub.ToggleX\":{}",
           "{\"hub\":{\"hubId\":-381895630,\"subdevice\":[{\"id\":\"01008C11\",\"status\":1,"
           "\"onoff\":0,\"mts100v3\":{}},{\"id\":\"0200AA\",\"status\":1,\"doorWindow\":{"
           "\"status\":0}}]}}");
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", NS_SUBDEVICES, "s1", "",
            "{\"needReply\":1,\"subdeviceList\":[{\"id\":\"0300AA\",\"type\":\"ms100\"}]}");
    struct rig_request r;
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.method, "PUSH");
    assert_string_equal(r.id, "s1");
    said(STATE(HUB), "{\"id\":\"0300AA\",\"type\":\"ms100\"}");
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", NS_DOOR_WINDOW, "s2", "",
            "{\"doorWindow\":[{\"id\":\"0200AA\",\"status\":1}]}");
    said("meross/" HUB "/event", "{\"event\":\"open\",\"subdevice\":\"0200AA\","
                                 "\"type\":\"doorWindow\",\"open\":true}");
    order(HUB, "{\"transaction\":\"t\",\"subdevice\":\"0100\",\"state\":\"ON\","
               "\"target_temperature\":21.5}");
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"01008C11\",\"onoff\":1}]}", "{}");
    expects("SET", NS_VALVE_TEMP, "{\"temperature\":[{\"id\":\"01008C11\",\"custom\":215}]}", "{}");
    answered(HUB, "{\"id\":\"01008C11\",\"type\":\"mts100v3\",\"online\":true,\"state\":\"ON\","
                  "\"target_temperature\":21.5}");
    order(HUB, "{\"transaction\":\"t\",\"subdevice\":\"0100\",\"state\":\"TOGGLE\"}");
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"01008C11\",\"onoff\":0}]}", "{}");
    order(HUB, "{\"transaction\":\"t\",\"subdevice\":\"0300AA\",\"state\":\"TOGGLE\"}");
    answered(HUB, "does not say whether it is on");
    answered(HUB, "\"code\":\"unsupported\"");
    order(HUB, "{\"transaction\":\"t\",\"subdevice\":\"0300AA\",\"brightness\":5}");
    answered(HUB, HUB ", 0300AA has no brightness that can be set");
    order(HUB, "{\"transaction\":\"t\",\"state\":\"ON\"}");
    answered(HUB, "has nothing to switch on and off");
    nothing_more();
}

/* The switch of a thermostat is no relay. */
static void test_thermostat(void **state)
{
    (void)state;
    device("mts960", "4.2.6", "\"Appliance.Control.Thermostat.ModeB\":{}",
           "{\"thermostat\":{\"modeB\":[{\"channel\":0,\"onoff\":2,\"mode\":1,\"targetTemp\":2000}]"
           "}}");
    order("mts960-3456", "ON");
    expects("SET", NS_MODE_B, "{\"modeB\":[{\"channel\":0,\"onoff\":1}]}", "{}");
    said("meross/mts960-3456/event", "\"event\":\"switched\"");
    order("mts960-3456", "TOGGLE");
    expects("SET", NS_MODE_B, "{\"modeB\":[{\"channel\":0,\"onoff\":2}]}", "{}");
    order("mts960-3456", "{\"state\":\"ON\",\"target_temperature\":21.5}");
    expects("SET", NS_MODE_B, "{\"modeB\":[{\"channel\":0,\"onoff\":1,\"targetTemp\":2150}]}",
            "{}");
}

/* One that did not tell whether it is on is known to have a switch. */
static void test_blind_toggle(void **state)
{
    (void)state;
    device("mts960", "4.2.6", "\"Appliance.Control.Thermostat.ModeB\":{}",
           "{\"thermostat\":{\"modeB\":[{\"channel\":0,\"mode\":1,\"targetTemp\":2000}]}}");
    order("mts960-3456", "{\"state\":\"TOGGLE\",\"transaction\":1}");
    answered("mts960-3456", "does not say whether it is on: send ON or OFF");
    answered("mts960-3456", "\"code\":\"unsupported\"");
    nothing_more();
}

/* A garage opener has none that people mean. */
static void test_garage(void **state)
{
    (void)state;
    device(
        "msg100", "4.2.1", "\"Appliance.Control.ToggleX\":{},\"Appliance.GarageDoor.State\":{}",
        "{\"togglex\":[{\"channel\":0,\"onoff\":1}],\"garageDoor\":[{\"channel\":0,\"open\":0}]}");
    said("meross/msg100-3456", "{\"door\":\"closed\",\"channels\":[]}");
    order("msg100-3456", "{\"state\":\"ON\",\"transaction\":1}");
    answered("msg100-3456", "has nothing to switch on and off; it has: door");
    order("msg100-3456", "{\"state\":\"TOGGLE\",\"transaction\":1}");
    answered("msg100-3456", "has nothing to switch on and off; it has: door");
    answered("msg100-3456", "\"code\":\"unsupported\"");
    nothing_more();
    order("msg100-3456", "{\"door\":\"open\",\"transaction\":2}");
    expects("SET", NS_GARAGE, "{\"state\":{\"channel\":0,\"open\":1,\"uuid\":\"" RIG_UUID "\"}}",
            "{\"state\":{\"channel\":0,\"open\":0,\"execute\":1}}");
    answered("msg100-3456", "\"moving\":\"opening\",\"door\":\"closed\"");
    rig_say(&plug, RIG_FROM, "PUSH", NS_GARAGE, "p", "",
            "{\"state\":[{\"channel\":0,\"open\":1}]}");
    said("meross/msg100-3456/event", "{\"event\":\"door\",\"channel\":0,\"door\":\"open\"}");
}

/* Each order wakes a valve; a slider that is dragged does not empty its battery  [trap 38]. */
static void test_wakes(void **state)
{
    (void)state;
    device("msh300hk", "4.5.32", "\"Appliance.Hub.ToggleX\":{}",
           "{\"hub\":{\"subdevice\":[{\"id\":\"A1\",\"onoff\":0},{\"id\":\"B2\",\"onoff\":0}]}}");
    for (unsigned i = 0; i < SUBDEVS_WAKES; i++) {
        order(HUB, "{\"subdevice\":\"A1\",\"state\":\"TOGGLE\"}");
        expects("SET", NS_HUB_TOGGLEX,
                i % 2 == 0 ? "{\"togglex\":[{\"id\":\"A1\",\"onoff\":1}]}"
                           : "{\"togglex\":[{\"id\":\"A1\",\"onoff\":0}]}",
                "{}");
    }
    order(HUB, "{\"transaction\":\"t\",\"subdevice\":\"A1\",\"state\":\"ON\"}");
    nothing_more();
    answered(HUB, "\"code\":\"busy\"");
    order(HUB, "{\"subdevice\":\"B2\",\"state\":\"ON\"}"); /* another one has its own battery */
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"B2\",\"onoff\":1}]}", "{}");
    rig_step(59999);
    order(HUB, "{\"subdevice\":\"A1\",\"state\":\"ON\"}");
    nothing_more();
    rig_step(1);
    order(HUB, "{\"subdevice\":\"A1\",\"state\":\"ON\"}");
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"A1\",\"onoff\":1}]}", "{}");
}

/* A device that has not told what it can do is ordered nothing but a switch. */
static void test_unknown_abilities(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("msl120", "2.1.12"));
    rig_skip();
    order(LAMP, "{\"transaction\":\"t\",\"brightness\":5}");
    answered(LAMP, "has not told yet what it can do");
    answered(LAMP, "\"code\":\"unsupported\"");
}

/* Kept until it is back, and checked at once. */
static void test_when_back(void **state)
{
    (void)state;
    LAMP_IS;
    expects("GET", NS_DND, "{}", "{}");
    rig_drop(&plug, "gone");
    rig_step(120000);
    order(LAMP, "{\"transaction\":\"t\",\"when_back\":true,\"brightness\":0}");
    answered(LAMP, "takes brightness from 1 to 100");
    order(LAMP, "{\"transaction\":\"t\",\"when_back\":true,\"brightness\":7}");
    answered(LAMP, "\"status\":\"queued\"");
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("msl120", "2.1.12"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    expects("GET", NS_ALL, "{}", RIG_ALL_OF("{}", "[{\"channel\":0,\"onoff\":0}]"));
    struct rig_request r;
    bool set = false;
    while (rig_request_to(RIG_TO, &r)) {
        if (strcmp(r.method, "SET") == 0) {
            assert_string_equal(r.payload,
                                "{\"light\":{\"channel\":0,\"luminance\":7,\"capacity\":4}}");
            set = true;
        } else {
            rig_say(&plug, TOPICS_ANSWERS, "GETACK", r.ns, r.id, "", "{}");
        }
    }
    assert_true(set);
}

#define RENAMED "meross/broker/response/rename"

static void name_part(const char *members)
{
    char text[300];
    (void)snprintf(text, sizeof text, "{\"transaction\":\"t\",\"plug\":\"msh\",%s}", members);
    rig_skip();
    rig_ask("meross/broker/request/rename", text);
}

/* Names of sub-devices, which people may use from then on, also after a restart. */
static void test_sub_names(void **state)
{
    (void)state;
    device("msh300hk", "4.5.32", "\"Appliance.Hub.ToggleX\":{}",
           "{\"hub\":{\"subdevice\":[{\"id\":\"01008C11\",\"onoff\":0},{\"id\":\"0200AA\"}]}}");
    name_part("\"subdevice\":\"0100\",\"name\":\"bath\"");
    said(RENAMED, "{\"name\":\"bath\",\"was\":\"01008C11\"}");
    said(STATE(HUB), "{\"id\":\"01008C11\",\"name\":\"bath\"");
    order(HUB, "{\"subdevice\":\"Bath\",\"state\":\"ON\"}");
    expects("SET", NS_HUB_TOGGLEX, "{\"togglex\":[{\"id\":\"01008C11\",\"onoff\":1}]}", "{}");
    name_part("\"subdevice\":\"0200AA\",\"name\":\"BATH\"");
    said(RENAMED, "\"code\":\"exists\"");
    name_part("\"subdevice\":\"0200AA\",\"name\":\"01008c11\"");
    said(RENAMED, "\"code\":\"exists\"");
    name_part("\"subdevice\":\"0300\",\"name\":\"x\"");
    said(RENAMED, "has no such sub-device");
    name_part("\"subdevice\":\"bath\",\"name\":\"12\"");
    said(RENAMED, "is no number");
    name_part("\"subdevice\":\"bath\",\"name\":\"a/b\"");
    said(RENAMED, "\"code\":\"invalid\"");
    name_part("\"channel\":0,\"name\":\"x\"");
    said(RENAMED, "has no such channel");
    rig_step(2000);
    rig_drop(&plug, "gone");
    rig_detach();
    rig_attach(NULL);
    said(STATE(HUB), "{\"id\":\"01008C11\",\"name\":\"bath\"");
}

/* Names of sockets. */
static void test_socket_names(void **state)
{
    (void)state;
    device("msh", "2.1.1", "\"Appliance.Control.ToggleX\":{}",
           "{\"togglex\":[{\"channel\":0,\"onoff\":1},{\"channel\":1,\"onoff\":1},"
           "{\"channel\":2,\"onoff\":0}]}");
    name_part("\"channel\":2,\"name\":\"lamp\"");
    said(RENAMED, "{\"name\":\"lamp\",\"was\":\"2\"}");
    said(STATE("msh-3456"), "{\"channel\":2,\"state\":\"OFF\",\"name\":\"lamp\"}");
    name_part("\"channel\":2,\"name\":\"light\"");
    said(RENAMED, "{\"name\":\"light\",\"was\":\"lamp\"}");
    name_part("\"channel\":1,\"name\":\"Light\"");
    said(RENAMED, "\"code\":\"exists\"");
    name_part("\"channel\":3,\"name\":\"x\"");
    said(RENAMED, "has no such channel");
    name_part("\"channel\":256,\"name\":\"x\"");
    said(RENAMED, "has no such channel");
    /* A published state with names in it is still an order. */
    char published[600];
    (void)snprintf(published, sizeof published, "%s", rig_last(STATE("msh-3456"))->payload);
    order("msh-3456", published);
    expects("SET", NS_TOGGLEX,
            "{\"togglex\":[{\"channel\":1,\"onoff\":1},{\"channel\":2,\"onoff\":0}]}", "{}");
}

/* Who has all the facts that it may have takes no name more, and nobody is told that it did. */
static void test_no_room_for_a_name(void **state)
{
    (void)state;
    device("msh", "2.1.1", "\"Appliance.Control.ToggleX\":{}",
           "{\"togglex\":[{\"channel\":0,\"onoff\":1},{\"channel\":1,\"onoff\":1},"
           "{\"channel\":2,\"onoff\":0}]}");
    struct device *d = registry_by_uuid(rig->m->registry, span_str(RIG_UUID));
    name_part("\"channel\":1,\"name\":\"lamp\"");
    for (unsigned i = 1; facts_bool(&d->facts, facts_sub(i), FACT_LED, true); i++)
        assert_true(i < 2 * FACTS_MAX);
    name_part("\"channel\":2,\"name\":\"fan\"");
    said(RENAMED, "\"status\":\"error\"");
    name_part("\"channel\":1,\"name\":\"light\"");
    said(RENAMED, "{\"name\":\"light\",\"was\":\"lamp\"}");
    name_part("\"channel\":1,\"name\":\"light\"");
    said(RENAMED, "{\"name\":\"light\",\"was\":\"light\"}");
}

/* One socket is the plug itself. */
static void test_only_socket(void **state)
{
    (void)state;
    device("msh", "2.1.1", "\"Appliance.Control.ToggleX\":{}",
           "{\"togglex\":[{\"channel\":0,\"onoff\":1}]}");
    name_part("\"channel\":0,\"name\":\"lamp\"");
    said(RENAMED, "has only one channel: name the plug itself");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_polls),
                                       T(test_silence),
                                       T(test_gentle),
                                       T(test_gentle_people),
                                       T(test_gentle_after_silence),
                                       T(test_gentle_for_a_minute),
                                       T(test_batteries),
                                       T(test_lamp_orders),
                                       T(test_bad_orders),
                                       T(test_published),
                                       T(test_led),
                                       T(test_led_again),
                                       T(test_odd_levels),
                                       T(test_alerts),
                                       T(test_hub),
                                       T(test_hub_when_back),
                                       T(test_thermostat),
                                       T(test_blind_toggle),
                                       T(test_garage),
                                       T(test_sub_names),
                                       T(test_socket_names),
                                       T(test_only_socket),
                                       T(test_no_room_for_a_name),
                                       T(test_wakes),
                                       T(test_unknown_abilities),
                                       T(test_when_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

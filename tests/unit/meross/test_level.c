/* The part of a plug that a topic names: a socket by its number or name, a sub-device of a hub. */
#include "tests/unit/meross/conversation.h"

#include "meross/wire/namespaces.h"

static char wanted[300];

static void device(const char *type, const char *abilities, const char *digest)
{
    char ability[1024], all[2048];
    rig_attach(NULL);
    arrive("");
    (void)snprintf(ability, sizeof ability, "{\"ability\":{%s}}", abilities);
    (void)snprintf(all, sizeof all,
                   "{\"all\":{\"system\":{\"hardware\":{\"type\":\"%s\"},\"firmware\":{\"version\":"
                   "\"2.1.1\"},\"time\":{}},\"digest\":%s}}",
                   type, digest);
    (void)snprintf(
        wanted, sizeof wanted,
        "{\"bind\":{\"hardware\":{\"type\":\"%s\"},\"firmware\":{\"version\":\"2.1.1\"}}}", type);
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", wanted);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", NS_ABILITY, "", ability);
    rig_expect(&plug, "GET", NS_ALL, "", all);
}

static void strip(void)
{
    device("mss425", "\"Appliance.Control.ToggleX\":{}",
           "{\"togglex\":[{\"channel\":0,\"onoff\":0},{\"channel\":1,\"onoff\":0},"
           "{\"channel\":2,\"onoff\":0}]}");
}

static void hub(void)
{
    device("msh300hk", "\"Appliance.Hub.ToggleX\":{},\"Appliance.Hub.Mts100.Temperature\":{}",
           "{\"hub\":{\"subdevice\":[{\"id\":\"01008C11\",\"onoff\":0},{\"id\":\"0200AA\"}]}}");
}

/* People name a part of it. */
static void name_part(const char *members, const char *answer)
{
    (void)snprintf(wanted, sizeof wanted, "{\"transaction\":\"t\",\"plug\":\"ms\",%s}", members);
    rig_skip();
    rig_ask("meross/broker/request/rename", wanted);
    const struct rig_pub *p = rig_last("meross/broker/response/rename");
    if (strstr(p->payload, answer) == NULL)
        fail_msg("%s, without %s", p->payload, answer);
}

/* An order there becomes this SET, which is acknowledged. */
static void becomes(const char *topic, const char *order, const char *payload)
{
    struct rig_request r;
    rig_skip();
    rig_ask(topic, order);
    if (!rig_request_to(RIG_TO, &r))
        fail_msg("%s %s: nothing is sent", topic, order);
    assert_string_equal(r.payload, payload);
    rig_say(&plug, TOPICS_ANSWERS, "SETACK", r.ns, r.id, "", "{}");
}

static void refused(const char *topic, const char *order, const char *response, const char *part)
{
    rig_skip();
    rig_ask(topic, order);
    const struct rig_pub *p = rig_last(response);
    assert_non_null(p);
    if (strstr(p->payload, part) == NULL)
        fail_msg("%s %s: %s, without %s", topic, order, p->payload, part);
    assert_null(rig_find(RIG_TO));
}

#define STRIP "meross/mss425-3456/"
#define HUB   "meross/msh300hk-3456/"

#define TOGGLED(channel, onoff) "{\"togglex\":{\"channel\":" channel ",\"onoff\":" onoff "}}"

static void test_sockets(void **state)
{
    (void)state;
    strip();
    name_part("\"channel\":2,\"name\":\"L\xc3\xa4mpchen\"", "\"ok\"");
    name_part("\"channel\":1,\"name\":\"set\"", "\"ok\"");
    becomes(STRIP "2/set", "ON", TOGGLED("2", "1"));
    becomes(STRIP "L\xc3\xa4mpchen/set", "OFF", TOGGLED("2", "0"));
    becomes(STRIP "l\xc3\x84MPCHEN/set", "{\"state\":\"on\"}", TOGGLED("2", "1"));
    becomes(STRIP "set/set", "TOGGLE", TOGGLED("1", "1"));
    becomes(STRIP "L\xc3\xa4mpchen/set", "{\"state\":\"OFF\",\"channel\":2}", TOGGLED("2", "0"));
#define ANSWER STRIP "response"
    refused(STRIP "L\xc3\xa4mpchen/set", "{\"transaction\":\"t\",\"state\":\"ON\",\"channel\":1}",
            ANSWER, "got no order it understands");
    refused(STRIP "lamp/set", "{\"transaction\":\"t\",\"state\":\"ON\"}", ANSWER,
            "has no part called lamp: `merossd show mss425-3456` lists what it has");
    refused(STRIP "3/set", "{\"transaction\":\"t\",\"state\":\"ON\"}", ANSWER,
            "has no such channel");
    refused(STRIP "256/set", "{\"transaction\":\"t\",\"state\":\"ON\"}", ANSWER, "no order");
    refused(STRIP "/set", "{\"transaction\":\"t\",\"state\":\"ON\"}", ANSWER, "has no part called");
    refused(STRIP ":/set", "{\"transaction\":\"t\",\"led\":\"on\"}", ANSWER,
            "has no part called :");
    name_part("\"channel\":2,\"name\":\"two\"", "\"ok\"");
    refused(STRIP "L\xc3\xa4mpchen/set", "{\"transaction\":\"t\",\"state\":\"ON\"}", ANSWER,
            "has no part called");
    becomes(STRIP "two/set", "ON", TOGGLED("2", "1"));
}

/* Kept for a plug that is not there, it is for the same socket, whatever that is called then. */
static void test_when_back(void **state)
{
    (void)state;
    struct rig_request r;
    bool set = false;
    strip();
    name_part("\"channel\":2,\"name\":\"lamp\"", "\"ok\"");
    rig_drop(&plug, "gone");
    rig_step(120000);
    rig_ask(STRIP "lamp/set", "{\"transaction\":\"t\",\"when_back\":true,\"state\":\"ON\"}");
    assert_non_null(strstr(rig_last(ANSWER)->payload, "\"queued\""));
    name_part("\"channel\":2,\"name\":\"other\"", "\"ok\"");
    arrive("");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND_OF("mss425", "2.1.1"));
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", NS_ALL, "",
               RIG_ALL_OF("{}", "[{\"channel\":0,\"onoff\":0},{\"channel\":1,\"onoff\":0},"
                                "{\"channel\":2,\"onoff\":0}]"));
    while (rig_request_to(RIG_TO, &r)) {
        if (strcmp(r.ns, NS_TOGGLEX) != 0)
            continue;
        assert_string_equal(r.payload, TOGGLED("2", "1"));
        set = true;
    }
    assert_true(set);
}

static void test_sub_devices(void **state)
{
    (void)state;
    hub();
    name_part("\"subdevice\":\"0100\",\"name\":\"bath\"", "\"ok\"");
#define BATH(onoff) "{\"togglex\":[{\"id\":\"01008C11\",\"onoff\":" onoff "}]}"
    becomes(HUB "bath/set", "ON", BATH("1"));
    becomes(HUB "BATH/set", " off\n", BATH("0"));
    becomes(HUB "01/set", "{\"state\":\"ON\"}", BATH("1"));
    becomes(HUB "01008c11/set", "{\"target_temperature\":21.5}",
            "{\"temperature\":[{\"id\":\"01008C11\",\"custom\":215}]}");
#undef ANSWER
#define ANSWER HUB "response"
    refused(HUB "bath/set", "{\"transaction\":\"t\",\"subdevice\":\"0200AA\",\"state\":\"ON\"}",
            ANSWER, "names a part, and so does its topic");
    refused(HUB "bath/set", "{\"transaction\":\"t\",\"state\":\"\"}", ANSWER, "no order");
    refused(HUB "0/set", "{\"transaction\":\"t\",\"state\":\"ON\"}", ANSWER, "nothing to switch");
    refused(HUB "bath/set", "{\"transaction\":\"t\"}", ANSWER, "no order");
    rig_skip();
    rig_ask(HUB "bath/set", "{}");
    rig_ask(HUB "bath/set", "[1]");
    rig_ask(HUB "bath/set", "\"]},{");
    assert_null(rig_find(RIG_TO));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_sockets), T(test_when_back), T(test_sub_devices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What may be sent to a plug: every rule once kept and once broken. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/session/shield.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX  "0123456789abcdef0123456789abcdef"
#define TAIL ",\"timestamp\":1700000000,\"sign\":\"" HEX "\"},\"payload\":"
#define HEAD "{\"header\":{\"messageId\":\"" HEX "\","
#define FROM "\"from\":\"/app/0-x/subscribe\","
#define MESSAGE(method, ns, payload)                                                               \
    HEAD FROM "\"namespace\":\"" ns "\",\"method\":\"" method "\"" TAIL payload "}"
#define GOOD MESSAGE("GET", "Appliance.System.All", "{}")

static char abilities[] = "Appliance.System.Debug\nAppliance.Control.ToggleX\n"
                          "Appliance.Control.Toggle\nAppliance.Control.Multiple\n"
                          "Appliance.Config.Key\nAppliance.Control.Unbind\n"
                          "Appliance.Control.Upgrade\nAppliance.Mcu.Upgrade2\n"
                          "Appliance.Hub.Unbind\nAppliance.Config.WifiX\n"
                          "Appliance.Control.TimerX\nAppliance.Control.Bind\n";
static struct device known = {.type = "mss310", .abilities = abilities, .max_commands = 3};
static struct device unknown = {.type = "mss310"};

static const char *objection_of(const char *text, const struct device *d, enum shield_sender by)
{
    struct envelope e;
    const char *why = shield_read(&e, span_str(text), shield_max(d));
    if (why != NULL)
        return why;
    why = shield_objection(&e, d, by);
    envelope_free(&e);
    return why;
}

static const char *objection(const char *text)
{
    return objection_of(text, &known, SHIELD_STRANGER);
}

static void passes(const char *text)
{
    const char *why = objection(text);
    if (why != NULL)
        fail_msg("%s: %s", text, why);
}

static void fails(const char *text, const char *part)
{
    const char *why = objection(text);
    if (why == NULL || strstr(why, part) == NULL)
        fail_msg("%s: not \"%s\" but %s", text, part, why != NULL ? why : "fine");
}

/* [trap 12] */
static void test_form(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0",
                                      "1",
                                      "ON",
                                      "{}",
                                      "[]",
                                      "null",
                                      GOOD "x",
                                      GOOD GOOD,
                                      "\xef\xbb\xbf" GOOD,
                                      HEAD FROM "\"namespace\":\"N\" \"method\":\"GET\"" TAIL "{}}",
                                      HEAD FROM "\"namespace\":\"N\",\"method\":\"GET\"" TAIL "[]}",
                                      HEAD FROM "\"namespace\":\"N\",\"method\":\"FOO\"" TAIL "{}}",
                                      HEAD FROM "\"method\":\"GET\"" TAIL "{}}"};
    passes(GOOD);
    passes(" " GOOD "\r\n");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fails(bad[i], "no well-formed Meross message");
    fails(MESSAGE("GET", "N", "{},\"Payload\":{}"), "twice");
    mem_fail_after(1);
    const char *no_memory = objection(GOOD);
    mem_fail_after(-1);
    assert_non_null(no_memory); /* what cannot be checked does not pass */
}

/* A plug's memory, a hub's, and one byte more. */
static void test_size(void **state)
{
    (void)state;
    static char big[ENVELOPE_TO_HUB_MAX + 2];
    struct device hub = {.type = "msh300hk"};
    memset(big, ' ', sizeof big);
    memcpy(big, GOOD, strlen(GOOD));
    big[ENVELOPE_TO_PLUG_MAX] = '\0';
    passes(big);
    big[ENVELOPE_TO_PLUG_MAX] = ' ';
    big[ENVELOPE_TO_PLUG_MAX + 1] = '\0';
    fails(big, "larger than a plug");
    assert_null(objection_of(big, &hub, SHIELD_STRANGER));
    big[ENVELOPE_TO_PLUG_MAX + 1] = ' ';
    big[ENVELOPE_TO_HUB_MAX] = '\0';
    assert_null(objection_of(big, &hub, SHIELD_STRANGER));
    big[ENVELOPE_TO_HUB_MAX] = ' ';
    big[ENVELOPE_TO_HUB_MAX + 1] = '\0';
    assert_non_null(objection_of(big, &hub, SHIELD_STRANGER));
}

#define WITH(id, from, stamp, sign)                                                                \
    "{\"header\":{\"namespace\":\"Appliance.System.All\",\"method\":\"GET\",\"messageId\":" id     \
    ",\"from\":" from ",\"timestamp\":" stamp ",\"sign\":" sign "},\"payload\":{}}"
#define Q(text) "\"" text "\""

/* [trap 18] [trap 19] */
static void test_header(void **state)
{
    (void)state;
    char text[1024], topic[SHIELD_FROM_MAX + 2];
    passes(WITH(Q(HEX), Q("a"), "1700000000", Q(HEX)));
    passes(WITH(Q(HEX), Q("a"), Q("1700000000"), Q(HEX)));
    passes(WITH(Q(HEX), Q("a"), "1700000000000", Q(HEX)));
    fails(WITH(Q(HEX), Q("a"), "17000000000000", Q(HEX)), "timestamp");
    fails(WITH(Q(HEX), Q("a"), "-1", Q(HEX)), "timestamp");
    fails(WITH(Q(HEX), Q("a"), "1.5", Q(HEX)), "timestamp");
    fails(WITH(Q(HEX), Q("a"), Q(""), Q(HEX)), "timestamp");
    fails(WITH(Q(HEX), Q("a"), "null", Q(HEX)), "timestamp");
    fails(WITH(Q(HEX "0"), Q("a"), "1", Q(HEX)), "messageId");
    fails(WITH(Q("0123456789abcdef0123456789abcde"), Q("a"), "1", Q(HEX)), "messageId");
    fails(WITH(Q("0123456789ABCDEF0123456789abcdef"), Q("a"), "1", Q(HEX)), "messageId");
    fails(WITH("12345678901234567890", Q("a"), "1", Q(HEX)), "messageId");
    fails(WITH(Q(HEX), Q("a"), "1", Q("x")), "sign");
    fails(WITH(Q(HEX), Q("a"), "1", "7"), "sign");
    fails(WITH(Q(HEX), Q(""), "1", Q(HEX)), "from");
    fails(WITH(Q(HEX), "7", "1", Q(HEX)), "from");
    fails(WITH(Q(HEX), "null", "1", Q(HEX)), "from");
    fails(WITH(Q(HEX), Q("a/+"), "1", Q(HEX)), "from");
    fails(WITH(Q(HEX), Q("#"), "1", Q(HEX)), "from");
    fails(WITH(Q(HEX), Q("a\\u0007"), "1", Q(HEX)), "from");
    for (unsigned n = SHIELD_FROM_MAX; n <= SHIELD_FROM_MAX + 1; n++) {
        memset(topic, 'a', n);
        topic[n] = '\0';
        (void)snprintf(text, sizeof text, WITH(Q(HEX), "\"%s\"", "1", Q(HEX)), topic);
        assert_int_equal(objection(text) == NULL, n == SHIELD_FROM_MAX);
    }
    fails(HEAD "\"payloadVersion\":\"1\"," FROM
               "\"namespace\":\"Appliance.System.All\",\"method\":\"GET\"" TAIL "{}}",
          "payloadVersion");
    passes(HEAD "\"payloadVersion\":0,\"timestampMs\":999,\"triggerSrc\":\"Android\"," FROM
                "\"namespace\":\"Appliance.System.All\",\"method\":\"GET\"" TAIL "{}}");
}

static void test_methods(void **state)
{
    (void)state;
    passes(MESSAGE("PUSH", "Appliance.System.Debug", "{}"));
    passes(MESSAGE("DELETE", "Appliance.Control.TimerX", "{}"));
    passes(HEAD "\"namespace\":\"Appliance.System.Debug\",\"method\":\"PUSH\"" TAIL "{}}");
    fails(HEAD "\"namespace\":\"Appliance.System.All\",\"method\":\"GET\"" TAIL "{}}", "from");
    fails(MESSAGE("SETACK", "Appliance.Control.Bind", "{}"), "answers nothing");
    assert_null(
        objection_of(MESSAGE("SETACK", "Appliance.Control.Bind", "{}"), &known, SHIELD_ANSWER));
    fails(MESSAGE("SET", "Appliance.Control.Bind", "{}"), "Bind is what a plug asks");
    fails(MESSAGE("GETACK", "Appliance.System.All", "{}"), "method");
    fails(MESSAGE("DELETEACK", "Appliance.System.All", "{}"), "method");
    fails(MESSAGE("ERROR", "Appliance.System.All", "{}"), "method");
}

/* [trap 49] What is not of the plug, and what nobody or no stranger may ask for. */
static void test_namespaces(void **state)
{
    (void)state;
    passes(MESSAGE("GET", "Appliance.System.Debug", "{}"));
    passes(MESSAGE("GET", "Appliance.System.Ability", "{}"));
    passes(MESSAGE("SET", "Appliance.System.Time", "{\"time\":{}}"));
    fails(MESSAGE("GET", "Appliance.Control.Electricity", "{}"), "does not have this namespace");
    fails(MESSAGE("GET", "appliance.system.debug", "{}"), "namespace is none");
    fails(MESSAGE("GET", "Appliance.System.debug", "{}"), "does not have");
    fails(MESSAGE("GET", "Appliance.", "{}"), "namespace is none");
    fails(MESSAGE("GET", "Appliance.A B", "{}"), "namespace is none");
    fails(MESSAGE("GET", "Appliance.\xc3\xbc", "{}"), "namespace is none");
    const char *any = MESSAGE("GET", "Appliance.Control.Electricity", "{}");
    assert_null(objection_of(any, &unknown, SHIELD_STRANGER));
    assert_null(objection_of(any, &known, SHIELD_OURSELVES));
    fails(MESSAGE("SET", "Appliance.Control.Upgrade", "{}"), "firmware upgrade");
    fails(MESSAGE("GET", "Appliance.Mcu.Upgrade2", "{}"), "firmware upgrade");
    fails(MESSAGE("SET", "Appliance.Control.upgrade", "{}"), "firmware upgrade");
    assert_non_null(
        objection_of(MESSAGE("SET", "Appliance.Control.Upgrade", "{}"), &known, SHIELD_OURSELVES));
    static const char *const kept[] = {MESSAGE("PUSH", "Appliance.Control.Unbind", "{}"),
                                       MESSAGE("SET", "Appliance.Hub.Unbind", "{}"),
                                       MESSAGE("SET", "Appliance.Config.Key", "{}"),
                                       MESSAGE("GET", "Appliance.Config.Key", "{}"),
                                       MESSAGE("SET", "Appliance.Config.WifiX", "{}")};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        assert_non_null(objection(kept[i]));
        assert_non_null(objection_of(kept[i], &known, SHIELD_ANSWER));
        assert_null(objection_of(kept[i], &known, SHIELD_OURSELVES));
    }
    assert_non_null(
        objection_of(MESSAGE("SET", "Appliance.Config.wifi", "{}"), &unknown, SHIELD_STRANGER));
    assert_non_null(
        objection_of(MESSAGE("SET", "Appliance.System.Factory", "{}"), &unknown, SHIELD_STRANGER));
    assert_non_null(
        objection_of(MESSAGE("PUSH", "Appliance.Control.UNBIND", "{}"), &unknown, SHIELD_STRANGER));
}

#define TOGGLEX(payload) MESSAGE("SET", "Appliance.Control.ToggleX", payload)
#define TOGGLE(payload)  MESSAGE("SET", "Appliance.Control.Toggle", payload)

static void test_onoff(void **state)
{
    (void)state;
    passes(TOGGLEX("{\"togglex\":{\"channel\":0,\"onoff\":1}}"));
    passes(TOGGLEX("{\"togglex\":[{\"channel\":1,\"onoff\":0},{\"channel\":2,\"onoff\":1}]}"));
    passes(TOGGLEX("{\"channel\":0,\"togglex\":{\"onoff\":1}}"));
    passes(TOGGLE("{\"channel\":0,\"toggle\":{\"onoff\":1}}"));
    passes(TOGGLE("{\"toggle\":{\"channel\":0,\"onoff\":0}}"));
    passes(MESSAGE("GET", "Appliance.Control.ToggleX", "{\"togglex\":{\"channel\":0}}"));
    static const char *const bad[] = {"2",    "-1", "\"1\"", "true", "1.0",
                                      "null", "10", "01e0x", "[1]",  "{}"};
    char text[512];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text, TOGGLEX("{\"togglex\":{\"channel\":0,\"onoff\":%s}}"),
                       bad[i]);
        assert_non_null(objection(text));
        (void)snprintf(text, sizeof text,
                       TOGGLEX("{\"togglex\":[{\"channel\":0,\"onoff\":1},{\"OnOff\":%s}]}"),
                       bad[i]);
        assert_non_null(objection(text));
        (void)snprintf(text, sizeof text, TOGGLE("{\"onoff\":%s,\"toggle\":{\"onoff\":1}}"),
                       bad[i]);
        assert_non_null(objection(text));
    }
    fails(TOGGLEX("{}"), "onoff");
    fails(TOGGLEX("{\"togglex\":[]}"), "onoff");
    fails(TOGGLEX("{\"togglex\":[1]}"), "onoff");
    fails(TOGGLEX("{\"togglex\":{\"channel\":0}}"), "onoff");
    fails(TOGGLEX("{\"togglex\":{\"channel\":-1,\"onoff\":1}}"), "onoff");
    fails(TOGGLEX("{\"togglex\":{\"channel\":\"0\",\"onoff\":1}}"), "onoff");
}

#define IN(method, ns, payload)                                                                    \
    "{\"header\":{\"method\":\"" method "\",\"namespace\":\"" ns "\"},\"payload\":" payload "}"
#define ONE        IN("GET", "Appliance.System.Debug", "{}")
#define MANY(list) MESSAGE("SET", "Appliance.Control.Multiple", "{\"multiple\":" list "}")

static void test_multiple(void **state)
{
    (void)state;
    passes(MANY("[" ONE "," ONE "," ONE "]"));
    fails(MANY("[" ONE "," ONE "," ONE "," ONE "]"), "more requests");
    struct device none = known;
    none.max_commands = 0;
    assert_non_null(objection_of(MANY("[" ONE "]"), &none, SHIELD_STRANGER));
    assert_non_null(objection_of(MANY("[" ONE "]"), &unknown, SHIELD_STRANGER));
    fails(MANY("[]"), "empty");
    fails(MANY("{}"), "list");
    fails(MANY(ONE), "list");
    fails(MESSAGE("GET", "Appliance.Control.Multiple", "{\"multiple\":[" ONE "]}"), "SET");
    fails(MANY("[1]"), "no header");
    fails(MANY("[{\"header\":{}}]"), "no header");
    fails(MANY("[" IN("PUSH", "Appliance.System.Debug", "{}") "]"), "method");
    fails(MANY("[" IN("SET", "Appliance.Control.Multiple", "{}") "]"), "Multiple");
    fails(MANY("[" ONE "," IN("SET", "Appliance.Control.Upgrade", "{}") "]"), "firmware upgrade");
    fails(MANY("[" ONE "," IN("SET", "Appliance.Config.Key", "{}") "]"), "key");
    fails(MANY("[" IN("GET", "Appliance.Control.Electricity", "{}") "]"), "does not have");
    fails(MANY("[" IN("SET", "Appliance.Control.ToggleX", "{\"togglex\":{\"onoff\":2}}") "]"),
          "onoff");
    passes(MANY("[" IN("SET", "Appliance.Control.ToggleX", "{\"togglex\":{\"onoff\":1}}") "]"));
    fails(MANY("[{\"header\":{\"messageId\":\"1\",\"method\":\"GET\",\"namespace\":"
               "\"Appliance.System.Debug\"},\"payload\":{}}]"),
          "messageId");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),       cmocka_unit_test(test_size),
        cmocka_unit_test(test_header),     cmocka_unit_test(test_methods),
        cmocka_unit_test(test_namespaces), cmocka_unit_test(test_onoff),
        cmocka_unit_test(test_multiple)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

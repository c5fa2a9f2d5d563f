/* What plugs tell about their relays, in every shape (sheet, 5.2 and 5.3, traps 20-22). */
#include "tests/unit/meross/conversation.h"

/* Buttons, shapes and traps 20-22. */
/* [trap 20] [trap 21] [trap 22] */
static void test_pushes(void **state)
{
    (void)state;
    static const struct {
        const char *ns, *payload;
        bool on, changes;
    } pushes[] = {
        {"Appliance.Control.ToggleX", "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}", false, true},
        {"Appliance.Control.ToggleX", "{\"togglex\":{\"onoff\":1,\"channel\":0}}", true, true},
        {"Appliance.Control.ToggleX", "{\"togglex\":{\"onoff\":\"0\",\"channel\":\"0\"}}", false,
         true},
        {"Appliance.Control.ToggleX", "{\"channel\":0,\"toggleX\":{\"onoff\":1}}", true, true},
        {"Appliance.Control.ToggleX", "{\"togglex\":{\"onoff\":2,\"channel\":0}}", true, false},
        {"Appliance.Control.Toggle", "{\"toggle\":{\"onoff\":0,\"lmTime\":1559375884}}", false,
         true},
        {"Appliance.Control.ToggleX", "{\"togglex\":{\"onoff\":0,\"channel\":0}}", false, false},
        {"Appliance.Control.ToggleX", "{\"channel\":0}", false, false},
        {"Appliance.Control.ToggleX", "{\"togglex\":null}", false, false},
        {"Appliance.Control.ToggleX", "{\"togglex\":[7,\"x\",[],{}]}", false, false},
        {"Appliance.Control.ToggleX", "{\"togglex\":[{\"channel\":1,\"onoff\":1,\"_\":null}]}",
         false, true},
    };
    rig_attach(NULL);
    rig_ready(&plug);
    for (size_t i = 0; i < sizeof pushes / sizeof pushes[0]; i++) {
        rig_say(&plug, RIG_FROM, "PUSH", pushes[i].ns, "p", "", pushes[i].payload);
        size_t from = rig->read;
        const struct rig_pub *p = rig_find("meross/" NAME);
        assert_int_equal(p != NULL, pushes[i].changes);
        if (p != NULL)
            assert_int_equal(strncmp(p->payload, "{\"state\":\"ON\"", 13) == 0, pushes[i].on);
        rig->read = from;
        p = rig_find("meross/" NAME "/event");
        bool known_channel = i + 1 < sizeof pushes / sizeof pushes[0];
        assert_int_equal(p != NULL, pushes[i].changes && known_channel);
        if (p != NULL)
            assert_non_null(strstr(p->payload, "\"by\":\"plug\"}"));
        rig_skip();
    }
    payload_is("meross/" NAME, "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"},"
                               "{\"channel\":1,\"state\":\"ON\"}]}");
}

static int find_off(void *ctx, struct span key, struct span value)
{
    char record[4096];
    (void)key;
    assert_true(span_to_str(value, record, sizeof record));
    *(bool *)ctx |= strstr(record, "\"state\":\"OFF\"") != NULL;
    return 0;
}

/* A changed state is saved, but the list of plugs, which does not show it, is left alone. */
static void test_list_is_calm(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p", "",
            "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}");
    rig_skip();
    rig_step(2000);
    assert_null(rig_next());
    bool off = false;
    assert_int_equal(store_each(rig->store, STORE_DEVICE, find_off, &off), MD_OK);
    assert_true(off);
    rig_detach();
    rig_attach(NULL);
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
}

/* A strip: System.All lists its channels, and those it does not list are none. */
static void test_channels(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.Control.ToggleX", "p", "",
            "{\"togglex\":[{\"channel\":9,\"onoff\":1}]}");
    rig_step(300000);
    rig_expect(&plug, "GET", ALL, "",
               RIG_ALL_OF("{}", "[{\"channel\":2,\"onoff\":1},{\"channel\":0,\"onoff\":0},"
                                "{\"channel\":1,\"onoff\":0}]"));
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"},"
               "{\"channel\":1,\"state\":\"OFF\"},{\"channel\":2,\"state\":\"ON\"}]}");
}

/* Firmware 1.1 has no digest. */
static void test_old_all(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    rig_say(&plug, RIG_FROM, "PUSH", BIND, "b1", "", RIG_BIND_OF("mss210", "1.1.12"));
    rig_step(5000); /* no answer to Ability */
    rig->read = 0;
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", NULL);
    rig_expect(
        &plug, "GET", ALL, "",
        "{\"all\":{\"system\":{\"firmware\":{\"version\":\"1.1.12\"}},\"control\":{\"toggle\":"
        "{\"onoff\":1,\"lmTime\":1560124804},\"trigger\":[],\"timer\":[]}}}");
    payload_is("meross/mss210-3456",
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    rig_skip();
    rig_ask("meross/mss210-3456/set", "OFF");
    rig_expect(&plug, "SET", "Appliance.Control.Toggle", "", "{}");
}

/* An answer that an external client asked for goes its way, and tells us the state as well. */
static void test_foreign_answer(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    rig_say(&plug, "/app/0-abc/subscribe", "GETACK", "Appliance.Control.ToggleX", "their id", "",
            "{\"togglex\":{\"channel\":0,\"onoff\":0}}");
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_pushes), T(test_list_is_calm), T(test_channels),
                                       T(test_old_all), T(test_foreign_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

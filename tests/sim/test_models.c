/* Every model of tests/plugsim/models in the house: it binds, it is read, it obeys a command that
 * fits its family, and it never sees a message that a real one could not live with. */
#include "tests/sim/house.h"

#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <stdio.h>

#define LIGHT    "Appliance.Control.Light"
#define GARAGE   "Appliance.GarageDoor.State"
#define POSITION "Appliance.RollerShutter.Position"
#define MODE     "Appliance.Control.Thermostat."
#define SETTLED  30000 /* by then a new device has been asked everything */

static unsigned list_models(char names[][40], unsigned cap)
{
    unsigned n = 0;
    DIR *folder = opendir(MD_SOURCE_DIR "/tests/plugsim/models");
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
        const char *dot = strstr(e->d_name, ".json");
        if (dot == NULL)
            continue;
        assert_true(n < cap);
        (void)snprintf(names[n++], 40, "%.*s", (int)(dot - e->d_name), e->d_name);
    }
    (void)closedir(folder);
    return n;
}

static void topic_of(const struct house_plug *p, const char *end, char out[64])
{
    const struct simplug_options *o = simplug_options_of(p->sim);
    const char *mac = o->mac + 12;
    (void)snprintf(out, 64, "meross/%s-%.2s%.2s%s", o->type, mac, mac + 3, end);
}

/* What a device of this kind is known by, once it was read; the first that fits counts. */
static const struct kind {
    const char *model; /* begins with this */
    const char *facts[5];
} kinds[] = {
    {"mss110",
     {"\"state\":\"OFF\"", "\"overheat_protection\":true", "\"overheat_action\":\"cut\""}},
    {"mss310", {"\"state\":\"OFF\"", "\"voltage\":233.1", "\"energy_today\":0"}},
    {"mss305", {"\"state\":\"OFF\"", "\"voltage\":233.1", "\"led\":true"}},
    {"mss315", {"\"state\":\"OFF\"", "\"voltage\":233.1"}},
    {"mss42", {"\"channel\":4,\"state\":\"OFF\""}},
    {"mss", {"\"state\":\"OFF\""}},
    {"wp110b", {"\"state\":\"OFF\""}},
    {"msl120j", {"\"state\":\"OFF\"", "\"brightness\":80", "\"color_temperature\":30"}},
    {"msl450", {"\"brightness\":100", "\"color_temperature\":55"}},
    {"msl320cpr-4.3.8", {"\"brightness\":100", "\"color_temperature\":55"}},
    {"msl", {"\"state\":\"OFF\"", "\"brightness\":100", "\"color\":\"#0000ff\""}},
    {"hp110",
     {"\"brightness\":60", "\"color\":\"#ff0000\"", "\"song\":1,\"volume\":8,\"mute\":false"}},
    {"msxh0", {"\"spray\":\"off\"", "\"brightness\":0"}},
    {"mod100", {"\"spray\":\"off\"", "\"color\":\"#3f00ff\"", "\"humidity\":45.3"}},
    {"map100", {"\"speed\":1", "\"max_speed\":4", "\"filter_life\":87"}},
    {"mfc100", {"\"channel\":2,\"state\":\"OFF\",\"speed\":2", "\"brightness\":40"}},
    {"msg100",
     {"\"door\":\"closed\"", "\"buzzer\":false,\"signal_duration\":1,\"open_duration\":30"}},
    {"msg200",
     {"{\"channel\":1,\"door\":\"closed\",\"door_enabled\":true,\"buzzer\":true,\"signal_open\":1",
      "{\"channel\":2,\"door\":\"closed\",",
      "{\"channel\":3,\"door_enabled\":false,\"buzzer\":true"}},
    {"mrs100-6",
     {"\"position\":0", "\"open_duration\":49.7,\"close_duration\":44.7,\"auto_adjust\":true"}},
    {"mrs100", {"\"position\":0", "\"moving\":\"stopped\""}},
    {"mts200-", {"\"target_temperature\":20.5", "\"power\":1500"}},
    {"mts200b",
     {"\"temperature\":22.1", "\"target_temperature\":20.5", "\"mode\":\"manual\"",
      "\"overheat_protection\":true,\"overheat_temperature\":33.5,\"schedule\":true",
      "\"screen_brightness\":75,\"screen_brightness_standby\":12.5"}},
    {"mts960",
     {"\"temperature\":19.5", "\"target_temperature\":21", "\"heating\":true",
      "\"schedule\":true,\"timer\":1"}},
    {"mts300",
     {"\"target_temperature\":21", "\"target_temperature_cool\":24", "\"humidity\":49.5",
      "\"temperature_unit\":\"celsius\""}},
    {"msh300-", {"\"id\":\"1A00694A\",\"type\":\"ms100\"", "\"battery\":60", "\"schedule\":true"}},
    {"msh300hk-4.5.32", {"\"type\":\"doorWindow\",\"online\":true,\"open\":false"}},
    {"msh300hk-4", {"\"id\":\"01008C1C\",\"type\":\"mts150\"", "\"smoke\":\"ok\""}},
    {"msh300hk-5", {"\"temperature\":19.87,\"humidity\":51.2", "\"leak\":false"}},
    {"ms600", {"\"presence\":true", "\"distance\":2.3", "\"light\":87"}},
    {"em06", {"\"channel\":4,\"power\":-800", "\"channel\":6,", "\"power_factor\":0.98"}},
};

static const struct kind *kind_of(const char *model)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(model, kinds[i].model, strlen(kinds[i].model)) == 0)
            return &kinds[i];
    fail_msg("what is a %s known by?  Add it to the table", model);
    return NULL;
}

static void assert_seen(const struct house *h, const char *name, const char *topic,
                        const char *part)
{
    if (strstr(house_heard(h, topic), part) == NULL)
        fail_msg("%s: \"%s\" is not in %s: %s", name, part, topic, house_heard(h, topic));
}

static void assert_no_violation(const char *name, const struct house_plug *p)
{
    if (simplug_violations(p->sim) > 0)
        fail_msg("%s: %s", name, simplug_violation(p->sim, 0));
    assert_int_equal(simplug_status(p->sim)->reboots, 0);
}

/* What people order of a kind of device, and what the device itself holds then. */
static const struct order {
    const char *model, *order; /* to meross/<name>/set */
    const char *ns, *holds;    /* ns NULL: none of these; the state says it */
    const char *state;         /* part of the state topic then */
    unsigned wait_ms;
} orders[] = {
    {"msl120j", "{\"brightness\":42}", LIGHT, "\"luminance\":42", "\"brightness\":42", 3000},
    {"msl120j", "{\"color_temperature\":90}", LIGHT, "\"temperature\":90",
     "\"color_temperature\":90", 3000},
    {"msl320", "{\"color\":\"#ff8000\"}", LIGHT, "\"rgb\":16744448", "\"color\":\"#ff8000\"", 3000},
    {"msl4", "{\"color\":\"#ff8000\",\"brightness\":7}", LIGHT, "\"luminance\":7",
     "\"brightness\":7", 3000},
    {"hp110", "{\"brightness\":99}", LIGHT, "\"luminance\":99", "\"brightness\":99", 3000},
    {"msxh0", "{\"spray\":\"continuous\"}", "Appliance.Control.Spray", "\"mode\":1",
     "\"spray\":\"continuous\"", 3000},
    {"msxh0", "{\"brightness\":60}", LIGHT, "\"onoff\":1", "\"brightness\":60", 3000},
    {"mod100", "{\"spray\":\"strong\"}", "Appliance.Control.Diffuser.Spray", "\"mode\":1",
     "\"spray\":\"strong\"", 3000},
    {"mod100", "{\"color\":\"#00ff00\"}", "Appliance.Control.Diffuser.Light", "\"rgb\":65280",
     "\"color\":\"#00ff00\"", 3000},
    {"map100", "{\"speed\":3}", "Appliance.Control.Fan", "\"speed\":3", "\"speed\":3", 3000},
    {"mfc100", "{\"channel\":2,\"speed\":3}", "Appliance.Control.Fan", "\"speed\":3", "\"speed\":3",
     3000},
    {"mfc100", "{\"channel\":1,\"brightness\":11}", LIGHT, "\"luminance\":11", "\"brightness\":11",
     3000},
    {"msg100", "{\"door\":\"open\"}", GARAGE, "\"open\":1", "\"door\":\"open\"", 15000},
    {"msg200", "{\"channel\":2,\"door\":\"open\"}", GARAGE, "\"channel\":2,", "\"door\":\"open\"",
     15000},
    {"msg100", "{\"buzzer\":true,\"open_duration\":12.5}", "Appliance.GarageDoor.Config",
     "\"doorOpenDuration\":12500", "\"buzzer\":true,\"signal_duration\":1,\"open_duration\":12.5",
     3000},
    {"msg200", "{\"channel\":3,\"door_enabled\":true}", "Appliance.GarageDoor.MultipleConfig",
     "{\"channel\":3,\"doorEnable\":1", "{\"channel\":3,\"door_enabled\":true,", 3000},
    {"mrs100-6", "{\"open_duration\":60}", "Appliance.RollerShutter.Config", "\"signalOpen\":60000",
     "\"open_duration\":60", 3000},
    {"mss110", "{\"overheat_protection\":false}", "Appliance.Config.OverTemp", "\"enable\":2",
     "\"overheat_protection\":false", 3000},
    {"hp110", "{\"song\":4,\"volume\":2}", "Appliance.Control.Mp3", "\"song\":4",
     "\"song\":4,\"volume\":2,\"mute\":false", 3000},
    {"mts200b", "{\"screen_brightness\":40.5}", "Appliance.Control.Screen.Brightness",
     "\"operation\":40.5", "\"screen_brightness\":40.5", 3000},
    {"mts300", "{\"temperature_unit\":\"fahrenheit\"}", "Appliance.Control.TempUnit",
     "\"tempUnit\":2", "\"temperature_unit\":\"fahrenheit\"", 3000},
    {"mrs100", "{\"position\":100}", POSITION, "\"position\":100", "\"position\":100", 25000},
    {"mrs100-6", "{\"position\":30}", POSITION, "\"position\":30", "\"position\":30", 25000},
    {"mrs100-7", "{\"position\":30}", POSITION, "\"position\":30", "\"position\":30", 25000},
    {"mts200", "{\"target_temperature\":23.5}", MODE "Mode", "\"targetTemp\":235",
     "\"heating\":true", 3000},
    {"mts200", "OFF", MODE "Mode", "\"onoff\":0", "\"state\":\"OFF\"", 3000},
    {"mts960", "{\"target_temperature\":18}", MODE "ModeB", "\"targetTemp\":1800",
     "\"heating\":false", 3000},
    {"mts960", "OFF", MODE "ModeB", "\"onoff\":2", "\"state\":\"OFF\"", 3000},
    {"mts300", "{\"target_temperature\":19.5}", MODE "ModeC", "\"heat\":1950",
     "\"target_temperature\":19.5", 3000},
    {"msh300", "{\"subdevice\":\"01008C11\",\"target_temperature\":23}",
     "Appliance.Hub.Mts100.Temperature", "\"custom\":230", "\"target_temperature\":23", 3000},
    {"msh300", "{\"subdevice\":\"01008C11\",\"state\":\"OFF\"}", "Appliance.Hub.ToggleX",
     "{\"id\":\"01008C11\",\"onoff\":0}", "\"state\":\"OFF\"", 3000},
    {"mss", "ON", NULL, NULL, "\"state\":\"ON\"", 3000},
    {"mss", "OFF", NULL, NULL, "\"state\":\"OFF\"", 3000},
    {"msl", "OFF", NULL, NULL, "\"state\":\"OFF\"", 3000},
    {"wp110b", "ON", NULL, NULL, "\"state\":\"ON\"", 3000},
    {"ms600", "{\"led\":false}", NULL, NULL, "\"led\":false", 3000},
    {"em06", "{\"led\":false}", NULL, NULL, "\"led\":false", 3000},
};

static void assert_holds(const char *name, const struct house_plug *p, const char *ns,
                         const char *part)
{
    char text[8192];
    struct buf out;
    buf_init(&out, sizeof text);
    assert_int_equal(simplug_holds(p->sim, ns, &out), MD_OK);
    assert_true(span_to_str(buf_view(&out), text, sizeof text));
    buf_free(&out);
    if (strstr(text, part) == NULL)
        fail_msg("%s: \"%s\" is not in %s: %s", name, part, ns, text);
}

static void check_orders(struct house *h, const char *name, const struct house_plug *p)
{
    char set[64], topic[64];
    unsigned given = 0;
    topic_of(p, "/set", set);
    topic_of(p, "", topic);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        const struct order *o = &orders[i];
        if (strncmp(name, o->model, strlen(o->model)) != 0)
            continue;
        unsigned before = simplug_status(p->sim)->requests;
        house_say(h, set, o->order);
        house_run(h, o->wait_ms);
        assert_true(simplug_status(p->sim)->requests > before);
        if (o->ns != NULL)
            assert_holds(name, p, o->ns, o->holds);
        assert_seen(h, name, topic, o->state);
        given++;
    }
    if (given == 0)
        fail_msg("what does a %s obey?  Add it to the table", name);
}

static void check_model(const char *name)
{
    static struct house h;
    char topic[64];
    house_start(&h, "");
    struct simplug_options o = house_options(&h, name, 7);
    struct house_plug *p = house_plug(&h, &o);
    if (house_run_until_bound(&h, 20000) == UINT64_MAX)
        fail_msg("%s does not bind", name);
    house_run(&h, SETTLED);
    topic_of(p, "/availability", topic);
    assert_string_equal(house_heard(&h, topic), "online");
    topic_of(p, "", topic);
    const struct kind *kind = kind_of(name);
    for (size_t i = 0; i < 5 && kind->facts[i] != NULL; i++)
        assert_seen(&h, name, topic, kind->facts[i]);
    check_orders(&h, name, p);
    house_run(&h, 60000);
    assert_no_violation(name, p);
    assert_int_equal(simplug_status(p->sim)->connects, 1);
    house_stop(&h);
}

static void test_every_model(void **state)
{
    (void)state;
    static char names[200][40];
    unsigned n = list_models(names, 200);
    for (unsigned i = 0; i < n; i++)
        check_model(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

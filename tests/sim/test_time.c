/* Time and zone of plugs that stay connected, in a house whose clock moves in large steps. */
#include "tests/sim/own_house.h"
#include "meross/meross.h"

#define HOUR_MS 3600000
#define DAY_MS  86400000ll
#define BERLIN  "CET-1CEST,M3.5.0,M10.5.0/3"

static struct house_plug *add_with(const char *type, const char *const *options)
{
    struct simplug_options o = house_options(h, type, h->n_plugs);
    for (; *options != NULL; options++)
        assert_int_equal(simplug_options_set(&o, *options), MD_OK);
    return house_plug(h, &o);
}

static struct house_plug *add(const char *type)
{
    static const char *const none[] = {NULL};
    return add_with(type, none);
}

/* It pings less often than a large step is long. */
static struct house_plug *add_patient(void)
{
    static const char *const options[] = {"keep_alive_s=20000", NULL};
    return add_with("mss210", options);
}

/* A zone of this name with only the first rules of Berlin, as a table that another program
 * wrote. */
static void short_table(struct zone *out)
{
    struct zone_rule rule[ZONE_TABLE_MAX];
    struct zone berlin;
    assert_int_equal(zone_parse_posix(&berlin, "Europe/Berlin", BERLIN), MD_OK);
    size_t n = zone_table(&berlin, h->fake.wall_ms / 1000, rule, ZONE_TABLE_MAX);
    assert_int_equal(n, ZONE_TABLE_MAX);
    memset(out, 0, sizeof *out);
    memcpy(out->name, berlin.name, sizeof out->name);
    out->first = rule[0];
    out->n = 4; /* until October of the next year: 13 months */
    memcpy(out->past, rule, out->n * sizeof rule[0]);
}

/* [trap 32] One that is connected all the time gets another table a year before its own ends. */
static void a_table_is_renewed_before_it_ends(void **state)
{
    struct zone z;
    (void)state;
    short_table(&z);
    meross_set_zone(h->meross, &z);
    struct house_plug *p = add_patient();
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 10000);
    assert_int_equal(house_status(p)->times, 1);
    assert_int_equal(zone_parse_posix(&z, "Europe/Berlin", BERLIN), MD_OK);
    meross_set_zone(h->meross, &z);
    house_run(h, 10000);
    assert_int_equal(house_status(p)->times, 1); /* it holds for more than a year */
    house_leap(h, 38 * DAY_MS, HOUR_MS);
    assert_int_equal(house_status(p)->times, 1);
    house_leap(h, 4 * DAY_MS, HOUR_MS);
    assert_int_equal(house_status(p)->times, 2);
    assert_int_equal(house_status(p)->connects, 1);
    house_assert_clean(h);
}

/* A year of one connection, over both switches: it has what it needs, and is left alone. */
static void a_year_without_a_break(void **state)
{
    (void)state;
    struct house_plug *p = add_patient();
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 10000);
    house_leap(h, 365 * DAY_MS, 4 * HOUR_MS);
    assert_int_equal(house_status(p)->connects, 1);
    assert_true(house_status(p)->bound);
    assert_int_equal(house_status(p)->times, 1);
    house_assert_clean(h);
}

/* [trap 33] A router without a battery: plugs are bound, and told no time until NTP comes.  They
 * are read meanwhile, by the time that they have themselves. */
static void ntp_comes_late(void **state)
{
    (void)state;
    int64_t now = h->fake.wall_ms;
    static const char *const ntp[] = {"ntp=1", NULL}; /* a Clock nobody answers is another matter */
    struct house_plug *plugs[3] = {add_with("mss210", ntp), add_with("mss310", ntp),
                                   add_with("mss425e", ntp)};
    for (unsigned i = 0; i < 3; i++)
        simplug_set_wall(plugs[i]->sim, now - (int64_t)h->fake.mono_ms);
    h->fake.wall_ms = 30000; /* of the host alone: 1970 */
    (void)house_run_until_bound(h, 20000);
    house_run(h, 60000);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(house_status(plugs[i])->bound);
        assert_int_equal(house_status(plugs[i])->times, 0);
    }
    house_assert_clean(h);         /* no request with the time of the host */
    h->fake.wall_ms = now + 80000; /* as the plugs would have it */
    for (unsigned i = 0; i < 3; i++)
        simplug_set_wall(plugs[i]->sim, h->fake.wall_ms - (int64_t)h->fake.mono_ms);
    house_run(h, 20000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(house_status(plugs[i])->times, 1);
        assert_true(house_status(plugs[i])->clock);
    }
}

/* The host was an hour wrong, then a day: plugs are corrected within about a minute. */
static void the_clock_of_the_host_is_set(void **state)
{
    (void)state;
    struct house_plug *p = add("mss310");
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 10000);
    static const int64_t jumps[] = {3600000, -3600000, DAY_MS, -DAY_MS, 20000, -20000};
    for (unsigned i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        house_wall(h, h->fake.wall_ms + jumps[i]);
        house_run(h, 65000);
        assert_int_equal(house_status(p)->times, 2 + i);
    }
    house_assert_clean(h);
}

/* [trap 32] Another zone reaches plugs that are connected, at once; one that comes later gets it
 * when it comes. */
static void another_zone(void **state)
{
    (void)state;
    struct zone z;
    struct house_plug *p = add("mss310");
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 10000);
    assert_int_equal(zone_parse_posix(&z, "America/New_York", "EST5EDT,M3.2.0,M11.1.0"), MD_OK);
    meross_set_zone(h->meross, &z);
    house_run(h, 5000);
    assert_int_equal(house_status(p)->times, 2);
    assert_string_equal(simplug_options_of(p->sim)->timezone, "America/New_York");
    /* The same name with other rules. */
    assert_int_equal(zone_parse_posix(&z, "America/New_York", "EST5"), MD_OK);
    meross_set_zone(h->meross, &z);
    house_run(h, 5000);
    assert_int_equal(house_status(p)->times, 3);
    struct house_plug *late = add("mss310");
    assert_true(house_run_until_bound(h, 60000) < 60000);
    house_run(h, 10000);
    assert_int_equal(house_status(late)->times, 1);
    assert_string_equal(simplug_options_of(late->sim)->timezone, "America/New_York");
    house_assert_clean(h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_house, end_house)
    const struct CMUnitTest tests[] = {
        TEST(a_year_without_a_break), TEST(a_table_is_renewed_before_it_ends),
        TEST(ntp_comes_late),         TEST(the_clock_of_the_host_is_set),
        TEST(another_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The zone of a computer that changes: files below a folder of our own, and what plugs are told. */
#include "tests/unit/cmocka.h"
#include "tools/serve/zonewatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW    1790000000 /* 2026-09-21 */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define INFO   "/usr/share/zoneinfo/"

static char root[] = "/tmp/merossd-zone-XXXXXX";
static struct zonewatch w;

static const char *below(const char *path)
{
    static char full[256];
    (void)snprintf(full, sizeof full, "%s%s", root, path);
    return full;
}

/* A zoneinfo file without transitions, whose rule stands in its last line  [RFC 8536]. */
static void put_zone(const char *path, const char *rule, unsigned east_s)
{
    static const char block[44] = "TZif2";
    const uint8_t type[7] = {0, 0, (uint8_t)(east_s >> 8), (uint8_t)east_s};
    char header[44];
    FILE *f = fopen(below(path), "w");
    assert_non_null(f);
    memcpy(header, block, sizeof header);
    header[39] = 1; /* one kind of local time ... */
    header[43] = 1; /* ... and one byte of its name */
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fwrite(header, 1, sizeof header, f), sizeof header);
        assert_int_equal(fwrite(type, 1, sizeof type, f), sizeof type);
    }
    fprintf(f, "\n%s\n", rule);
    fclose(f);
}

static void put_text(const char *path, const char *text)
{
    FILE *f = fopen(below(path), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void link_to(const char *name)
{
    char target[128];
    (void)snprintf(target, sizeof target, "..%s%s", INFO, name);
    (void)unlink(below("/etc/localtime"));
    assert_int_equal(symlink(target, below("/etc/localtime")), 0);
}

static int set_up(void **state)
{
    static const char *const folders[] = {"/etc", "/usr", "/usr/share", "/usr/share/zoneinfo",
                                          "/usr/share/zoneinfo/Europe"};
    (void)state;
    (void)memcpy(root, "/tmp/merossd-zone-XXXXXX", sizeof root);
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        assert_int_equal(mkdir(below(folders[i]), 0700), 0);
    put_zone(INFO "Europe/Berlin", BERLIN, 3600);
    put_zone(INFO "Europe/Lisbon", "WET0WEST,M3.5.0/1,M10.5.0", 0);
    link_to("Europe/Berlin");
    struct hostzone_places p = {.root = root};
    assert_int_equal(zonewatch_start(&w, &p), MD_OK);
    assert_string_equal(w.what, "Europe/Berlin, from /etc/localtime");
    return 0;
}

static int tear_down(void **state)
{
    static const char *const all[] = {INFO "Europe/Berlin",
                                      INFO "Europe/Lisbon",
                                      "/etc/localtime",
                                      "/etc/TZ",
                                      "/usr/share/zoneinfo/Europe",
                                      "/usr/share/zoneinfo",
                                      "/usr/share",
                                      "/usr",
                                      "/etc",
                                      ""};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        (void)remove(below(all[i]));
    return 0;
}

static bool look(bool sure)
{
    struct hostzone_places p = {.root = root};
    return zonewatch_look(&w, &p, NOW, sure);
}

static void nothing_changes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_false(look(i == 2));
}

/* [trap 32] Another zone: seen twice, or said by somebody. */
static void another_link(void **state)
{
    (void)state;
    link_to("Europe/Lisbon");
    assert_false(look(false));
    assert_true(look(false));
    assert_string_equal(w.zone.name, "Europe/Lisbon");
    assert_string_equal(w.what, "Europe/Lisbon, from /etc/localtime");
    assert_false(look(false));
    link_to("Europe/Berlin");
    assert_true(look(true));
    assert_string_equal(w.zone.name, "Europe/Berlin");
}

/* [trap 32] The same name, and a new tzdata without summer time. */
static void new_rules_under_the_same_name(void **state)
{
    struct zone_rule rule[ZONE_TABLE_MAX];
    (void)state;
    assert_int_equal(zone_table(&w.zone, NOW, rule, ZONE_TABLE_MAX), ZONE_TABLE_MAX);
    put_zone(INFO "Europe/Berlin", "CET-1", 3600);
    assert_false(look(false));
    assert_true(look(false));
    assert_string_equal(w.zone.name, "Europe/Berlin");
    assert_int_equal(zone_table(&w.zone, NOW, rule, ZONE_TABLE_MAX), 1);
    assert_int_equal(rule[0].offset, 3600);
    assert_false(look(false));
}

/* A package takes the files away and puts new ones there; meanwhile this is no UTC. */
static void files_that_are_away_for_a_moment(void **state)
{
    (void)state;
    (void)unlink(below(INFO "Europe/Berlin"));
    assert_false(look(false));
    put_zone(INFO "Europe/Berlin", BERLIN, 3600);
    assert_false(look(false));
    (void)unlink(below(INFO "Europe/Berlin"));
    assert_false(look(false)); /* not "twice in a row" */
    put_zone(INFO "Europe/Berlin", "CET-1", 3600);
    assert_false(look(false)); /* neither the same thing twice */
    assert_true(look(false));
    put_text(INFO "Europe/Berlin", "TZif2 half of it");
    assert_false(look(false));
    put_zone(INFO "Europe/Berlin", "CET-1", 3600);
    assert_false(look(false));
    (void)unlink(below("/etc/localtime"));
    assert_false(look(false));
    assert_true(look(false)); /* it is gone for good */
    assert_string_equal(w.zone.name, "UTC");
}

/* OpenWrt writes its rule into a file. */
static void a_rule_in_etc(void **state)
{
    (void)state;
    put_text("/etc/TZ", "EST5EDT,M3.2.0,M11.1.0\n");
    assert_false(look(false));
    assert_true(look(false));
    assert_string_equal(w.what, "EST5EDT,M3.2.0,M11.1.0, from /etc/TZ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(nothing_changes), TEST(another_link),
                                       TEST(new_rules_under_the_same_name),
                                       TEST(files_that_are_away_for_a_moment), TEST(a_rule_in_etc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

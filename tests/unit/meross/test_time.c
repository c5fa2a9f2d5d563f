/* Clock and time zone (sheet, 4.3 and 4.5). */
#include "tests/unit/meross/conversation.h"

/* [trap 29] [trap 30] [trap 31] The header comes back, the method stays PUSH, uuid goes, our time is in it. */
static void test_clock(void **state)
{
    (void)state;
    rig_attach(NULL);
    arrive("");
    for (unsigned i = 0; i < 3; i++) {
        rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "somebody's key",
                "{\"clock\":{\"timestamp\":6}}");
        const struct rig_pub *p = rig_find(RIG_TO);
        assert_non_null(p);
        assert_non_null(strstr(p->payload, "\"method\":\"PUSH\""));
        assert_non_null(strstr(p->payload, "\"messageId\":\"c1\""));
        assert_non_null(strstr(p->payload, "\"timestamp\":1700000000,\"timestampMs\":338"));
        assert_non_null(strstr(p->payload, "\"from\":\"" RIG_FROM "\""));
        assert_non_null(strstr(p->payload, "\"triggerSrc\":\"CloudControl\""));
        assert_null(strstr(p->payload, "\"uuid\""));
        assert_non_null(strstr(p->payload, "\"payload\":{\"clock\":{\"timestamp\":1717243200}}"));
        assert_null(rig_find(RIG_TO));
    }
    size_t lines = rig->log_n;
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "somebody's key", "{}");
    assert_int_equal(rig->log_n, lines); /* answered again, logged never */
}

/* [trap 33] A host without a clock binds, but tells no time until it knows it. */
static void test_insane_clock(void **state)
{
    (void)state;
    rig->env.wall_ms = 5000;
    rig_attach(NULL);
    zone_berlin();
    assert_int_equal(rig_logged("does not know the time"), 1);
    arrive("");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "", "{}");
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_step(1000);
    assert_null(rig_find(RIG_TO));
    /* One second before the limit it is still insane. */
    rig->env.wall_ms = 1704067199000 - 9000;
    rig_step(9000);
    assert_null(rig_find(RIG_TO));
    rig->env.wall_ms = 1717243200000;
    rig_step(10000);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_expect(&plug, "SET", TIME, "", "{}");
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c2", "", "{}");
    assert_non_null(rig_find(RIG_TO));
}

/* The zone is told once; a plug that refuses it is asked again after ten minutes, not before. */
static void test_time_limit(void **state)
{
    (void)state;
    rig_attach(NULL);
    rig_ready(&plug);
    zone_berlin(); /* the host's zone becomes known while the plug is there */
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_expect(&plug, "SET", TIME, "", "{}");
    rig_step(300000);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "PUSH", TIME, "t1", "",
            "{\"time\":{\"timezone\":\"\",\"timeRule\":[]}}");
    assert_null(rig_find(RIG_TO));
    rig_step(300000);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_expect(&plug, "SET", TIME, "", NULL);
}

#define TABLE_2 "[[1711846800,7200,1],[1729990800,3600,0]]"
#define TABLE_4                                                                                    \
    "[[1698541200,3600,0],[1711846800,7200,1],[1729990800,3600,0],[1743296400,7200,1],"            \
    "[1761440400,3600,0]]"

/* What the plug holds decides: right and long enough is left alone, anything else is replaced. */
static void test_time_compared(void **state)
{
    (void)state;
    static const struct {
        const char *all;
        bool set;
    } cases[] = {
        {RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"Europe/Berlin\",\"timeRule\":" TABLE_4
                    "}",
                    "[]"),
         false},
        {RIG_ALL_OF("{\"timestamp\":\"1717243200\",\"timezone\":\"Europe/Berlin\",\"timeRule\":"
                    "[[\"1711846800\",7200.0,1],[1729990800,3600,0],[1743296400,7200,1],"
                    "[1761440400,3600,0]]}",
                    "[]"),
         false},
        {RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"Europe/Berlin\",\"timeRule\":" TABLE_2
                    "}",
                    "[]"),
         true}, /* ends within a year */
        {RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"CET\",\"timeRule\":" TABLE_4 "}",
                    "[]"),
         true},
        {RIG_ALL_OF("{\"timestamp\":1717240000,\"timezone\":\"Europe/Berlin\",\"timeRule\":" TABLE_4
                    "}",
                    "[]"),
         true}, /* its clock is off */
        {RIG_ALL_OF(
             "{\"timestamp\":1717243200,\"timezone\":\"Europe/Berlin\",\"timeRule\":"
             "[[1711846800,7200,1],[1729987200,3600,0],[1743296400,7200,1],[1761440400,3600,0]]}",
             "[]"),
         true}, /* an hour early: tables of an old tool */
        {RIG_ALL_OF("{\"timestamp\":1717243200,\"timezone\":\"Europe/Berlin\",\"timeRule\":"
                    "[[1729990800,3600,0],[1743296400,7200,1],[1761440400,3600,0]]}",
                    "[]"),
         true}, /* none is in force */
        {RIG_ALL_OF(
             "{\"timestamp\":1717243200,\"timezone\":\"Europe/Berlin\",\"timeRule\":[[],{},7]}",
             "[]"),
         true},
        {RIG_ALL_OF("7", "[]"), true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (i > 0) {
            rig_teardown(state);
            assert_int_equal(rig_setup(state), MD_OK);
        }
        rig_attach(NULL);
        zone_berlin();
        arrive("");
        rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
        rig_expect(&plug, "SETACK", BIND, "", NULL);
        rig_expect(&plug, "GET", "Appliance.System.Ability", "", RIG_ABILITY);
        rig_expect(&plug, "GET", ALL, "", cases[i].all);
        struct rig_request r;
        assert_int_equal(rig_request_to(RIG_TO, &r), cases[i].set);
    }
}

/* A zone without DST: one entry that begins now; it is not sent again for being older. */
static void test_time_no_dst(void **state)
{
    (void)state;
    struct zone z;
    struct rig_request r;
    rig_attach(NULL);
    rig_ready(&plug);
    assert_int_equal(zone_parse_posix(&z, "Asia/Kolkata", "IST-5:30"), MD_OK);
    meross_set_zone(rig->m, &z);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    assert_true(rig_request_to(RIG_TO, &r));
    assert_string_equal(r.payload, "{\"time\":{\"timestamp\":1717243201,\"timezone\":"
                                   "\"Asia/Kolkata\",\"timeRule\":[[1717243201,19800,0]]}}");
    rig_say(&plug, RIG_FROM, "SETACK", TIME, r.id, "", "{}");
    rig_step(700000);
    rig->read = 0;
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", TIME, "t", "",
            "{\"time\":{\"timezone\":\"Asia/Kolkata\",\"timeRule\":[[1717243201,19800,0]]}}");
    assert_null(rig_find(RIG_TO));
    rig_say(&plug, RIG_FROM, "PUSH", TIME, "t", "",
            "{\"time\":{\"timezone\":\"Asia/Kolkata\",\"timeRule\":[[1717243201,19800,0],"
            "[1799990800,3600,0]]}}");
    rig_step(5000); /* the poll that nobody answered ends; then */
    rig_expect(&plug, "SET", TIME, "", NULL);
}

/* Another zone is told at once, whenever the last one was. */
static void test_zone_changes(void **state)
{
    (void)state;
    struct zone z;
    rig_attach(NULL);
    rig_ready(&plug);
    zone_berlin();
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_expect(&plug, "SET", TIME, "", "{}");
    assert_int_equal(zone_parse_posix(&z, "America/New_York", "EST5EDT,M3.2.0,M11.1.0"), MD_OK);
    meross_set_zone(rig->m, &z);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
    rig_expect(&plug, "SET", TIME, "", "{}");
}

#define ALL_AT(stamp)                                                                              \
    RIG_ALL_OF("{\"timestamp\":" stamp ",\"timezone\":\"Asia/Kolkata\",\"timeRule\":"              \
               "[[1600000000,19800,0]]}",                                                          \
               "[{\"channel\":0,\"onoff\":1}]")

/* Its zone is known and told, and its clock is right. */
static void settled(void)
{
    struct zone z;
    rig_attach(NULL);
    assert_int_equal(zone_parse_posix(&z, "Asia/Kolkata", "IST-5:30"), MD_OK);
    meross_set_zone(rig->m, &z);
    rig_ready(&plug); /* here the zone is set, and not answered */
    rig_step(5000);
    rig_skip();
}

/* The host's clock is set: plugs that are connected are told within a minute, and by more than five
 * seconds.  [trap 33] */
static void test_clock_is_set(void **state)
{
    static const struct {
        int64_t by_ms;
        bool looked, set;
    } cases[] = {{5999, false, false},
                 {6000, true, true},
                 {-5000, false, false},
                 {-6000, true, true},
                 {3600000, true, true},
                 {-86400000, true, true},
                 {40ll * 365 * 86400000, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (i > 0) {
            rig_teardown(state);
            assert_int_equal(rig_setup(state), MD_OK);
        }
        settled();
        rig->env.wall_ms += cases[i].by_ms;
        rig_step(60000);
        struct rig_request r;
        assert_int_equal(rig_request_to(RIG_TO, &r), cases[i].looked);
        if (!cases[i].looked)
            continue;
        assert_string_equal(r.ns, ALL);
        rig_say(&plug, r.from, "GETACK", ALL, r.id, "", ALL_AT("1717243266")); /* as before */
        assert_int_equal(rig_request_to(RIG_TO, &r), cases[i].set);
        assert_string_equal(r.ns, TIME);
    }
}

/* Without a jump a plug may be off by two minutes: it may go by a server of its own. */
static void test_clock_of_a_plug(void **state)
{
    static const struct {
        const char *all;
        bool set;
    } cases[] = {{ALL_AT("1717243412"), true}, /* one second past two minutes */
                 {ALL_AT("1717243411"), false},
                 {ALL_AT("1717243171"), false},
                 {ALL_AT("1717243170"), true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig_request r;
        if (i > 0) {
            rig_teardown(state);
            assert_int_equal(rig_setup(state), MD_OK);
        }
        settled();
        rig->env.wall_ms = 1717243291000 - 600000; /* what follows is the poll of ten minutes on */
        rig_step(300000);
        while (rig_request_to(RIG_TO, &r))
            rig_say(&plug, r.from, "GETACK", r.ns, r.id, "", ALL_AT("1717242991"));
        rig_step(5000);
        rig_skip();
        rig_step(295000);
        assert_true(rig_request_to(RIG_TO, &r));
        rig_say(&plug, r.from, "GETACK", ALL, r.id, "", cases[i].all);
        assert_int_equal(rig_request_to(RIG_TO, &r), cases[i].set);
    }
}

/* A host that loses its time again says so, and tells nobody. */
static void test_clock_is_lost(void **state)
{
    (void)state;
    settled();
    rig->env.wall_ms = 0;
    rig_step(60000);
    assert_int_equal(rig_logged("does not know the time"), 1);
    rig_skip();
    rig_say(&plug, RIG_FROM, "PUSH", "Appliance.System.Clock", "c1", "", "{}");
    assert_null(rig_find(RIG_TO));
    rig_step(60000);
    rig_skip();
    rig->env.wall_ms = 1717243200000;
    rig_step(10000);
    rig_expect(&plug, "GET", ALL, "", ALL_AT("60"));
    rig_expect(&plug, "SET", TIME, "", "{}");
    assert_int_equal(rig_logged("this host knows the time now"), 1);
    assert_int_equal(rig_logged("was set"), 0);
}

/* A plug that does not say what it has is told once a day, not all the time. */
static void test_no_time_to_be_seen(void **state)
{
    static const char mute[] = "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\"},"
                               "\"firmware\":{\"version\":\"6.3.21\"}},\"digest\":{\"togglex\":"
                               "[{\"channel\":0,\"onoff\":1}]}}}";
    struct rig_request r;
    unsigned sets = 0;
    (void)state;
    settled();
    rig_step(600000 - 6000);
    rig_skip();
    for (unsigned i = 0; i < 300; i++) { /* a day and an hour */
        rig_step(300000);
        while (rig_request_to(RIG_TO, &r)) {
            sets += strcmp(r.method, "SET") == 0;
            rig_say(&plug, r.from, strcmp(r.method, "SET") == 0 ? "SETACK" : "GETACK", r.ns, r.id,
                    "", strcmp(r.ns, ALL) == 0 ? mute : "{}");
        }
    }
    assert_int_equal(sets, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_clock),         T(test_insane_clock),
                                       T(test_zone_changes),  T(test_time_limit),
                                       T(test_time_compared), T(test_time_no_dst),
                                       T(test_clock_is_set),  T(test_clock_of_a_plug),
                                       T(test_clock_is_lost), T(test_no_time_to_be_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Time zones: POSIX strings, compiled files, and the table a plug is told (sheet, 4.5 and 11). */
#include "tests/unit/cmocka.h"

#include "broker/base/buf.h"
#include "meross/time/zone.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW 1699999999 /* 2023-11-14 */

static void posix(struct zone *z, const char *text)
{
    assert_int_equal(zone_parse_posix(z, "Some/Where", text), MD_OK);
}

static void table_is(const struct zone *z, int64_t now, const int64_t want[][3], size_t n)
{
    struct zone_rule got[ZONE_TABLE_MAX];
    assert_true(zone_table(z, now, got, ZONE_TABLE_MAX) >= n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[i].at, want[i][0]);
        assert_int_equal(got[i].offset, want[i][1]);
        assert_int_equal(got[i].dst, want[i][2]);
    }
}

static const int64_t berlin[][3] = {
    {1698541200, 3600, 0}, {1711846800, 7200, 1}, {1729990800, 3600, 0}, {1743296400, 7200, 1},
    {1761440400, 3600, 0}, {1774746000, 7200, 1}, {1792890000, 3600, 0}};

/* [vector Europe/Berlin table] */
static void test_berlin(void **state)
{
    (void)state;
    struct zone z;
    struct zone_rule got[ZONE_TABLE_MAX];
    posix(&z, "CET-1CEST,M3.5.0,M10.5.0/3");
    table_is(&z, NOW, berlin, 7);
    assert_int_equal(zone_table(&z, NOW, got, ZONE_TABLE_MAX), 20);
    for (size_t i = 1; i < 20; i++)
        assert_true(got[i].at > got[i - 1].at && got[i].dst != got[i - 1].dst);
    assert_int_equal(zone_table(&z, NOW, got, 1), 1);
    assert_int_equal(zone_table(&z, NOW, got, 2), 2);
    /* At the very second of a change the new rule is in force; one before, the old one. */
    table_is(&z, 1711846800, berlin + 1, 3);
    table_is(&z, 1711846799, berlin, 3);
}

static void test_posix_zones(void **state)
{
    (void)state;
    static const struct {
        const char *tz;
        int64_t want[4][3];
    } zones[] = {
        {"EST5EDT,M3.2.0,M11.1.0",
         {{1699164000, -18000, 0},
          {1710054000, -14400, 1},
          {1730613600, -18000, 0},
          {1741503600, -14400, 1}}},
        {"EST5EDT", /* without rules: the American ones */
         {{1699164000, -18000, 0},
          {1710054000, -14400, 1},
          {1730613600, -18000, 0},
          {1741503600, -14400, 1}}},
        {"NST3:30NDT,M3.2.0,M11.1.0\n",
         {{1699158600, -12600, 0},
          {1710048600, -9000, 1},
          {1730608200, -12600, 0},
          {1741498200, -9000, 1}}},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", /* half an hour of summer, southern */
         {{1696087800, 39600, 1},
          {1712415600, 37800, 0},
          {1728142200, 39600, 1},
          {1743865200, 37800, 0}}},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3",
         {{1695477600, 46800, 1},
          {1712412000, 43200, 0},
          {1727532000, 46800, 1},
          {1743861600, 43200, 0}}},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", /* winter as the exception: summer is still summer */
         {{1698541200, 0, 0}, {1711846800, 3600, 1}, {1729990800, 0, 0}, {1743296400, 3600, 1}}},
        {"IST-2IDT,M3.4.4/26,M10.5.0", /* more than a day after midnight */
         {{1698534000, 7200, 0},
          {1711670400, 10800, 1},
          {1729983600, 7200, 0},
          {1743120000, 10800, 1}}},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", /* before midnight */
         {{1698541200, -7200, 0},
          {1711846800, -3600, 1},
          {1729990800, -7200, 0},
          {1743296400, -3600, 1}}},
        {"AAA0BBB,J60,J300", /* March 1 and October 27 in every year */
         {{1698368400, 0, 0}, {1709258400, 3600, 1}, {1729990800, 0, 0}, {1740794400, 3600, 1}}},
        {"AAA0BBB,59,300", /* counted from 0, with February 29: not the same days */
         {{1698454800, 0, 0}, {1709172000, 3600, 1}, {1729990800, 0, 0}, {1740794400, 3600, 1}}},
    };
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct zone z;
        posix(&z, zones[i].tz);
        table_is(&z, NOW, zones[i].want, 4);
    }
}

/* One entry, which begins now (sheet, 4.5). */
static void test_no_dst(void **state)
{
    (void)state;
    static const struct {
        const char *tz;
        int32_t offset;
    } zones[] = {{"IST-5:30", 19800},
                 {"<+0330>-3:30", 12600},
                 {"UTC0", 0},
                 {"<-03>3", -10800},
                 {"<+01>-1", 3600},
                 {"AAA-1:02:03", 3723},
                 /* DST for ever, as RFC 8536 writes it */
                 {"XXX3EDT4,0/0,J365/23", -14400}};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct zone z;
        struct zone_rule got[ZONE_TABLE_MAX];
        posix(&z, zones[i].tz);
        assert_int_equal(zone_table(&z, NOW, got, ZONE_TABLE_MAX), 1);
        assert_int_equal(got[0].at, NOW);
        assert_int_equal(got[0].offset, zones[i].offset);
    }
}

static void test_posix_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "C",
                                      "CE-1",
                                      "CET",
                                      "CET-",
                                      "CET-25",
                                      "CET-1:60",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M0.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.0.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,M3.5.0/168,M10.5.0",
                                      "CET-1CEST,J0,J300",
                                      "CET-1CEST,J366,J300",
                                      "CET-1CEST,366,300",
                                      "<+03-3",
                                      "<>-3",
                                      "<+0>-3",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x",
                                      ":Europe/Berlin",
                                      "Europe/Berlin",
                                      "CET-1,M3.5.0,M10.5.0",
                                      "CET-999999999999999999"};
    struct zone z = {.name = "untouched"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(zone_parse_posix(&z, "A", bad[i]), MD_INVAL);
    assert_string_equal(z.name, "untouched");
    assert_int_equal(zone_parse_posix(&z, "A", "CET-1CEST,M3.5.0/167,M10.5.0/-167"), MD_OK);
}

static void test_name(void **state)
{
    (void)state;
    struct zone z;
    char name[ZONE_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[ZONE_NAME_MAX + 1] = '\0';
    assert_int_equal(zone_parse_posix(&z, name, "UTC0"), MD_INVAL);
    name[ZONE_NAME_MAX] = '\0';
    assert_int_equal(zone_parse_posix(&z, name, "UTC0"), MD_OK);
    assert_string_equal(z.name, name);
    assert_int_equal(zone_parse_posix(&z, "", "UTC0"), MD_INVAL);
    assert_int_equal(zone_parse_posix(&z, "a b", "UTC0"), MD_INVAL);
    assert_int_equal(zone_parse_posix(&z, "\xc3\xa4", "UTC0"), MD_INVAL);
}

/* Compiled files, made here. */
static void put(struct buf *b, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
    assert_int_equal(buf_put(b, span_of(bytes, n)), MD_OK);
}

struct change {
    int64_t at;
    uint8_t type;
};
struct type {
    int32_t offset;
    bool dst;
};

static void put_block(struct buf *b, char version, size_t time_bytes, const struct change *c,
                      size_t n, const struct type *t, size_t types, uint32_t leaps)
{
    uint8_t head[20] = {'T', 'Z', 'i', 'f', (uint8_t)version};
    assert_int_equal(buf_put(b, span_of(head, 20)), MD_OK);
    put(b, 0, 4);
    put(b, 0, 4);
    put(b, leaps, 4);
    put(b, n, 4);
    put(b, types, 4);
    put(b, 4, 4);
    for (size_t i = 0; i < n; i++)
        put(b, (uint64_t)c[i].at, time_bytes);
    for (size_t i = 0; i < n; i++)
        put(b, c[i].type, 1);
    for (size_t i = 0; i < types; i++) {
        put(b, (uint32_t)t[i].offset, 4);
        put(b, t[i].dst, 1);
        put(b, 0, 1);
    }
    put(b, 0x41424300, 4);
    for (uint32_t i = 0; i < leaps; i++)
        put(b, 0, time_bytes + 4);
}

static const struct type berlin_types[] = {{3208, false}, {3600, false}, {7200, true}};
static const struct change berlin_changes[] = {
    {-2422054408, 1}, {1679792400, 2}, {1698541200, 1}, {1711846800, 2}};

static void berlin_file(struct buf *b, const char *footer)
{
    buf_init(b, 1 << 20);
    put_block(b, '2', 4, NULL, 0, berlin_types, 1, 0);
    put_block(b, '2', 8, berlin_changes, 4, berlin_types, 3, 0);
    assert_int_equal(buf_put_str(b, footer), MD_OK);
}

static void test_tzif_footer(void **state)
{
    (void)state;
    struct buf b;
    struct zone z;
    struct zone_rule got[ZONE_TABLE_MAX];
    berlin_file(&b, "\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    assert_int_equal(zone_parse_tzif(&z, "Europe/Berlin", buf_view(&b)), MD_OK);
    assert_string_equal(z.name, "Europe/Berlin");
    table_is(&z, NOW, berlin, 7); /* two from the file, the others from the footer */
    assert_int_equal(zone_table(&z, NOW, got, ZONE_TABLE_MAX), 20);
    /* Every shorter file is refused, and nothing is read past its end. */
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, b.p, n);
        assert_int_equal(zone_parse_tzif(&z, "A", span_of(exact, n)), MD_INVAL);
        free(exact);
    }
    buf_free(&b);
    berlin_file(&b, "\n\n"); /* no rules: the file alone */
    assert_int_equal(zone_parse_tzif(&z, "A", buf_view(&b)), MD_OK);
    assert_int_equal(zone_table(&z, NOW, got, ZONE_TABLE_MAX), 2);
    buf_free(&b);
    berlin_file(&b, "\nnonsense\n");
    assert_int_equal(zone_parse_tzif(&z, "A", buf_view(&b)), MD_INVAL);
    buf_free(&b);
}

/* Version 1 knows 32-bit times and no footer. */
static void test_tzif_v1(void **state)
{
    (void)state;
    struct buf b;
    struct zone z;
    buf_init(&b, 1 << 20);
    put_block(&b, 0, 4, berlin_changes + 1, 3, berlin_types, 3, 0);
    assert_int_equal(zone_parse_tzif(&z, "Europe/Berlin", buf_view(&b)), MD_OK);
    table_is(&z, NOW, berlin, 2);
    buf_free(&b);
}

/* Casablanca: "negative DST", and changes for decades that no rule describes. */
static void test_tzif_casablanca(void **state)
{
    (void)state;
    static const struct type types[] = {{3600, false}, {0, true}};
    static const struct change changes[] = {{1679187600, 1}, {1682215200, 0}, {1710036000, 1},
                                            {1713060000, 0}, {1740276000, 1}, {1743904800, 0}};
    static const int64_t want[][3] = {{1682215200, 3600, 1},
                                      {1710036000, 0, 0},
                                      {1713060000, 3600, 1},
                                      {1740276000, 0, 0},
                                      {1743904800, 3600, 1}};
    struct buf b;
    struct zone z;
    struct zone_rule got[ZONE_TABLE_MAX];
    buf_init(&b, 1 << 20);
    put_block(&b, '2', 4, NULL, 0, types, 1, 0);
    put_block(&b, '2', 8, changes, 6, types, 2, 0);
    assert_int_equal(buf_put_str(&b, "\n<+01>-1\n"), MD_OK);
    assert_int_equal(zone_parse_tzif(&z, "Africa/Casablanca", buf_view(&b)), MD_OK);
    table_is(&z, NOW, want, 5);
    assert_int_equal(zone_table(&z, NOW, got, ZONE_TABLE_MAX), 5);
    buf_free(&b);
}

/* More transitions than are kept: the latest count.  One that changes nothing is none. */
static void test_tzif_many(void **state)
{
    (void)state;
    struct change c[ZONE_PAST_MAX + 40];
    struct type types[] = {{0, false}, {3600, true}, {0, false}};
    struct buf b;
    struct zone z;
    struct zone_rule got[ZONE_TABLE_MAX];
    size_t n = sizeof c / sizeof c[0];
    for (size_t i = 0; i < n; i++)
        c[i] = (struct change){(int64_t)i * 1000, (uint8_t)(i % 2)};
    c[n - 1].type = 2; /* the second to last is 0 as well: nothing changes at the last */
    c[n - 2].type = 0;
    buf_init(&b, 1 << 20);
    put_block(&b, '2', 4, NULL, 0, types, 1, 0);
    put_block(&b, '2', 8, c, n, types, 3, 0);
    assert_int_equal(buf_put_str(&b, "\n\n"), MD_OK);
    assert_int_equal(zone_parse_tzif(&z, "A", buf_view(&b)), MD_OK);
    assert_int_equal(z.n, ZONE_PAST_MAX);
    int64_t last = c[n - 1].at;
    assert_int_equal(zone_table(&z, last - 2500, got, ZONE_TABLE_MAX), 3);
    assert_int_equal(got[1].at, last - 2000);
    assert_int_equal(got[2].at, last - 1000);
    buf_free(&b);
}

static void test_tzif_malformed(void **state)
{
    (void)state;
    struct buf b;
    struct zone z;
    static const struct change backwards[] = {{2000, 0}, {1000, 0}}, wrong_type[] = {{1000, 3}};
    static const struct type mad[] = {{200000, false}};
    static const struct {
        const struct change *c;
        size_t n;
        const struct type *t;
        size_t types;
        uint32_t leaps;
    } bad[] = {{backwards, 2, berlin_types, 3, 0},
               {wrong_type, 1, berlin_types, 3, 0},
               {NULL, 0, berlin_types, 0, 0},
               {NULL, 0, mad, 1, 0},
               {NULL, 0, berlin_types, 1, 27}}; /* a "right" zone */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_init(&b, 1 << 20);
        put_block(&b, 0, 4, bad[i].c, bad[i].n, bad[i].t, bad[i].types, bad[i].leaps);
        assert_int_equal(zone_parse_tzif(&z, "A", buf_view(&b)), MD_INVAL);
        buf_free(&b);
    }
    assert_int_equal(zone_parse_tzif(&z, "A", span_of(NULL, 0)), MD_INVAL);
    assert_int_equal(zone_parse_tzif(&z, "A", span_str("TZif2 is not enough")), MD_INVAL);
}

/* A host without a clock, and one gone mad: no crash, a table all the same. */
static void test_odd_clocks(void **state)
{
    (void)state;
    struct zone z;
    struct zone_rule got[ZONE_TABLE_MAX];
    posix(&z, "CET-1CEST,M3.5.0,M10.5.0/3");
    static const int64_t odd[] = {INT64_MIN, -1, 0, 1, 951782399, 4102444800, INT64_MAX};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        size_t n = zone_table(&z, odd[i], got, ZONE_TABLE_MAX);
        assert_int_equal(n, ZONE_TABLE_MAX);
        for (size_t k = 1; k < n; k++)
            assert_true(got[k].at > got[k - 1].at);
    }
}

static bool read_host_file(const char *name, struct buf *b)
{
    char path[128];
    uint8_t bytes[4096];
    size_t n;
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return false;
    buf_init(b, 1 << 20);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        assert_int_equal(buf_put(b, span_of(bytes, n)), MD_OK);
    fclose(f);
    return true;
}

/* Where the host has the files: they say what the strings say. */
static void test_host_files(void **state)
{
    (void)state;
    static const char *const zones[][2] = {
        {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
        {"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
        {"America/St_Johns", "NST3:30NDT,M3.2.0,M11.1.0"},
        {"Asia/Kolkata", "IST-5:30"},
        {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"},
        {"Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"},
        {"UTC", "UTC0"}};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct buf b;
        struct zone file, text;
        struct zone_rule x[ZONE_TABLE_MAX], y[ZONE_TABLE_MAX];
        if (!read_host_file(zones[i][0], &b))
            continue;
        assert_int_equal(zone_parse_tzif(&file, zones[i][0], buf_view(&b)), MD_OK);
        posix(&text, zones[i][1]);
        size_t n = zone_table(&file, NOW, x, ZONE_TABLE_MAX);
        assert_int_equal(zone_table(&text, NOW, y, ZONE_TABLE_MAX), n);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(x[k].at, y[k].at);
            assert_int_equal(x[k].offset, y[k].offset);
            assert_int_equal(x[k].dst, y[k].dst);
        }
        buf_free(&b);
    }
}

/* Scoresby Sund, spring of 2024: the standard time becomes what the summer time was, so two rules
 * with one offset and different flags follow each other.  That is no negative DST. */
static void test_same_offset(void **state)
{
    (void)state;
    struct zone_rule out[ZONE_TABLE_MAX];
    struct zone z = {.name = "America/Scoresbysund",
                     .first = {INT64_MIN, -3600, false},
                     .n = 4,
                     .past = {{1698541200, -3600, false},
                              {1711846800, -3600, true},
                              {1729990800, -7200, false},
                              {1743296400, -3600, true}}};
    assert_int_equal(zone_table(&z, 1700000000, out, ZONE_TABLE_MAX), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(out[i].dst, i % 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_berlin),     cmocka_unit_test(test_posix_zones),
        cmocka_unit_test(test_no_dst),     cmocka_unit_test(test_posix_malformed),
        cmocka_unit_test(test_name),       cmocka_unit_test(test_tzif_footer),
        cmocka_unit_test(test_tzif_v1),    cmocka_unit_test(test_tzif_casablanca),
        cmocka_unit_test(test_tzif_many),  cmocka_unit_test(test_tzif_malformed),
        cmocka_unit_test(test_odd_clocks), cmocka_unit_test(test_host_files),
        cmocka_unit_test(test_same_offset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

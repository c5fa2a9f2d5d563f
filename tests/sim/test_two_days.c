/* Two days of a house with a change of the clocks, midnights, a broker that is restarted every hour
 * and Wi-Fi that fails: every Wh is counted once.  What flowed is added up here, from the loads
 * that were hung on and the calendar of Berlin written down below; a plug's counter cuts each of
 * its days (or hours) to whole Wh, so that is how far the two may be apart. */
#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE    60000
#define WH        3600000000LL /* milliwatt milliseconds */
#define DAYS      4
#define PLUGS     6
#define CLEAR_OFF 16 /* Wh: half a minute of 1.9 kW */
#define STEP      20000

enum kind { PLAIN, STALE, CARRY, CLEARED, HOURS, METERS };

static const struct {
    const char *type, *option;
    enum kind kind;
    unsigned channel;
} kinds[PLUGS] = {{"mss310", NULL, PLAIN, 0},
                  {"mss310", "midnight_stale=1", STALE, 0},
                  {"mss310", "midnight_carry=1", CARRY, 0},
                  {"mss310", NULL, CLEARED, 0},
                  {"mss305-8.3.15", NULL, HOURS, 0},
                  {"em06-2.3.8", NULL, METERS, 1}};

/* The midnights of Berlin around the change, in UTC, from the time zone database. */
static const struct season {
    const char *change; /* that day */
    int64_t begin_s;
    struct {
        const char *date;
        int64_t begin_s;
    } day[DAYS];
} spring = {"2026-03-29",
            1774695600, /* noon of the day before */
            {{"2026-03-28", 1774652400},
             {"2026-03-29", 1774738800},
             {"2026-03-30", 1774821600},
             {"2026-03-31", 1774908000}}},
  autumn = {"2026-10-25",
            1792836000,
            {{"2026-10-24", 1792792800},
             {"2026-10-25", 1792879200},
             {"2026-10-26", 1792969200},
             {"2026-10-27", 1793055600}}};

struct meter { /* of one plug: the truth */
    struct house_plug *plug;
    char name[64];
    int64_t load_mw;
    int64_t day[DAYS], all; /* mW ms */
    long long total;        /* as told last, Wh */
};

static struct house house;
static struct meter meters[PLUGS];
static const struct season *season;

static unsigned day_of(int64_t wall_ms)
{
    unsigned d = 0;
    while (d + 1 < DAYS && wall_ms >= season->day[d + 1].begin_s * 1000)
        d++;
    return d;
}

static void flow(struct meter *m, int64_t from, int64_t to)
{
    while (from < to) {
        unsigned d = day_of(from);
        int64_t end = d + 1 < DAYS ? season->day[d + 1].begin_s * 1000 : to;
        end = end < to ? end : to;
        m->day[d] += m->load_mw * (end - from);
        m->all += m->load_mw * (end - from);
        from = end;
    }
}

/* Time passes, in steps of twenty seconds or of ten milliseconds. */
static void pass(uint64_t ms, bool fine)
{
    int64_t from = house.fake.wall_ms;
    if (fine)
        house_run(&house, ms);
    else
        house_leap(&house, ms, STEP);
    for (size_t i = 0; i < PLUGS; i++)
        flow(&meters[i], from, house.fake.wall_ms);
}

static const char *topic_of(const struct meter *m, const char *leaf)
{
    static char topic[128];
    (void)snprintf(topic, sizeof topic, "meross/%s%s", m->name, leaf);
    return topic;
}

static void name_it(struct meter *m)
{
    const struct simplug_options *o = simplug_options_of(m->plug->sim);
    (void)snprintf(m->name, sizeof m->name, "%s-%c%c%c%c", o->type, o->mac[12], o->mac[13],
                   o->mac[15], o->mac[16]);
}

static void move_in(void)
{
    memset(meters, 0, sizeof meters);
    for (unsigned i = 0; i < PLUGS; i++) {
        struct simplug_options o = house_options(&house, kinds[i].type, i);
        if (kinds[i].option != NULL)
            assert_int_equal(simplug_options_set(&o, kinds[i].option), MD_OK);
        meters[i].plug = house_plug(&house, &o);
        name_it(&meters[i]);
        for (unsigned c = 0; c < SIMPLUG_MAX_CHANNELS; c++)
            simplug_set_load(meters[i].plug->sim, c, 0, house.fake.mono_ms);
    }
    assert_true(house_run_until_bound(&house, 20000) < 20000);
    house_run(&house, 15000);
    for (unsigned i = 0; i < PLUGS; i++)
        if (kinds[i].kind != METERS)
            house_say(&house, topic_of(&meters[i], "/set"), "ON");
    house_run(&house, 5000);
    house_forget(&house);
}

/* Other loads, up to 2 kW, and now and then none. */
static void other_loads(unsigned n)
{
    for (unsigned i = 0; i < PLUGS; i++) {
        unsigned k = (n * 7 + i * 5) % 11;
        meters[i].load_mw = k == 0 ? 0 : (int64_t)k * 187321;
        simplug_set_load(meters[i].plug->sim, kinds[i].channel, meters[i].load_mw,
                         house.fake.mono_ms);
    }
}

static void blip(struct meter *m, bool gone)
{
    struct house_plug *p = m->plug;
    p->unplugged = gone;
    if (!gone || p->conn == NULL)
        return;
    conn_lost(p->conn, "the Wi-Fi is gone");
    p->conn = NULL;
    simplug_closed(p->sim, house.fake.mono_ms);
}

/* The answer about one plug. */
static const char *ask(const struct meter *m)
{
    char request[160];
    (void)snprintf(request, sizeof request, "{\"plug\":\"%s\",\"days\":4}", m->name);
    house_forget(&house);
    house_say(&house, "meross/broker/request/energy", request);
    pass(2000, true);
    house_forget(&house);
    house_say(&house, "meross/broker/request/energy", request); /* by now it was counted again */
    pass(100, true);
    return house_heard(&house, "meross/broker/response/energy");
}

static long long number(const char *json, const char *before)
{
    const char *at = strstr(json, before);
    return at != NULL ? strtoll(at + strlen(before), NULL, 10) : 0;
}

/* A total never falls, whatever happened in this hour. */
static void totals_grow(void)
{
    house_forget(&house);
    house_say(&house, "meross/broker/request/energy", "{}");
    pass(100, true);
    const char *all = house_heard(&house, "meross/broker/response/energy");
    for (size_t i = 0; i < PLUGS; i++) {
        char part[128];
        (void)snprintf(part, sizeof part,
                       "\"name\":\"%s\",\"channel\":%u,\"total\":", meters[i].name,
                       kinds[i].channel);
        long long total = number(all, part);
        if (total < meters[i].total)
            fail_msg("%s: %lld after %lld", meters[i].name, total, meters[i].total);
        meters[i].total = total;
    }
}

/* Down for a minute and a half. */
static void restart(void)
{
    int64_t from = house.fake.wall_ms;
    house_broker_stop(&house);
    fake_env_step(&house.fake, 90000);
    for (size_t i = 0; i < PLUGS; i++)
        flow(&meters[i], from, house.fake.wall_ms);
    house_broker_start(&house);
    pass(8000, true);
    totals_grow();
}

static void two_days(void)
{
    for (unsigned minute = 0; minute < 48 * 60; minute++) {
        unsigned at = minute % 60, b = minute / 97 % PLUGS;
        if (at == 17)
            other_loads(minute / 60);
        if (minute % 97 == 5)
            blip(&meters[b], true);
        if (minute % 97 == 8)
            blip(&meters[b], false);
        if (minute == 20 * 60 + 25)
            simplug_clear_counter(meters[CLEARED].plug->sim, house.fake.mono_ms);
        if (at == 31)
            restart();
        pass(MINUTE, false);
    }
}

/* How far the count may be from what flowed: a counter cuts off less than a Wh of each of its parts
 * (days, hours); where it was cleared, the power of a reading each minute tells the rest, which a
 * load that changes between two readings makes up to half a minute wrong. */
static long long cut(enum kind kind)
{
    return kind == METERS ? 50 : kind == CARRY ? 1 : kind == CLEARED ? CLEAR_OFF : 3;
}

static void check(const struct meter *m, unsigned i)
{
    const char *answer = ask(m);
    long long total = number(answer, "\"total\":"), sum = 0, flowed = m->all / WH;
    for (unsigned d = 0; d < DAYS; d++) {
        char part[64];
        (void)snprintf(part, sizeof part, "\"day\":\"%s\",\"wh\":", season->day[d].date);
        long long wh = number(answer, part), want = m->day[d] / WH;
        long long off = kinds[i].kind == METERS ? 25 : kinds[i].kind == CLEARED ? CLEAR_OFF : 2;
        long long above = kinds[i].kind == CLEARED ? CLEAR_OFF : 2;
        if (wh > want + above || wh < want - off)
            fail_msg("%s on %s: %lld Wh, and %lld flowed", m->name, season->day[d].date, wh, want);
        sum += wh;
    }
    assert_int_equal(sum, total);
    print_message("    %-12s %s: %lld Wh, %lld flowed, the plug itself knows of %lld\n", m->name,
                  season->change, total, flowed,
                  (long long)simplug_true_wh(m->plug->sim, kinds[i].channel, house.fake.mono_ms));
    long long above = kinds[i].kind == CLEARED ? CLEAR_OFF : 1;
    if (total > flowed + above || total < flowed - cut(kinds[i].kind))
        fail_msg("%s: %lld Wh, and %lld flowed", m->name, total, flowed);
}

static void live(const struct season *which)
{
    season = which;
    house_start(&house, NULL);
    house_wall(&house, which->begin_s * 1000);
    move_in();
    two_days();
    pass(30000, true);
    for (unsigned i = 0; i < PLUGS; i++) {
        assert_true(house_status(meters[i].plug)->bound);
        assert_true(house_status(meters[i].plug)->session);
        assert_int_equal(house_status(meters[i].plug)->reboots, 0);
        check(&meters[i], i);
    }
    house_assert_clean(&house);
    house_stop(&house);
}

/* [trap 32] [trap 34] A day of 23 hours. */
static void test_spring(void **state)
{
    (void)state;
    live(&spring);
}

/* [trap 34] A day of 25 hours, in which an hour comes twice. */
static void test_autumn(void **state)
{
    (void)state;
    live(&autumn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spring),
                                       cmocka_unit_test(test_autumn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a day of twenty plugs that report costs the flash, at default settings: the house without
 * sockets, the real store on a disk whose writes are counted.
 *
 * flash_day [HOURS]   24 when not given; the budget is for a day, so fewer are scaled up
 *
 * Counted is what the medium must write: each page of 4 KiB that was touched between two syncs of a
 * file, and for each sync one page more of the file system's own; changes of names two pages.  The
 * journal is in memory, as it is by default. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/power/disk.h"
#include "tests/power/tee.h"
#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLUGS   20
#define STEP_MS 2000
#define BUDGET  5000000u /* bytes a day */
#define DAY_H   24

static struct house house;
static unsigned hours = DAY_H;

/* The period of the store, as broker/net/server.c keeps it. */
static void flush_when_due(struct tee *tee, uint64_t *flushed_ms)
{
    assert_int_equal(store_write(&tee->store), MD_OK);
    if (!store_dirty(&tee->store) ||
        house.fake.mono_ms - *flushed_ms < (uint64_t)store_period_s(&tee->store) * 1000)
        return;
    assert_int_equal(store_sync(&tee->store), MD_OK);
    *flushed_ms = house.fake.mono_ms;
}

static void live(struct tee *tee)
{
    uint64_t flushed = 0, seed = 88172645463325252u;
    uint64_t end = house.fake.mono_ms + (uint64_t)hours * 3600000;
    for (uint64_t n = 0; house.fake.mono_ms < end; n++) {
        if (n % 30 == 0) { /* a load changes somewhere, each minute */
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            simplug_set_load(house.plugs[seed % PLUGS].sim, 0, (int64_t)(seed >> 40) % 2000000,
                             house.fake.mono_ms);
        }
        house_leap(&house, STEP_MS, STEP_MS);
        flush_when_due(tee, &flushed);
    }
}

static void twenty_plugs(void **state)
{
    char root[] = "/tmp/merossd-flash-XXXXXX", hot[] = "/tmp/merossd-flash-hot-XXXXXX", dir[80];
    struct tee tee;
    (void)state;
    log_set_level(LOG_ERROR);
    assert_non_null(mkdtemp(root));
    assert_non_null(mkdtemp(hot));
    (void)snprintf(dir, sizeof dir, "%s/state", root);
    disk_watch(root);
    assert_int_equal(mkdir(dir, 0700), 0);
    tee_open(&tee, dir, hot);
    house_start_on(&house, "key", &tee.store);
    for (unsigned i = 0; i < PLUGS; i++) {
        struct simplug_options o = house_options(&house, "mss310", i);
        (void)snprintf(o.key, sizeof o.key, "key");
        (void)house_plug(&house, &o);
    }
    assert_true(house_run_until_bound(&house, 60000) < 60000);
    house_forget(&house);
    live(&tee);
    struct disk_totals n = disk_totals();
    uint64_t given = n.bytes * DAY_H / hours;
    uint64_t medium = (n.pages + n.syncs + 2 * n.names) * DISK_PAGE * DAY_H / hours;
    printf(
        "%u plugs, %u h: %llu flushes, %llu bytes a day in %llu writes; on the medium %llu bytes "
        "a day\n",
        PLUGS, hours, (unsigned long long)n.syncs, (unsigned long long)given,
        (unsigned long long)n.calls, (unsigned long long)medium);
    house_stop(&house);
    disk_stop();
    disk_free();
    disk_clear(root);
    (void)rmdir(root);
    disk_clear(hot);
    (void)rmdir(hot);
    assert_true(medium <= BUDGET);
}

int main(int argc, char **argv)
{
    hours = argc > 1 ? (unsigned)atoi(argv[1]) : DAY_H;
    const struct CMUnitTest tests[] = {cmocka_unit_test(twenty_plugs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

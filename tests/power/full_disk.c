/* The disk is full at any call that needs room: for that one call, or from then on.  The program
 * goes on with what it has; once there is room everything is on the medium; and killed before that,
 * it finds all that was written when it was told so. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/power/disk.h"
#include "tests/power/tee.h"
#include "tests/unit/cmocka.h"
#include "tools/serve/serve_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TURNS 12
#define BIG   300001 /* so that journals are folded into a base */

static struct {
    char root[64], state[80], hot[80], chk[64];
    unsigned turns, safe; /* turns that were; of them, those that have to survive */
} t;

static char big[BIG];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(t.root, sizeof t.root, "/tmp/merossd-full-XXXXXX");
    assert_non_null(mkdtemp(t.root));
    (void)snprintf(t.chk, sizeof t.chk, "/tmp/merossd-full-chk-XXXXXX");
    assert_non_null(mkdtemp(t.chk));
    (void)snprintf(t.state, sizeof t.state, "%s/state", t.root);
    (void)snprintf(t.hot, sizeof t.hot, "%s/hot", t.root);
    memset(big, 'x', sizeof big - 1);
    log_set_level(LOG_ERROR);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    disk_stop();
    disk_free();
    disk_clear(t.root);
    disk_clear(t.chk);
    (void)rmdir(t.root);
    (void)rmdir(t.chk);
    return mem_used() == 0 ? 0 : -1;
}

/* Each turn has a key of its own, and one that all change. */
static void turn(struct tee *tee)
{
    char key[16];
    (void)snprintf(key, sizeof key, "%u", t.turns);
    big[0] = (char)('a' + t.turns % 26);
    assert_int_equal(store_put(&tee->store, STORE_RETAIN, span_str(key), span_str("x"), STORE_NOW),
                     MD_OK);
    assert_int_equal(
        store_put(&tee->store, STORE_RETAIN, span_str("all"), span_str(big), STORE_NOW), MD_OK);
    t.turns++;
    if (store_write(&tee->store) == MD_OK)
        t.safe = t.turns;
}

static void flush_during_a_turn(struct tee *tee)
{
    struct store_flush *f;
    unsigned before = t.turns;
    assert_int_equal(store_flush_begin(&tee->store, &f), MD_OK);
    turn(tee);
    int err = store_flush_run(&tee->store, f);
    assert_true(err == MD_OK || err == MD_IO);
    store_flush_end(&tee->store, f, err);
    if (err == MD_OK && t.safe < before)
        t.safe = before;
    if (store_write(&tee->store) == MD_OK)
        t.safe = t.turns;
}

static void kill_it(struct tee *tee)
{
    tee->file->ops->close(tee->file);
    store_close(tee->shadow);
}

static int count_turn(void *ctx, struct span key, struct span value)
{
    (void)value;
    unsigned n = 0;
    for (size_t i = 0; i < key.n && key.p[i] >= '0' && key.p[i] <= '9'; i++)
        n = 10 * n + key.p[i] - '0';
    if (!span_is(key, "all") && n < t.safe)
        ++*(unsigned *)ctx;
    return MD_OK;
}

/* A crash is behind it, and its journal is there. */
static void begin(struct tee *tee)
{
    char why[SERVE_HOST_ERR_MAX];
    int lock;
    t.turns = t.safe = 0;
    disk_watch(t.root);
    assert_int_equal(serve_host_dir(t.state, &lock, why), MD_OK);
    (void)close(lock);
    tee_open(tee, t.state, t.hot);
    turn(tee);
    assert_int_equal(store_sync(&tee->store), MD_OK);
    turn(tee);
    assert_int_equal(t.safe, 2);
    kill_it(tee);
}

static void live(struct tee *tee)
{
    uint64_t sum;
    tee_open(tee, t.state, t.hot);
    sum = tee_sum(tee->shadow);
    assert_int_equal(tee_count(tee->shadow), 3);
    for (unsigned i = 0; i < TURNS; i += 2) {
        turn(tee);
        flush_during_a_turn(tee);
    }
    assert_true(tee_sum(tee->shadow) != sum);
}

static void room_again(struct tee *tee)
{
    char why[640] = "";
    uint64_t sum = tee_sum(tee->shadow);
    disk_refuse(0, 0);
    assert_int_equal(store_sync(&tee->store), MD_OK);
    assert_int_equal(store_write(&tee->store), MD_OK);
    assert_false(store_dirty(&tee->store));
    kill_it(tee);
    disk_clear(t.hot);
    struct store *s = tee_open_dir(t.state, t.hot, why);
    assert_non_null(s);
    assert_int_equal(tee_sum(s), sum);
    store_close(s);
}

/* The power is cut as soon as all is said to be on the medium: what a sync put there is left. */
static void cut_when_there_is_room(struct tee *tee)
{
    char why[640] = "", dir[80];
    uint64_t sum = tee_sum(tee->shadow);
    disk_refuse(0, 0);
    assert_int_equal(store_sync(&tee->store), MD_OK);
    size_t cut = disk_length();
    kill_it(tee);
    disk_stop();
    disk_build(cut, (struct disk_variant){DISK_LOST, 0, 1}, t.chk);
    (void)snprintf(dir, sizeof dir, "%s/state", t.chk);
    struct store *s = tee_open_dir(dir, "/nowhere/at/all", why);
    assert_non_null(s);
    assert_int_equal(tee_sum(s), sum);
    store_close(s);
}

static void killed_before(struct tee *tee)
{
    char why[640] = "";
    unsigned n = 0;
    kill_it(tee);
    disk_refuse(0, 0);
    struct store *s = tee_open_dir(t.state, t.hot, why);
    assert_non_null(s);
    assert_int_equal(store_each(s, STORE_RETAIN, count_turn, &n), MD_OK);
    assert_int_equal(n, t.safe);
    store_close(s);
}

/* Returns false when the call of that number never came. */
static bool full_at(size_t n, size_t calls, void (*end)(struct tee *tee))
{
    struct tee tee;
    begin(&tee);
    disk_refuse(n, calls);
    live(&tee);
    bool reached = disk_room_calls() > n;
    end(&tee);
    disk_stop();
    disk_clear(t.root);
    return reached;
}

static void everywhere(size_t calls, void (*end)(struct tee *tee))
{
    size_t n = 0;
    while (full_at(n, calls, end))
        n++;
    printf("%zu calls, each refused in turn\n", n);
    assert_true(n > 40);
}

static void one_call_fails_and_then_there_is_room(void **state)
{
    (void)state;
    everywhere(1, room_again);
}

static void what_was_refused_and_then_synced_survives_a_cut(void **state)
{
    (void)state;
    everywhere(1, cut_when_there_is_room);
    everywhere(SIZE_MAX, cut_when_there_is_room);
}

static void it_stays_full_until_there_is_room(void **state)
{
    (void)state;
    everywhere(SIZE_MAX, room_again);
}

static void some_calls_fail_and_it_is_killed(void **state)
{
    (void)state;
    everywhere(1, killed_before);
    everywhere(4, killed_before);
}

static void it_stays_full_and_it_is_killed(void **state)
{
    (void)state;
    everywhere(SIZE_MAX, killed_before);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(one_call_fails_and_then_there_is_room),
        T(it_stays_full_until_there_is_room),
        T(what_was_refused_and_then_synced_survives_a_cut),
        T(some_calls_fail_and_it_is_killed),
        T(it_stays_full_and_it_is_killed),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A power cut after any call that changes a file: the broker's state directory opens, and holds
 * what the last flush that was complete put there, or what the one under way was about to; never
 * less, never a mixture, and never something that was deleted.
 *
 * power_cut [--long]   with --long, many more guesses at what a disk does without fsync() */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/store/copy.h"
#include "certs/certs.h"
#include "tests/power/disk.h"
#include "tests/power/tee.h"
#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"
#include "tools/backup/archive.h"
#include "tools/backup/place.h"
#include "tools/host_env.h"
#include "tools/serve/serve_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MARKS_MAX 512
#define FLUSH_MS  2000

static struct {
    char root[64], state[80], hot[64], chk[64], chk_hot[64];
    struct {
        size_t at;    /* calls when the flush, or the turn, was complete */
        uint64_t sum; /* of what it holds                                */
        bool flush;
    } mark[MARKS_MAX];
    size_t marks;
    bool beside;      /* journals are not in memory: a turn may be there after a cut, too */
    unsigned guesses; /* random variants of each cut */
    unsigned long checks;
} t;

static struct house house;

static void make_dir(char *path, const char *what)
{
    (void)snprintf(path, 64, "/tmp/merossd-power-%s-XXXXXX", what);
    assert_non_null(mkdtemp(path));
}

static int setup(void **state)
{
    (void)state;
    make_dir(t.root, "root");
    make_dir(t.hot, "hot");
    make_dir(t.chk, "chk");
    make_dir(t.chk_hot, "chk-hot");
    (void)snprintf(t.state, sizeof t.state, "%s/state", t.root);
    t.marks = 0;
    t.beside = false;
    log_set_level(LOG_ERROR);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char *dirs[] = {t.root, t.hot, t.chk, t.chk_hot};
    disk_stop();
    disk_free();
    for (unsigned i = 0; i < 4; i++) {
        disk_clear(dirs[i]);
        (void)rmdir(dirs[i]);
    }
    return mem_used() == 0 ? 0 : -1;
}

/* --- while it lives --------------------------------------------------------------------------- */

static void mark(uint64_t sum)
{
    assert_true(t.marks < MARKS_MAX);
    t.mark[t.marks].at = disk_length();
    t.mark[t.marks].flush = true;
    t.mark[t.marks++].sum = sum;
}

static void write_turn(struct tee *tee)
{
    assert_int_equal(store_write(&tee->store), MD_OK);
    uint64_t sum = t.beside ? tee_sum_left(t.state) : 0;
    if (!t.beside || sum == t.mark[t.marks - 1].sum)
        return;
    mark(sum);
    t.mark[t.marks - 1].flush = false;
}

/* What `meanwhile` does, happens while it is under way. */
static void flush_with(struct tee *tee, void (*meanwhile)(struct tee *tee), bool refused)
{
    struct store_flush *f;
    write_turn(tee);
    if (!store_dirty(&tee->store))
        return;
    uint64_t sum = tee_sum(tee->shadow);
    assert_int_equal(store_flush_begin(&tee->store, &f), MD_OK);
    write_turn(tee); /* what was refused is gathered first */
    if (meanwhile != NULL)
        meanwhile(tee);
    int err = refused ? MD_IO : store_flush_run(&tee->store, f);
    assert_int_equal(err, refused ? MD_IO : MD_OK);
    store_flush_end(&tee->store, f, err);
    if (!refused)
        mark(sum);
    write_turn(tee);
}

static void flush(struct tee *tee) { flush_with(tee, NULL, false); }

static void live(struct tee *tee, uint64_t ms)
{
    for (uint64_t at = 0; at < ms; at += FLUSH_MS) {
        for (unsigned i = 0; i < 4; i++) {
            house_run(&house, FLUSH_MS / 4);
            write_turn(tee);
        }
        flush(tee);
    }
}

static void begin(struct tee *tee, const char *hot)
{
    int lock;
    char why[SERVE_HOST_ERR_MAX];
    disk_watch(t.root);
    mark(0);
    assert_int_equal(serve_host_dir(t.state, &lock, why), MD_OK);
    tee_open(tee, t.state, hot);
    (void)close(lock);
}

/* --- after the cut ---------------------------------------------------------------------------- */

/* Memory is gone; journals go there again, or beside the state. */
static const char *place_for(size_t cut)
{
    disk_clear(t.chk_hot);
    return cut % 2 == 0 ? t.chk_hot : "/nowhere/at/all";
}

static uint64_t look(const char *dir, size_t cut)
{
    char why[640] = "";
    struct store *s = tee_open_dir(dir, place_for(cut), why);
    if (s == NULL)
        fail_msg("cut %zu: %s", cut, why);
    uint64_t sum = tee_sum(s);
    store_close(s);
    s = tee_open_dir(dir, place_for(cut), why);
    assert_non_null(s);
    assert_int_equal(tee_sum(s), sum); /* and it stays so */
    store_close(s);
    t.checks++;
    return sum;
}

/* The state of the last flush before the cut, or of any turn since, or of the next flush, which may
 * have been complete but for the last call, and a turn. */
static bool is_expected(size_t last, uint64_t sum)
{
    unsigned flushes = 0;
    for (size_t i = last; i < t.marks && flushes < 3; i++) {
        flushes += t.mark[i].flush;
        if (flushes < 3 && t.mark[i].sum == sum)
            return true;
    }
    return false;
}

static void check(size_t cut, struct disk_variant v)
{
    char dir[80];
    size_t last = 0;
    disk_build(cut, v, t.chk);
    (void)snprintf(dir, sizeof dir, "%s/state", t.chk);
    char why[SERVE_HOST_ERR_MAX];
    int lock;
    assert_int_equal(serve_host_dir(dir, &lock, why), MD_OK);
    (void)close(lock);
    for (size_t i = 0; i < t.marks && t.mark[i].at <= cut; i++)
        last = t.mark[i].flush ? i : last;
    uint64_t sum = look(dir, cut);
    if (is_expected(last, sum))
        return;
    for (size_t i = 0; i < t.marks; i++)
        if (t.mark[i].sum == sum)
            fail_msg("cut %zu content %d names %u seed %llu: the state of flush %zu, not %zu", cut,
                     (int)v.content, v.names, (unsigned long long)v.seed, i, last);
    fail_msg("cut %zu content %d names %u seed %llu: neither flush %zu nor the next", cut,
             (int)v.content, v.names, (unsigned long long)v.seed, last);
}

static void each_variant(size_t cut, void (*f)(size_t cut, struct disk_variant v))
{
    for (unsigned names = 0; names < 2; names++) {
        f(cut, (struct disk_variant){DISK_LOST, names, 1});
        f(cut, (struct disk_variant){DISK_THERE, names, 1});
    }
    f(cut, (struct disk_variant){DISK_ZEROS, 1, 1});
    f(cut, (struct disk_variant){DISK_TORN, 1, cut});
    for (unsigned i = 0; i < t.guesses; i++)
        f(cut, (struct disk_variant){(enum disk_content)((cut + i) % DISK_CONTENTS), 2,
                                     1 + 7919 * (uint64_t)cut + i});
}

static void cut_everywhere(const char *what, void (*f)(size_t cut, struct disk_variant v))
{
    disk_stop();
    t.checks = 0;
    for (size_t cut = 0; cut <= disk_length(); cut++)
        each_variant(cut, f);
    printf("%s: %zu calls, %zu states, %lu cuts looked at\n", what, disk_length(), t.marks - 1,
           t.checks);
}

/* --- lives ------------------------------------------------------------------------------------ */

static void visit(struct tee *tee, const char *topic)
{
    struct wire w;
    wire_open(&w, house.broker, 1);
    wire_connect(&w, "away", false, MQTT_3_1_1);
    wire_subscribe(&w, topic, MQTT_QOS1);
    wire_take(&w);
    (void)broker_turn(house.broker);
    wire_disconnect(&w);
    (void)broker_turn(house.broker);
    wire_close(&w);
    write_turn(tee);
}

/* Plugs bind and report, a session is made, messages wait and are read, one is retained, changed
 * and deleted, a plug gets a name and is forgotten, the broker is restarted. */
static void live_in_a_house(const char *hot)
{
    static const char *const types[] = {"mss310", "mss425e", "mss210"};
    struct tee tee;
    begin(&tee, hot);
    house_start_on(&house, "key", &tee.store);
    for (unsigned i = 0; i < 3; i++) {
        struct simplug_options o = house_options(&house, types[i], i);
        (void)snprintf(o.key, sizeof o.key, "key");
        (void)house_plug(&house, &o);
    }
    live(&tee, 10000);
    visit(&tee, "note/#");
    for (unsigned i = 0; i < 3; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", i);
        wire_publish(&house.hand, "note/1", text, MQTT_QOS1, i < 2, (uint16_t)(100 + i));
        live(&tee, 2000);
    }
    visit(&tee, "more/#");
    live(&tee, 2000);
    wire_publish(&house.hand, "note/1", "", MQTT_QOS1, true, 200);
    live(&tee, 2000);
    house_broker_stop(&house);
    flush(&tee);
    house_broker_start(&house);
    live(&tee, 20000);
    house_say(&house, "meross/broker/request/forget",
              "{\"transaction\":\"1\",\"plug\":\"mss425e\"}");
    live(&tee, 6000);
    house_forget(&house);
    house_broker_stop(&house);
    flush(&tee);
    house_broker_start(&house);
    assert_true(tee_count(tee.shadow) > 3);
    house_stop(&house); /* flushes what is left */
}

static void a_house(void **state)
{
    (void)state;
    live_in_a_house(t.hot);
    cut_everywhere("a house", check);
}

/* No memory for a journal: it is beside the others, and never synced by itself. */
static void a_house_without_memory(void **state)
{
    (void)state;
    t.beside = true;
    live_in_a_house("/nowhere/at/all");
    cut_everywhere("a house without a place in memory", check);
}

static void put(struct tee *tee, const char *key, const char *value, enum store_when when)
{
    assert_int_equal(store_put(&tee->store, STORE_RETAIN, span_str(key), span_str(value), when),
                     MD_OK);
}

static void say(struct tee *tee, const char *key, enum store_when when)
{
    static unsigned n;
    char value[16];
    (void)snprintf(value, sizeof value, "%u", ++n);
    put(tee, key, value, when);
}

static void two_turns(struct tee *tee)
{
    for (unsigned i = 0; i < 2; i++) {
        say(tee, "a", STORE_NOW);
        say(tee, i == 0 ? "b" : "c", STORE_FRESH);
        say(tee, "idle", STORE_SOON);
        write_turn(tee);
    }
    assert_int_equal(store_del(&tee->store, STORE_RETAIN, span_str("b"), STORE_NOW), MD_OK);
    say(tee, "c", STORE_SOON);
    write_turn(tee);
}

static void no_more_than_idle(struct tee *tee) { say(tee, "a", STORE_SOON); }

/* No memory for journals, or none at times; turns go on while a flush is under way, and while the
 * disk refuses. */
static void journals_beside_the_state(void **state)
{
    (void)state;
    struct tee tee;
    t.beside = true;
    begin(&tee, "/nowhere/at/all");
    for (unsigned i = 0; i < 3; i++) {
        two_turns(&tee);
        flush_with(&tee, two_turns, false);
        flush_with(&tee, i == 1 ? no_more_than_idle : NULL, false);
        two_turns(&tee);
        flush_with(&tee, i == 1 ? no_more_than_idle : two_turns, true);
        flush_with(&tee, two_turns, i == 2);
        two_turns(&tee);
        flush_with(&tee, two_turns, false);
        two_turns(&tee);
        if (i == 2)
            break;
        if (i == 0)
            tee.file->ops->close(tee.file); /* kill -9 */
        else
            store_close(tee.file);
        store_close(tee.shadow);
        tee_open(&tee, t.state, i == 0 ? t.hot : "/nowhere/at/all");
        mark(tee_sum(tee.shadow));
        t.beside = i != 0;
    }
    flush(&tee);
    store_close(&tee.store);
    cut_everywhere("journals beside the state", check);
}

/* Journals are folded into a base, again and again; starts find a crash's hot journals. */
static void folding(void **state)
{
    (void)state;
    static char big[180001];
    struct tee tee;
    memset(big, 'x', sizeof big - 1);
    begin(&tee, t.hot);
    for (unsigned i = 0; i < 12; i++) {
        big[0] = (char)('A' + i);
        put(&tee, i % 3 == 0 ? "a" : "b", big, STORE_SOON);
        put(&tee, "note", big + sizeof big - 4, STORE_NOW);
        flush(&tee);
        if (i % 5 == 4) { /* kill -9 with something in the hot journal */
            put(&tee, "late", i == 4 ? "1" : "2", STORE_NOW);
            assert_int_equal(store_write(&tee.store), MD_OK);
            uint64_t sum = tee_sum(tee.shadow);
            tee.file->ops->close(tee.file);
            store_close(tee.shadow);
            mark(t.mark[t.marks - 1].sum);
            tee_open(&tee, t.state, t.hot);
            assert_int_equal(tee_sum(tee.shadow), sum);
            mark(sum);
        }
    }
    store_close(&tee.store);
    cut_everywhere("folding", check);
}

/* --- certificates ----------------------------------------------------------------------------- */

static size_t certs_made; /* calls when they were complete */
static char ca[8192];

static size_t slurp(const char *dir, const char *name, char *out, size_t cap)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(out, 1, cap - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    out[n] = '\0';
    return n;
}

static bool stop_at_once(void *ctx)
{
    (void)ctx;
    return true;
}

static const char *const names[] = {"localhost", "127.0.0.1", NULL};

/* What is there is used, or made anew where it is missing; never called damaged. */
static void check_certs(size_t cut, struct disk_variant v)
{
    char dir[80], what[CERTS_ERR_MAX], why[CERTS_ERR_MAX] = "", now[8192];
    struct certs_config cfg = {.dir = dir, .names = names, .stop = stop_at_once};
    (void)snprintf(dir, sizeof dir, "%s/state", t.chk);
    disk_build(cut, v, t.chk);
    int err = certs_ensure(&cfg, host_env(), what, why);
    if (err != MD_CLOSED && err != MD_OK)
        fail_msg("cut %zu: %s", cut, why);
    if (cut < certs_made)
        return;
    assert_int_equal(err, MD_OK);
    assert_string_equal(what, "");
    (void)slurp(dir, "ca.pem", now, sizeof now);
    assert_string_equal(now, ca);
    t.checks++;
}

static void certificates(void **state)
{
    (void)state;
    char what[CERTS_ERR_MAX], why[SERVE_HOST_ERR_MAX] = "";
    int lock;
    struct certs_config cfg = {.dir = t.state, .names = names};
    disk_watch(t.root);
    mark(0);
    assert_int_equal(serve_host_dir(t.state, &lock, why), MD_OK);
    (void)close(lock);
    assert_int_equal(certs_ensure(&cfg, host_env(), what, why), MD_OK);
    certs_made = disk_length();
    assert_true(slurp(t.state, "ca.pem", ca, sizeof ca) > 500);
    cut_everywhere("certificates", check_certs);
}

/* --- a backup is put back --------------------------------------------------------------------- */

static uint64_t old_sum, new_sum;
static size_t restored; /* calls when restore said that it was done */

static void check_restore(size_t cut, struct disk_variant v)
{
    char dir[80];
    disk_build(cut, v, t.chk);
    (void)snprintf(dir, sizeof dir, "%s/state", t.chk);
    assert_int_equal(access(dir, F_OK), 0); /* a start must not begin anew */
    uint64_t sum = look(dir, cut);
    assert_true(sum == new_sum || (sum == old_sum && cut < restored));
}

static void restoring(void **state)
{
    (void)state;
    struct tee tee;
    struct buf copy, archive;
    struct store_copied what;
    struct placed placed;
    char note[PLACE_ERR_MAX] = "";
    const char *none[] = {NULL};
    begin(&tee, t.hot);
    put(&tee, "a", "backup", STORE_NOW);
    flush(&tee);
    new_sum = tee_sum(tee.shadow);
    buf_init(&copy, 65536);
    buf_init(&archive, 65536);
    assert_int_equal(store_copy(t.state, none, &copy, &what, note), MD_OK);
    struct archive_piece p[] = {
        {.kind = ARCHIVE_NOTE, .data = span_str("{}")},
        {.kind = ARCHIVE_STORE, .data = buf_view(&copy)},
        {.kind = ARCHIVE_CERT, .name = span_str("ca.pem"), .data = span_str("certificate")}};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(archive_put(&archive, &p[i]), MD_OK);
    put(&tee, "a", "since then", STORE_NOW);
    put(&tee, "b", "since then", STORE_NOW);
    old_sum = tee_sum(tee.shadow);
    store_close(&tee.store);
    /* From here on the power is cut. */
    size_t from = disk_length();
    struct place_order o = {
        .archive = buf_view(&archive), .dir = t.state, .force = true, .env = host_env()};
    int err = place(&o, &placed, note);
    if (err != MD_OK)
        fail_msg("%s", note);
    restored = disk_length();
    assert_true(placed.aside[0] != '\0');
    buf_free(&copy);
    buf_free(&archive);
    disk_stop();
    t.checks = 0;
    for (size_t cut = from; cut <= restored; cut++)
        each_variant(cut, check_restore);
    printf("restoring: %zu calls, %lu cuts looked at\n", restored - from, t.checks);
    assert_int_equal(look(placed.aside, 0), old_sum); /* set aside, whole */
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    t.guesses = argc > 1 && strcmp(argv[1], "--long") == 0 ? 100 : 2;
    const struct CMUnitTest tests[] = {
        T(a_house), T(a_house_without_memory), T(journals_beside_the_state),
        T(folding), T(certificates),           T(restoring),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

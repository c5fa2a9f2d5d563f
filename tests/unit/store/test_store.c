/* The store: what is written survives the process, what is flushed the power; damage costs only
 * what is damaged. */
#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "broker/store/journal.h"
#include "broker/store/store.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64], hot[64];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -1;
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/merossd-store-XXXXXX");
    (void)snprintf(p->hot, sizeof p->hot, "/tmp/merossd-hot-XXXXXX");
    if (mkdtemp(p->dir) == NULL || mkdtemp(p->hot) == NULL)
        return -1;
    *state = p;
    return 0;
}

/* Calls f with every file of a directory whose name holds `part`; returns how many.  A store that
 * was closed leaves no empty directory for hot journals. */
static unsigned each_file(const char *dir, const char *part, void (*f)(const char *path))
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    if (d == NULL) {
        assert_int_equal(errno, ENOENT);
        return 0;
    }
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[400];
        if (e->d_name[0] == '.' || strstr(e->d_name, part) == NULL)
            continue;
        n++;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (f != NULL)
            f(path);
    }
    closedir(d);
    return n;
}

static void remove_file(const char *path) { (void)unlink(path); }

static void empty(const struct place *p)
{
    (void)each_file(p->dir, "", remove_file);
    (void)each_file(p->hot, "", remove_file);
}

static int remove_place(void **state)
{
    struct place *p = *state;
    empty(p);
    (void)rmdir(p->dir);
    (void)rmdir(p->hot);
    free(p);
    return mem_used() == 0 ? 0 : -1;
}

static struct store *open_with(const struct place *p, enum store_sync sync, char note[256])
{
    struct store *s = NULL;
    struct store_file_config cfg = {
        .dir = p->dir, .journal_dir = p->hot, .sync = sync, .period_s = 2};
    int err = store_file_open(&s, &cfg, note);
    assert_int_equal(err, MD_OK);
    return s;
}

static struct store *open_store(const struct place *p)
{
    char note[256];
    struct store *s = open_with(p, STORE_SYNC_PERIOD, note);
    assert_string_equal(note, "");
    return s;
}

/* As after kill -9: nothing is flushed, memory is gone. */
static void kill_store(struct store *s) { s->ops->close(s); }

static int put_as(struct store *s, const char *key, const char *value, enum store_when when)
{
    return store_put(s, STORE_DEVICE, span_str(key), span_str(value), when);
}

static int put(struct store *s, const char *key, const char *value)
{
    return put_as(s, key, value, STORE_NOW);
}

struct find {
    const char *key;
    char value[64];
    unsigned n;
};

static int find_one(void *ctx, struct span key, struct span value)
{
    struct find *f = ctx;
    f->n++;
    if (span_is(key, f->key))
        (void)span_to_str(value, f->value, sizeof f->value);
    return MD_OK;
}

static struct find find(struct store *s, const char *key)
{
    struct find f = {.key = key};
    assert_int_equal(store_each(s, STORE_DEVICE, find_one, &f), MD_OK);
    return f;
}

static void what_is_flushed_is_there_after_reopening(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_false(store_dirty(s));
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_int_equal(put(s, "b", "two"), MD_OK);
    assert_int_equal(put(s, "a", "three"), MD_OK);
    assert_int_equal(store_put(s, STORE_META, span_str("a"), span_str("other"), STORE_SOON), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("b"), STORE_NOW), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("never"), STORE_NOW), MD_OK);
    assert_true(store_dirty(s));
    store_close(s);
    assert_int_equal(each_file(p->hot, "state.", NULL), 0); /* of no use any more */
    s = open_store(p);
    struct find f = find(s, "a");
    assert_string_equal(f.value, "three");
    assert_int_equal(f.n, 1);
    store_loaded(s);
    assert_int_equal(find(s, "a").n, 0);
    store_close(s);
}

/* F147: written is enough against kill -9; SOON may be lost, NOW may not. */
static void what_is_written_survives_kill(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_int_equal(put_as(s, "now", "1", STORE_NOW), MD_OK);
    assert_int_equal(put_as(s, "fresh", "1", STORE_FRESH), MD_OK);
    assert_int_equal(put_as(s, "soon", "1", STORE_SOON), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(put_as(s, "late", "1", STORE_NOW), MD_OK); /* its turn never ended */
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "now").value, "1");
    assert_string_equal(find(s, "fresh").value, "1");
    assert_string_equal(find(s, "soon").value, "");
    assert_string_equal(find(s, "late").value, "");
    store_close(s);
    assert_int_equal(each_file(p->hot, "state.", NULL), 0);
}

/* A key the journal knows must not come back older than it was. */
static void a_later_value_that_may_wait_follows_into_the_journal(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_int_equal(put_as(s, "a", "acknowledged", STORE_NOW), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(put_as(s, "a", "newer", STORE_SOON), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "a").value, "newer");
    store_close(s);
}

static size_t bytes_in(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[400];
        struct stat st;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.' && stat(path, &st) == 0)
            n += (size_t)st.st_size;
    }
    closedir(d);
    return n;
}

/* Kind to flash: the last value of a key, once; what came and went, never. */
static void the_medium_sees_each_key_once(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_int_equal(store_sync(s), MD_OK);
    for (unsigned i = 0; i < 1000; i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "%u", i);
        assert_int_equal(put_as(s, "a", value, STORE_SOON), MD_OK);
        assert_int_equal(put_as(s, "b", value, STORE_FRESH), MD_OK);
        assert_int_equal(store_del(s, STORE_DEVICE, span_str("b"), STORE_NOW), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
    }
    assert_int_equal(store_sync(s), MD_OK);
    assert_true(bytes_in(p->dir) < 100);
    store_close(s);
}

/* Of a storm of what nobody was promised the memory comes back after the ordinary time. */
static void much_telemetry_does_not_wait(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    char key[16];
    for (unsigned i = 0; i < STORE_LAZY_MAX; i++) {
        (void)snprintf(key, sizeof key, "%u", i);
        assert_int_equal(put_as(s, key, "1", STORE_SOON), MD_OK);
    }
    assert_int_equal(store_period_s(s), STORE_LAZY_S);
    assert_int_equal(put_as(s, "one more", "1", STORE_SOON), MD_OK);
    assert_int_equal(store_period_s(s), 2);
    store_close(s);
}

/* What nobody was promised waits longer, so that it goes with the rest. */
static void telemetry_waits_for_company(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    struct store_flush *f;
    assert_int_equal(put_as(s, "a", "1", STORE_SOON), MD_OK);
    assert_true(store_dirty(s));
    assert_int_equal(store_period_s(s), STORE_LAZY_S);
    assert_int_equal(put_as(s, "b", "1", STORE_NOW), MD_OK);
    assert_int_equal(store_period_s(s), 2);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(put_as(s, "a", "2", STORE_SOON), MD_OK);
    store_flush_end(s, f, MD_IO);
    assert_int_equal(store_period_s(s), 2); /* what is here again may have been promised */
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a"), STORE_SOON), MD_OK);
    assert_int_equal(store_period_s(s), STORE_LAZY_S);
    s->period_s = STORE_LAZY_S + 1; /* slower by the configuration */
    assert_int_equal(store_period_s(s), STORE_LAZY_S + 1);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("b"), STORE_NOW), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_false(store_dirty(s));
    store_close(s);
}

/* persistence_sync 60: a key that a plug was given waits two seconds all the same. */
static void what_is_precious_does_not_wait(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    struct store_flush *f;
    s->period_s = 60;
    assert_int_equal(put_as(s, "a", "1", STORE_NOW), MD_OK);
    assert_int_equal(store_period_s(s), 60);
    assert_int_equal(put_as(s, "b", "1", STORE_RARE), MD_OK);
    assert_int_equal(put_as(s, "c", "1", STORE_SOON), MD_OK);
    assert_int_equal(store_period_s(s), STORE_RARE_S);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(put_as(s, "c", "2", STORE_NOW), MD_OK);
    assert_int_equal(store_period_s(s), 60);
    store_flush_end(s, f, MD_IO);
    assert_int_equal(store_period_s(s), STORE_RARE_S); /* the disk refused it */
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a"), STORE_RARE), MD_OK);
    assert_int_equal(store_period_s(s), STORE_RARE_S);
    s->period_s = 1;
    assert_int_equal(store_period_s(s), 1);
    store_close(s);
}

/* A batch as large as the largest turn ever would be kept for nothing. */
static void a_large_turn_leaves_no_memory_behind(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    char big[20000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(put(s, "a", "1"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    size_t before = mem_used();
    for (char key[] = "a"; key[0] <= 'j'; key[0]++)
        assert_int_equal(put(s, key, big), MD_OK);
    assert_true(mem_used() > before + 2 * 10 * sizeof big); /* the values, and the batch */
    assert_int_equal(store_sync(s), MD_OK);
    assert_true(mem_used() <= before);
    assert_int_equal(put(s, "a", "2"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_true(mem_used() <= before);
    store_close(s);
}

static void files_are_private(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    struct stat st;
    char path[100];
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    (void)snprintf(path, sizeof path, "%s/state.%08u.hot", p->hot, 1u);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600); /* F157 */
    store_close(s);
    assert_int_equal(each_file(p->dir, "", NULL), 1); /* nothing temporary stays */
}

/* What changes while a flush is under way is not lost, nor its journal. */
static void a_change_during_a_flush_stays_dirty(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    struct store_flush *f, *g;
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_int_equal(put(s, "b", "gone"), MD_OK);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(store_flush_begin(s, &g), MD_AGAIN);
    assert_int_equal(put(s, "a", "two"), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("b"), STORE_NOW), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(store_flush_run(s, f), MD_OK);
    store_flush_end(s, f, MD_OK);
    assert_true(store_dirty(s));
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "a").value, "two");
    assert_int_equal(find(s, "").n, 1);
    store_close(s);
}

/* F156: the disk refuses, again and again; nothing is lost and nothing piles up. */
static void a_failed_flush_loses_nothing(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    struct store_flush *f;
    for (unsigned i = 0; i < 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%u", i);
        assert_int_equal(put(s, key, "v"), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        assert_int_equal(store_flush_begin(s, &f), MD_OK);
        assert_int_equal(put(s, "during", key), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        store_flush_end(s, f, MD_IO);
        assert_true(store_dirty(s));
    }
    assert_true(each_file(p->hot, "state.", NULL) <= 3);
    kill_store(s);
    s = open_store(p);
    assert_int_equal(find(s, "").n, 101);
    assert_string_equal(find(s, "during").value, "k99");
    /* And the disk works again while something else is being written. */
    assert_int_equal(put(s, "x", "1"), MD_OK);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    store_flush_end(s, f, MD_IO);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(put(s, "y", "2"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(store_flush_run(s, f), MD_OK);
    store_flush_end(s, f, MD_OK);
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "x").value, "1");
    assert_string_equal(find(s, "y").value, "2");
    store_close(s);
}

static void no_file_may_grow(bool on)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = on ? 0 : l.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
    (void)signal(SIGXFSZ, on ? SIG_IGN : SIG_DFL); /* on: writing fails with EFBIG */
}

static struct store *open_on_a_full_disk(const struct place *p)
{
    char note[256];
    no_file_may_grow(true);
    struct store *s = open_with(p, STORE_SYNC_PERIOD, note);
    no_file_may_grow(false);
    assert_non_null(strstr(note, "cannot be written"));
    assert_int_equal(find(s, "a").n, 2);
    assert_string_equal(find(s, "b").value, "1");
    assert_string_equal(find(s, "c").value, "1");
    store_loaded(s);
    return s;
}

/* F156: after a crash the disk takes no new base.  What was read is there, and stays there, also
 * when the program dies again before there is room. */
static void a_full_disk_at_the_start_is_no_reason_to_stop(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_int_equal(put(s, "a", "1"), MD_OK);
    assert_int_equal(put(s, "b", "1"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(put(s, "c", "1"), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a"), STORE_NOW), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    kill_store(s);
    kill_store(open_on_a_full_disk(p));
    s = open_on_a_full_disk(p);
    assert_true(store_dirty(s));
    assert_int_equal(put(s, "d", "1"), MD_OK);
    assert_int_equal(put(s, "b", "2"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    no_file_may_grow(true);
    assert_int_equal(store_sync(s), MD_IO);
    no_file_may_grow(false);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("c"), STORE_NOW), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_false(store_dirty(s));
    kill_store(s);
    s = open_store(p);
    assert_int_equal(find(s, "").n, 2);
    assert_string_equal(find(s, "b").value, "2");
    assert_string_equal(find(s, "d").value, "1");
    store_close(s);
}

/* F155: journals that outgrow the base become a new base. */
static void journals_are_folded_into_a_base(void **state)
{
    const struct place *p = *state;
    static char big[100001];
    struct store *s = open_store(p);
    memset(big, 'x', sizeof big - 1);
    for (unsigned i = 0; i < 60; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "%u", i % 5);
        big[0] = (char)('A' + i % 26);
        assert_int_equal(put_as(s, key, big, STORE_SOON), MD_OK);
        assert_int_equal(store_sync(s), MD_OK);
    }
    assert_true(bytes_in(p->dir) < 2500000);
    assert_int_equal(each_file(p->dir, ".base", NULL), 1);
    store_close(s);
    s = open_store(p);
    assert_int_equal(find(s, "").n, 5);
    store_close(s);
}

static void sync_always_writes_no_journal(void **state)
{
    const struct place *p = *state;
    char note[256];
    struct store *s = open_with(p, STORE_SYNC_ALWAYS, note);
    assert_int_equal(put(s, "a", "1"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(each_file(p->hot, "", NULL), 0);
    assert_int_equal(store_sync(s), MD_OK);
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "a").value, "1");
    store_close(s);
}

static char path_found[400];

static void note_path(const char *path)
{
    (void)snprintf(path_found, sizeof path_found, "%s", path);
}

static const char *the_file(const char *dir, const char *part)
{
    assert_int_equal(each_file(dir, part, note_path), 1);
    return path_found;
}

static void fill(const struct place *p)
{
    struct store *s = open_store(p);
    char key[8];
    for (unsigned i = 0; i < 5; i++) {
        (void)snprintf(key, sizeof key, "key%u", i);
        assert_int_equal(put(s, key, "some value"), MD_OK);
    }
    store_close(s);
}

static void flip(const char *path, size_t at)
{
    int fd = open(path, O_RDWR);
    uint8_t c;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
    c ^= 0x5a;
    assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
    (void)close(fd);
}

/* Killed while its journals were in the state directory, started again where there is memory for
 * them: by another user, as a service, with another `journal_dir`. */
static void journals_in_the_state_directory_are_not_forgotten(void **state)
{
    const struct place *p = *state;
    struct store *s = NULL;
    char note[256];
    struct store_file_config cfg = {.dir = p->dir, .sync = STORE_SYNC_PERIOD, .period_s = 2};
    for (int again = 0; again < 2; again++) {
        assert_int_equal(store_file_open(&s, &cfg, note), MD_OK);
        assert_int_equal(put(s, "a", again ? "two" : "one"), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        kill_store(s);
        assert_true(each_file(p->dir, ".hot", NULL) > 0);
        s = open_store(p);
        assert_string_equal(find(s, "a").value, again ? "two" : "one");
        assert_int_equal(each_file(p->dir, ".hot", NULL), 0);
        store_loaded(s);
        assert_int_equal(put(s, "a", "newer"), MD_OK);
        store_close(s);
        s = open_store(p); /* and do not come back */
        assert_string_equal(find(s, "a").value, "newer");
        store_close(s);
    }
}

static uint8_t kept[4096];
static size_t kept_n;

static void keep_file(const char *path)
{
    note_path(path);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    kept_n = fread(kept, 1, sizeof kept, f);
    (void)fclose(f);
}

static void put_file_back(const char *dir)
{
    (void)mkdir(dir, 0700); /* a store that was closed leaves no empty one */
    FILE *f = fopen(path_found, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(kept, 1, kept_n, f), kept_n);
    (void)fclose(f);
}

/* As when the power is cut before the medium knows that it was removed: what is in it was flushed,
 * and may have changed since. */
static void a_journal_that_was_flushed_does_not_come_back(void **state)
{
    const struct place *p = *state;
    const char *const hot[] = {NULL, p->hot};
    for (size_t i = 0; i < 2; i++) {
        struct store *s = NULL;
        char note[256];
        struct store_file_config cfg = {
            .dir = p->dir, .journal_dir = hot[i], .sync = STORE_SYNC_PERIOD, .period_s = 2};
        empty(p);
        assert_int_equal(store_file_open(&s, &cfg, note), MD_OK);
        assert_int_equal(put(s, "a", "old"), MD_OK);
        assert_int_equal(put(s, "b", "gone"), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        assert_int_equal(each_file(i == 0 ? p->dir : p->hot, ".hot", keep_file), 1);
        assert_int_equal(store_sync(s), MD_OK);
        put_file_back(i == 0 ? p->dir : p->hot);
        assert_int_equal(put_as(s, "a", "new", STORE_SOON), MD_OK);
        assert_int_equal(store_del(s, STORE_DEVICE, span_str("b"), STORE_SOON), MD_OK);
        assert_int_equal(store_sync(s), MD_OK);
        kill_store(s);
        put_file_back(i == 0 ? p->dir : p->hot);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(store_file_open(&s, &cfg, note), MD_OK);
            assert_string_equal(note, "");
            assert_string_equal(find(s, "a").value, "new");
            assert_string_equal(find(s, "b").value, "");
            assert_int_equal(each_file(i == 0 ? p->dir : p->hot, ".hot", NULL), 0);
            store_close(s);
        }
    }
}

/* The files say up to which number they hold the journals; a later run goes on behind it. */
static void the_numbers_of_journals_go_on(void **state)
{
    const struct place *p = *state;
    for (unsigned run = 0; run < 4; run++) {
        struct store *s = open_store(p);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(put(s, "a", "flushed"), MD_OK);
            assert_int_equal(store_sync(s), MD_OK);
        }
        kill_store(s);
        s = open_store(p);
        store_loaded(s);
        assert_int_equal(put(s, "a", "written"), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        kill_store(s);
        s = open_store(p);
        assert_string_equal(find(s, "a").value, "written");
        store_close(s);
    }
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

/* Where the journals were there is no folder, and none can be made: only the medium takes
 * something. */
static void flush_without_journals(const struct place *p, struct store *s)
{
    char away[80];
    struct store_flush *f;
    (void)snprintf(away, sizeof away, "%s-away", p->hot);
    assert_int_equal(rename(p->hot, away), 0);
    make_file(p->hot);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(unlink(p->hot), 0);
    assert_int_equal(rename(away, p->hot), 0);
    assert_int_equal(store_flush_run(s, f), MD_OK);
    store_flush_end(s, f, MD_OK);
}

static void write_refused(struct store *s)
{
    no_file_may_grow(true);
    int err = store_write(s);
    no_file_may_grow(false);
    assert_int_equal(err, MD_IO);
}

/* Somebody tidied /run: the next journal has a folder again, and what it says counts. */
static void the_folder_of_the_journals_is_made_again(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    store_loaded(s);
    assert_int_equal(put(s, "a", "1"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    (void)each_file(p->hot, "", remove_file);
    assert_int_equal(rmdir(p->hot), 0);
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(put(s, "b", "2"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "a").value, "1");
    assert_string_equal(find(s, "b").value, "2");
    store_close(s);
}

/* A journal that lacks a change is older than the files are once that is flushed. */
static void a_journal_with_a_gap_takes_nothing_back(void **state)
{
    const struct place *p = *state;
    for (int killed = 0; killed < 2; killed++) {
        struct store *s = open_store(p);
        store_loaded(s);
        assert_int_equal(put(s, "a", "old"), MD_OK);
        assert_int_equal(put(s, "b", "gone"), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        assert_int_equal(put(s, "a", "new"), MD_OK);
        assert_int_equal(store_del(s, STORE_DEVICE, span_str("b"), STORE_NOW), MD_OK);
        write_refused(s);
        flush_without_journals(p, s);
        assert_int_equal(store_write(s), MD_OK);
        if (killed)
            kill_store(s);
        else
            store_close(s);
        s = open_store(p);
        assert_string_equal(find(s, "a").value, "new");
        assert_string_equal(find(s, "b").value, "");
        store_close(s);
        empty(p);
    }
}

/* Made, written, and its end not written: nothing is left to flush, but for that end. */
static void a_short_life_whose_end_was_refused_does_not_come_back(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    store_loaded(s);
    assert_int_equal(put_as(s, "a", "short", STORE_FRESH), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a"), STORE_NOW), MD_OK);
    write_refused(s);
    assert_true(store_dirty(s));
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_false(store_dirty(s));
    assert_int_equal(put(s, "b", "1"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    kill_store(s);
    s = open_store(p);
    assert_string_equal(find(s, "a").value, "");
    assert_string_equal(find(s, "b").value, "1");
    store_close(s);
}

/* Neither disk nor memory: what the flush was to write waits as it is, and goes with the next. */
static void a_flush_refused_without_memory_loses_nothing(void **state)
{
    const struct place *p = *state;
    struct store_flush *f;
    for (long n = 0; n < 12; n++) {
        empty(p);
        struct store *s = open_store(p);
        for (char key[] = "a"; key[0] <= 'd'; key[0]++)
            assert_int_equal(put(s, key, "old"), MD_OK);
        assert_int_equal(store_flush_begin(s, &f), MD_OK);
        assert_int_equal(put(s, "b", "new"), MD_OK);
        assert_int_equal(store_del(s, STORE_DEVICE, span_str("c"), STORE_NOW), MD_OK);
        assert_int_equal(store_write(s), MD_OK);
        mem_fail_after(n);
        store_flush_end(s, f, MD_IO);
        mem_fail_after(-1);
        for (unsigned again = 0; again < 2; again++) { /* refused once more, and then not */
            assert_true(store_dirty(s));
            assert_int_equal(store_flush_begin(s, &f), MD_OK);
            int err = again == 0 ? MD_IO : store_flush_run(s, f);
            store_flush_end(s, f, err);
        }
        assert_false(store_dirty(s));
        kill_store(s);
        s = open_store(p);
        assert_int_equal(find(s, "").n, 3);
        assert_string_equal(find(s, "a").value, "old");
        assert_string_equal(find(s, "b").value, "new");
        assert_string_equal(find(s, "d").value, "old");
        store_close(s);
    }
}

/* F150: every byte damaged in turn costs at most one record, and the program starts. */
static void any_damaged_byte_costs_at_most_one_entry(void **state)
{
    const struct place *p = *state;
    fill(p);
    size_t size = bytes_in(p->dir);
    for (size_t at = 0; at < size; at++) {
        struct store *s = NULL;
        char note[256];
        struct store_file_config cfg = {.dir = p->dir, .journal_dir = p->hot, .period_s = 2};
        empty(p);
        fill(p);
        flip(the_file(p->dir, ".journal"), at);
        int err = store_file_open(&s, &cfg, note);
        assert_int_equal(err, MD_OK);
        assert_non_null(strstr(note, "damaged"));
        assert_true(find(s, "").n >= 4);
        store_close(s);
        s = open_store(p); /* what is there now is sound */
        store_close(s);
        assert_int_equal(each_file(p->dir, ".damaged-", NULL), 1);
    }
}

/* F148: a batch that was cut off anywhere counts as never written; those before it stay. */
static void any_cut_of_the_journal_keeps_whole_turns(void **state)
{
    const struct place *p = *state;
    size_t turn_ends[6] = {0};
    for (size_t cut = 8; cut == 8 || cut < turn_ends[5]; cut++) {
        char note[256], key[8];
        empty(p);
        struct store *s = open_store(p);
        for (unsigned i = 0; i < 5; i++) {
            (void)snprintf(key, sizeof key, "a%u", i);
            assert_int_equal(put(s, key, "1"), MD_OK);
            (void)snprintf(key, sizeof key, "b%u", i);
            assert_int_equal(put(s, key, "2"), MD_OK); /* two records a turn: both or none */
            assert_int_equal(store_write(s), MD_OK);
            turn_ends[i + 1] = bytes_in(p->hot);
        }
        kill_store(s);
        assert_int_equal(truncate(the_file(p->hot, ".hot"), (off_t)cut), 0);
        s = open_with(p, STORE_SYNC_PERIOD, note);
        unsigned whole = 0;
        while (whole < 5 && turn_ends[whole + 1] <= cut)
            whole++;
        assert_int_equal(find(s, "").n, 2 * whole);
        store_close(s);
    }
}

static void records_have_limits(void **state)
{
    (void)state;
    struct buf b;
    struct record r = {1, {NULL, 0}, {NULL, 0}};
    static uint8_t key[STORE_KEY_MAX + 1];
    buf_init(&b, SIZE_MAX);
    r.key = span_of(key, STORE_KEY_MAX);
    assert_int_equal(record_put(&b, &r), MD_OK);
    r.key = span_of(key, STORE_KEY_MAX + 1);
    assert_int_equal(record_put(&b, &r), MD_TOOBIG);
    r.key.n = 1;
    r.value = span_of(key, (size_t)STORE_VALUE_MAX + 1); /* only its length is looked at */
    assert_int_equal(record_put(&b, &r), MD_TOOBIG);
    buf_free(&b);
    assert_int_equal(record_crc(span_str("123456789")), 0xe3069283); /* the CRC-32C check value */
}

static void out_of_memory_is_survived(void **state)
{
    const struct place *p = *state;
    int err = MD_NOMEM;
    for (long n = 1; err != MD_OK; n++) {
        empty(p);
        fill(p);
        struct store *s = NULL;
        char note[256];
        struct store_file_config cfg = {.dir = p->dir, .journal_dir = p->hot, .period_s = 2};
        assert_true(n < 1000);
        mem_fail_after(n);
        err = store_file_open(&s, &cfg, note);
        if (err == MD_OK)
            err = put(s, "new", "value");
        if (err == MD_OK)
            err = store_write(s);
        if (err == MD_OK)
            err = store_sync(s);
        mem_fail_after(-1);
        if (s != NULL)
            store_close(s);
    }
    struct store *s = open_store(p);
    assert_int_equal(find(s, "").n, 6);
    store_close(s);
}

static void a_store_in_memory_forgets(void **state)
{
    (void)state;
    struct store *s;
    assert_int_equal(store_mem_open(&s), MD_OK);
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_string_equal(find(s, "a").value, "one");
    assert_false(store_dirty(s));
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a"), STORE_NOW), MD_OK);
    assert_int_equal(find(s, "a").n, 0);
    store_close(s);
    store_close(NULL);
}

/* What belongs to another user is in the way as this file is: the state directory has to do. */
static void no_folder_for_journals_is_no_reason_to_stop(void **state)
{
    const struct place *p = *state;
    struct store_file_config cfg = {
        .dir = p->dir, .journal_dir = p->hot, .sync = STORE_SYNC_PERIOD, .period_s = 2};
    struct store *s = NULL;
    char note[256];
    assert_int_equal(rmdir(p->hot), 0);
    int fd = open(p->hot, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(store_file_open(&s, &cfg, note), MD_OK);
    assert_non_null(strstr(note, p->hot)); /* what is in there, nobody knows */
    assert_int_equal(put(s, "key", "value"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(each_file(p->dir, ".hot", NULL), 1);
    store_close(s);
    assert_int_equal(unlink(p->hot), 0);
}

static void assert_fault(const struct store_fault *f, int err, const char *dir, const char *text)
{
    char want[STORE_FAULT_MAX], why[STORE_FAULT_MAX];
    assert_int_equal(err, MD_IO);
    (void)snprintf(want, sizeof want, "%s/state.*: %s", dir, text);
    assert_string_equal(store_fault(f, err, why), want);
}

static void a_failure_names_the_place_and_the_cause(void **state)
{
    const struct place *p = *state;
    char why[STORE_FAULT_MAX];
    struct store *s = open_store(p);
    empty(p);
    assert_int_equal(rmdir(p->hot) + rmdir(p->dir), 0);
    make_file(p->hot);
    assert_string_equal(store_fault(&s->medium, MD_NOMEM, why), "out of memory");
    assert_int_equal(put(s, "a", "1"), MD_OK);
    assert_fault(&s->journal, store_write(s), p->hot, "Not a directory");
    assert_true(s->journal_fails);
    assert_fault(&s->medium, store_sync(s), p->dir,
                 "No such file or directory; make its folder first, or look at the name");
    kill_store(s);
    assert_int_equal(unlink(p->hot), 0);
}

/* Nothing is new, but the journal has what is gone again: it would come back. */
static void what_is_only_gone_from_memory_is_flushed(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_int_equal(store_put(s, STORE_RETAIN, span_str("a"), span_str("1"), STORE_FRESH), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(store_del(s, STORE_RETAIN, span_str("a"), STORE_NOW), MD_OK);
    no_file_may_grow(true);
    assert_int_equal(store_write(s), MD_IO);
    no_file_may_grow(false);
    assert_true(s->journal_fails);
    assert_true(store_dirty(s));
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_false(store_dirty(s));
    kill_store(s);
    s = open_store(p);
    assert_int_equal(find(s, "a").n, 0);
    store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        T(what_is_flushed_is_there_after_reopening),
        T(a_failure_names_the_place_and_the_cause),
        T(what_is_only_gone_from_memory_is_flushed),
        T(what_is_written_survives_kill),
        T(a_later_value_that_may_wait_follows_into_the_journal),
        T(the_medium_sees_each_key_once),
        T(much_telemetry_does_not_wait),
        T(telemetry_waits_for_company),
        T(what_is_precious_does_not_wait),
        T(a_large_turn_leaves_no_memory_behind),
        T(files_are_private),
        T(no_folder_for_journals_is_no_reason_to_stop),
        T(a_change_during_a_flush_stays_dirty),
        T(a_failed_flush_loses_nothing),
        T(a_full_disk_at_the_start_is_no_reason_to_stop),
        T(journals_are_folded_into_a_base),
        T(sync_always_writes_no_journal),
        T(journals_in_the_state_directory_are_not_forgotten),
        T(a_journal_that_was_flushed_does_not_come_back),
        T(the_numbers_of_journals_go_on),
        T(the_folder_of_the_journals_is_made_again),
        T(a_journal_with_a_gap_takes_nothing_back),
        T(a_short_life_whose_end_was_refused_does_not_come_back),
        T(a_flush_refused_without_memory_loses_nothing),
        T(any_damaged_byte_costs_at_most_one_entry),
        T(any_cut_of_the_journal_keeps_whole_turns),
        T(records_have_limits),
        T(out_of_memory_is_survived),
        T(a_store_in_memory_forgets),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

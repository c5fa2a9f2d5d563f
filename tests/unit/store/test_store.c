/* The store: what is written survives the process, what is flushed the power; damage costs only
 * what is damaged. */
#include "broker/base/buf.h"
#include "broker/store/journal.h"
#include "tests/unit/store/place.h"

#include <fcntl.h>
#include <sys/stat.h>

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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        T(what_is_flushed_is_there_after_reopening),
        T(the_medium_sees_each_key_once),
        T(much_telemetry_does_not_wait),
        T(telemetry_waits_for_company),
        T(what_is_precious_does_not_wait),
        T(a_large_turn_leaves_no_memory_behind),
        T(files_are_private),
        T(a_change_during_a_flush_stays_dirty),
        T(journals_are_folded_into_a_base),
        T(any_damaged_byte_costs_at_most_one_entry),
        T(any_cut_of_the_journal_keeps_whole_turns),
        T(records_have_limits),
        T(out_of_memory_is_survived),
        T(a_store_in_memory_forgets),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

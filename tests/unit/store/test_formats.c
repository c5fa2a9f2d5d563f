/* Files of the format before are read and become today's; those of a later one are refused, and
 * nothing in the directories is touched; a journal in memory is not applied to an older copy. */
#include "broker/store/copy.h"
#include "broker/store/journal.h"
#include "tests/unit/store/place.h"

#include <sys/stat.h>

/* A file as merossd wrote it in format 1: a device that comes and goes, and a retained message. */
static const uint8_t format_1[] = {
    0x4d, 0x44, 0x53, 0x54, 0x41, 0x54, 0x45, 0x31, 0xd5, 0x42, 0x00, 0x00, 0x00, 0x25, 0x8a, 0xd0,
    0xd3, 0xd3, 0x36, 0x0b, 0xde, 0xd5, 0xd5, 0x4d, 0x00, 0x00, 0x00, 0x0b, 0x5f, 0x84, 0xd9, 0x95,
    0x02, 0x00, 0x03, 0x6b, 0x65, 0x79, 0x76, 0x61, 0x6c, 0x75, 0x65, 0xd5, 0x4d, 0x00, 0x00, 0x00,
    0x06, 0x0f, 0xc1, 0x6c, 0xef, 0x82, 0x00, 0x03, 0x6b, 0x65, 0x79, 0xd5, 0x42, 0x00, 0x00, 0x00,
    0x12, 0x6e, 0xf9, 0xfe, 0x89, 0x43, 0xce, 0x7c, 0xcf, 0xd5, 0x4d, 0x00, 0x00, 0x00, 0x08, 0x4b,
    0x88, 0x1a, 0xaf, 0x03, 0x00, 0x03, 0x61, 0x2f, 0x62, 0x01, 0x78};

static void clear(const char *dir)
{
    (void)mkdir(dir, 0700); /* a store that was closed leaves no empty one for hot journals */
    (void)each_file(dir, "", remove_file);
}

static void write_file(const char *dir, const char *name, struct span bytes)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
}

static size_t read_file(const char *dir, const char *name, uint8_t out[4096])
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, 4096, f);
    fclose(f);
    return n;
}

/* A file with one device; the format is that of its head. */
static size_t make_file(uint8_t *out, uint8_t format, const char *key, const char *value)
{
    struct buf b;
    uint8_t head[JOURNAL_HEAD];
    size_t at;
    buf_init(&b, 256);
    journal_head(head);
    head[JOURNAL_HEAD - 1] = format;
    assert_int_equal(buf_put(&b, span_of(head, sizeof head)), MD_OK);
    assert_int_equal(journal_begin(&b, &at), MD_OK);
    assert_int_equal(journal_add(&b, STORE_DEVICE, span_str(key), span_str(value), false), MD_OK);
    journal_end(&b, at);
    size_t n = b.n;
    memcpy(out, b.p, n);
    buf_free(&b);
    return n;
}

/* hot  where journals go; NULL: beside the state */
static int open_at(const struct place *p, const char *hot, struct store **out, char note[256])
{
    struct store_file_config cfg = {
        .dir = p->dir, .journal_dir = hot, .sync = STORE_SYNC_PERIOD, .period_s = 2};
    *out = NULL;
    return store_file_open(out, &cfg, note);
}

static int open_it(const struct place *p, struct store **out, char note[256])
{
    return open_at(p, p->hot, out, note);
}

static void assert_value(struct store *s, const char *key, const char *value)
{
    assert_string_equal(find(s, key).value, value);
}

static void a_file_of_format_1_is_read(void **state)
{
    const struct place *p = *state;
    struct store *s;
    char note[256];
    uint8_t file[4096];
    write_file(p->dir, "state.00000001.base", span_of(file, make_file(file, '1', "a", "base")));
    write_file(p->dir, "state.00000002.journal", span_of(file, make_file(file, '1', "b", "j")));
    write_file(p->hot, "state.00000003.hot", span_of(file, make_file(file, '1', "c", "hot")));
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_string_equal(note, "");
    assert_value(s, "a", "base");
    assert_value(s, "b", "j");
    assert_value(s, "c", "hot");
    store_close(s);
    assert_int_equal(each_file(p->dir, "state.", NULL), 1); /* one base, of today's format */
    assert_int_equal(each_file(p->hot, "state.", NULL), 0);
    assert_int_equal(read_file(p->dir, "state.00000004.base", file), 8 + 36 + 3 * 28 + 8);
    assert_int_equal(file[JOURNAL_HEAD - 1], JOURNAL_FORMAT);
    write_file(p->dir, "state.00000009.base", span_of(format_1, sizeof format_1));
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_string_equal(note, "");
    struct find f = {.key = "a/b"};
    assert_int_equal(store_each(s, STORE_RETAIN, find_one, &f), MD_OK);
    assert_int_equal(f.n, 1);
    store_close(s);
}

/* Of before the files said which journals they hold: perhaps flushed long ago. */
static void an_older_journal_beside_the_state_is_read_where_journals_are(void **state)
{
    const struct place *p = *state;
    const char *const hot[] = {NULL, p->hot};
    for (size_t i = 0; i < 2; i++) {
        struct store *s;
        char note[256];
        uint8_t file[4096];
        struct store_file_config cfg = {
            .dir = p->dir, .journal_dir = hot[i], .sync = STORE_SYNC_PERIOD, .period_s = 2};
        clear(p->dir);
        clear(p->hot);
        write_file(p->dir, "state.00000001.base", span_of(file, make_file(file, '2', "a", "b")));
        write_file(p->dir, "state.00000003.hot", span_of(file, make_file(file, '2', "a", "hot")));
        assert_int_equal(store_file_open(&s, &cfg, note), MD_OK);
        assert_string_equal(note, "");
        assert_value(s, "a", i == 0 ? "hot" : "b");
        assert_int_equal(each_file(p->dir, ".hot", NULL), 0);
        store_close(s);
    }
}

static void refused(const struct place *p, const char *dir, const char *name, uint8_t format)
{
    struct store *s;
    char note[256];
    uint8_t newer[256], old[256], now[4096];
    size_t n_newer = make_file(newer, format, "b", "2"), n_old = make_file(old, '1', "a", "1");
    clear(p->dir);
    clear(p->hot);
    write_file(p->dir, "state.00000001.base", span_of(old, n_old));
    write_file(p->dir, "state.00000007.base.new", span_of(old, 3)); /* even this stays */
    write_file(dir, name, span_of(newer, n_newer));
    assert_int_equal(open_it(p, &s, note), MD_INVAL);
    assert_null(s);
    assert_non_null(strstr(note, name));
    assert_non_null(strstr(note, "newer merossd"));
    assert_non_null(strstr(note, "nothing was changed"));
    assert_int_equal(each_file(p->dir, "", NULL) + each_file(p->hot, "", NULL), 3);
    assert_int_equal(read_file(p->dir, "state.00000001.base", now), n_old);
    assert_memory_equal(now, old, n_old);
    assert_int_equal(read_file(dir, name, now), n_newer);
    assert_memory_equal(now, newer, n_newer);
}

static void newer_files_of_each_kind_are_refused(void **state)
{
    const struct place *p = *state;
    refused(p, p->dir, "state.00000002.base", JOURNAL_FORMAT + 1);
    refused(p, p->dir, "state.00000002.journal", JOURNAL_FORMAT + 1);
    refused(p, p->hot, "state.00000002.hot", JOURNAL_FORMAT + 1);
    refused(p, p->dir, "state.00000002.hot", JOURNAL_FORMAT + 1);
    refused(p, p->dir, "state.00000002.journal", '9');
    refused(p, p->dir, "state.00000002.journal", 'A');
    refused(p, p->dir, "state.00000002.journal", 'Z');
}

/* No format at all: damage, which costs nothing here. */
static void a_format_that_cannot_be_is_damage(void **state)
{
    const struct place *p = *state;
    static const uint8_t formats[] = {0, '0', '9' + 1, 'Z' + 1, 'h', 0xff};
    for (size_t i = 0; i < sizeof formats; i++) {
        struct store *s;
        char note[256];
        uint8_t file[256];
        size_t n = make_file(file, formats[i], "a", "1");
        clear(p->dir);
        clear(p->hot);
        write_file(p->dir, "state.00000002.journal", span_of(file, n));
        assert_int_equal(open_it(p, &s, note), MD_OK);
        assert_non_null(strstr(note, "damaged"));
        assert_value(s, "a", "1");
        store_close(s);
    }
}

/* Files of before are put back, and the store opened on them: a journal of later is left out. */
static struct store *open_on_a_copy(const struct place *p, const char *hot, struct span copy)
{
    struct store *s;
    char note[256];
    write_file(p->dir, "state.00000003.journal", copy);
    assert_int_equal(open_at(p, hot, &s, note), MD_OK);
    assert_non_null(strstr(note, "later state"));
    assert_value(s, "a", "old");
    assert_value(s, "b", "");
    return s;
}

static void a_journal_of_a_later_state_is_set_aside(void **state)
{
    const struct place *p = *state;
    struct store *s;
    char note[256];
    uint8_t copy[4096];
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_int_equal(put(s, "a", "old"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    size_t n = read_file(p->dir, "state.00000003.journal", copy);
    assert_int_equal(put(s, "a", "newer"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(put(s, "b", "newest"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    kill_store(s);
    /* Untouched, it is applied. */
    struct buf all;
    struct store_copied what;
    const char *hot[] = {p->hot, NULL};
    buf_init(&all, 4096);
    assert_int_equal(store_copy(p->dir, hot, &all, &what, note), MD_OK);
    assert_int_equal(what.entries[STORE_DEVICE], 2);
    /* The files of before are put back. */
    write_file(p->dir, "state.00000003.journal", span_of(copy, n));
    all.n = 0;
    assert_int_equal(store_copy(p->dir, hot, &all, &what, note), MD_OK);
    assert_int_equal(what.entries[STORE_DEVICE], 1);
    buf_free(&all);
    s = open_on_a_copy(p, p->hot, span_of(copy, n));
    assert_int_equal(put(s, "c", "goes on"), MD_OK);
    store_close(s);
    assert_int_equal(each_file(p->hot, ".stale-", NULL), 1);
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_string_equal(note, "");
    assert_value(s, "a", "old");
    assert_value(s, "c", "goes on");
    store_close(s);
}

/* The same when that journal was begun while the flush ran that made the later state: what it knows
 * of the files is the state of the copy, but the journals before it are gone. */
static void a_journal_begun_during_a_flush_is_set_aside_too(void **state)
{
    const struct place *p = *state;
    struct store *s;
    struct store_flush *f;
    char note[256];
    uint8_t copy[4096];
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_int_equal(put(s, "a", "old"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    size_t n = read_file(p->dir, "state.00000003.journal", copy);
    assert_int_equal(put(s, "a", "newer"), MD_OK);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(put(s, "b", "newest"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    assert_int_equal(store_flush_run(s, f), MD_OK);
    store_flush_end(s, f, MD_OK);
    kill_store(s);
    store_close(open_on_a_copy(p, p->hot, span_of(copy, n)));
    assert_int_equal(each_file(p->hot, ".stale-", NULL), 1);
}

/* Beside the state: the first of its run, it follows no other journal. */
static void a_journal_beside_a_copy_is_set_aside(void **state)
{
    const struct place *p = *state;
    struct store *s;
    char note[256];
    uint8_t copy[4096];
    size_t n = 0;
    assert_int_equal(open_at(p, NULL, &s, note), MD_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(put(s, "a", i == 0 ? "old" : "newer"), MD_OK);
        assert_int_equal(store_sync(s), MD_OK);
        if (i == 0)
            n = read_file(p->dir, "state.00000003.journal", copy);
    }
    store_close(s);
    assert_int_equal(open_at(p, NULL, &s, note), MD_OK);
    assert_int_equal(put(s, "b", "newest"), MD_OK);
    assert_int_equal(store_write(s), MD_OK);
    kill_store(s);
    store_close(open_on_a_copy(p, NULL, span_of(copy, n)));
    assert_int_equal(each_file(p->dir, ".stale-", NULL), 1);
}

static void a_copy_is_put_into_an_empty_directory(void **state)
{
    const struct place *p = *state;
    struct store *s;
    char note[256];
    struct buf all;
    struct store_copied what;
    const char *none[] = {NULL}, *hot[] = {"/nowhere/at/all", p->hot, NULL};
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_int_equal(put(s, "a", "1"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(put(s, "b", "2"), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a"), STORE_NOW), MD_OK);
    assert_int_equal(store_write(s), MD_OK); /* in memory only, and the store is in use */
    buf_init(&all, 4096);
    assert_int_equal(store_copy(p->dir, none, &all, &what, note), MD_OK);
    assert_int_equal(what.entries[STORE_DEVICE], 1);
    all.n = 0;
    assert_int_equal(store_copy(p->dir, hot, &all, &what, note), MD_OK);
    assert_int_equal(what.entries[STORE_DEVICE], 1);
    assert_int_equal(store_copy_check(buf_view(&all), &what), MD_OK);
    assert_int_equal(store_copy_check(span_of(all.p, all.n - 1), &what), MD_CORRUPT);
    assert_int_equal(store_copy_check(span_of(all.p, 0), &what), MD_CORRUPT);
    store_close(s);
    clear(p->dir);
    assert_int_equal(store_copy_put(p->dir, buf_view(&all)), MD_OK);
    assert_int_equal(open_it(p, &s, note), MD_OK);
    assert_value(s, "a", "");
    assert_value(s, "b", "2");
    store_close(s);
    all.p[JOURNAL_HEAD - 1] = JOURNAL_FORMAT + 1;
    assert_int_equal(store_copy_check(buf_view(&all), &what), MD_INVAL);
    buf_free(&all);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        T(a_file_of_format_1_is_read),
        T(an_older_journal_beside_the_state_is_read_where_journals_are),
        T(newer_files_of_each_kind_are_refused),
        T(a_format_that_cannot_be_is_damage),
        T(a_journal_of_a_later_state_is_set_aside),
        T(a_journal_begun_during_a_flush_is_set_aside_too),
        T(a_journal_beside_a_copy_is_set_aside),
        T(a_copy_is_put_into_an_empty_directory),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The store: what is put is there after reopening; damage costs only what is damaged. */
#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "broker/store/record.h"
#include "broker/store/store.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64], file[80];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -1;
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/merossd-store-XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    (void)snprintf(p->file, sizeof p->file, "%s/registry", p->dir);
    *state = p;
    return 0;
}

static unsigned each_file(const char *dir, bool remove_them, const char *prefix)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[400];
        if (e->d_name[0] == '.')
            continue;
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (remove_them)
            (void)unlink(path);
    }
    closedir(d);
    return n;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    (void)chmod(p->dir, 0700);
    (void)each_file(p->dir, true, "");
    (void)rmdir(p->dir);
    free(p);
    return mem_used() == 0 ? 0 : -1;
}

static struct store *open_store(const struct place *p)
{
    struct store *s = NULL;
    char note[256];
    assert_int_equal(store_file_open(&s, p->dir, note), MD_OK);
    assert_string_equal(note, "");
    return s;
}

static int put(struct store *s, const char *key, const char *value)
{
    return store_put(s, STORE_DEVICE, span_str(key), span_str(value));
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

static void what_is_put_is_there_after_reopening(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    assert_false(store_dirty(s));
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_int_equal(put(s, "b", "two"), MD_OK);
    assert_int_equal(put(s, "a", "three"), MD_OK);
    assert_int_equal(store_put(s, STORE_META, span_str("a"), span_str("other")), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("b")), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("b")), MD_NOENT);
    assert_true(store_dirty(s));
    store_close(s);
    s = open_store(p);
    struct find f = find(s, "a");
    assert_string_equal(f.value, "three");
    assert_int_equal(f.n, 1);
    store_close(s);
}

static void the_file_is_private(void **state)
{
    const struct place *p = *state;
    struct stat st;
    struct store *s = open_store(p);
    assert_int_equal(put(s, "a", "one"), MD_OK);
    store_close(s);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);         /* F157 */
    assert_int_equal(each_file(p->dir, false, ""), 1); /* nothing temporary stays */
}

/* What changes while a flush is under way is not lost. */
static void a_change_during_a_flush_stays_dirty(void **state)
{
    const struct place *p = *state;
    struct store *s = open_store(p);
    struct store_flush *f, *g;
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_int_equal(store_flush_begin(s, &f), MD_OK);
    assert_int_equal(store_flush_begin(s, &g), MD_AGAIN);
    assert_int_equal(put(s, "a", "two"), MD_OK);
    assert_int_equal(store_flush_run(s, f), MD_OK);
    store_flush_end(s, f, MD_OK);
    assert_true(store_dirty(s));
    assert_int_equal(store_sync(s), MD_OK);
    assert_false(store_dirty(s));
    store_close(s);
    s = open_store(p);
    assert_string_equal(find(s, "a").value, "two");
    store_close(s);
}

/* F156 */
static void a_failed_write_keeps_the_old_file_and_stays_dirty(void **state)
{
    const struct place *p = *state;
    char blocker[100];
    struct store *s = open_store(p);
    assert_int_equal(put(s, "a", "one"), MD_OK);
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(put(s, "a", "two"), MD_OK);
    (void)snprintf(blocker, sizeof blocker, "%s/registry.new", p->dir);
    assert_int_equal(mkdir(blocker, 0700), 0); /* root may write anywhere, but not here */
    assert_int_equal(store_sync(s), MD_IO);
    assert_true(store_dirty(s));
    struct store *again = open_store(p);
    assert_string_equal(find(again, "a").value, "one");
    store_close(again);
    assert_int_equal(rmdir(blocker), 0);
    assert_int_equal(store_sync(s), MD_OK);
    store_close(s);
}

static size_t file_size(const struct place *p)
{
    struct stat st;
    assert_int_equal(stat(p->file, &st), 0);
    return (size_t)st.st_size;
}

static void flip(const struct place *p, size_t at)
{
    int fd = open(p->file, O_RDWR);
    uint8_t c;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
    c ^= 0x5a;
    assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
    (void)close(fd);
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

/* F150: every byte damaged in turn costs at most one record, and the program starts. */
static void any_damaged_byte_costs_at_most_one_entry(void **state)
{
    const struct place *p = *state;
    fill(p);
    size_t size = file_size(p);
    for (size_t at = 0; at < size; at++) {
        struct store *s = NULL;
        char note[256];
        fill(p);
        flip(p, at);
        int err = store_file_open(&s, p->dir, note);
        if (at == 7) { /* the format digit: it looks newer, and is left alone */
            assert_int_equal(err, MD_INVAL);
            assert_non_null(strstr(note, "newer merossd"));
            (void)each_file(p->dir, true, "");
            continue;
        }
        assert_int_equal(err, MD_OK);
        assert_non_null(strstr(note, "damaged"));
        assert_true(find(s, "").n >= 4);
        store_close(s);
        s = open_store(p); /* the new file is sound */
        store_close(s);
        assert_int_equal(each_file(p->dir, true, "registry.damaged-"), 1);
    }
}

/* F148: a torn tail. */
static void any_cut_keeps_what_is_whole(void **state)
{
    const struct place *p = *state;
    fill(p);
    size_t size = file_size(p);
    for (size_t keep = 0; keep < size; keep++) {
        struct store *s = NULL;
        char note[256];
        fill(p);
        assert_int_equal(truncate(p->file, (off_t)keep), 0);
        assert_int_equal(store_file_open(&s, p->dir, note), MD_OK);
        size_t record = (size - 8) / 5;
        assert_int_equal(find(s, "").n, keep < 8 ? 0 : (keep - 8) / record);
        store_close(s);
        (void)each_file(p->dir, true, "");
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
    r.value = span_of(key, STORE_VALUE_MAX + 1); /* only its length is looked at */
    assert_int_equal(record_put(&b, &r), MD_TOOBIG);
    buf_free(&b);
    assert_int_equal(record_crc(span_str("123456789")), 0xe3069283); /* the CRC-32C check value */
}

static void out_of_memory_is_survived(void **state)
{
    const struct place *p = *state;
    fill(p);
    int err = MD_NOMEM;
    for (long n = 1; err != MD_OK; n++) {
        struct store *s = NULL;
        char note[256];
        assert_true(n < 1000);
        mem_fail_after(n);
        err = store_file_open(&s, p->dir, note);
        if (err == MD_OK)
            err = put(s, "new", "value");
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
    assert_int_equal(store_sync(s), MD_OK);
    assert_int_equal(store_del(s, STORE_DEVICE, span_str("a")), MD_OK);
    store_close(s);
    store_close(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        T(what_is_put_is_there_after_reopening),
        T(the_file_is_private),
        T(a_change_during_a_flush_stays_dirty),
        T(a_failed_write_keeps_the_old_file_and_stays_dirty),
        T(any_damaged_byte_costs_at_most_one_entry),
        T(any_cut_keeps_what_is_whole),
        T(records_have_limits),
        T(out_of_memory_is_survived),
        T(a_store_in_memory_forgets),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

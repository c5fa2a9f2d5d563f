/* Hot journals: what is written survives kill -9, wherever they lie, and nothing that was flushed
 * is read twice. */
#include "tests/unit/store/place.h"

#include <sys/stat.h>

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

static char kept_path[400];
static uint8_t kept[4096];
static size_t kept_n;

static void keep_file(const char *path)
{
    (void)snprintf(kept_path, sizeof kept_path, "%s", path);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    kept_n = fread(kept, 1, sizeof kept, f);
    (void)fclose(f);
}

static void put_file_back(const char *dir)
{
    (void)mkdir(dir, 0700); /* a store that was closed leaves no empty one */
    FILE *f = fopen(kept_path, "wb");
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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        T(what_is_written_survives_kill),
        T(a_later_value_that_may_wait_follows_into_the_journal),
        T(journals_in_the_state_directory_are_not_forgotten),
        T(a_journal_that_was_flushed_does_not_come_back),
        T(the_numbers_of_journals_go_on),
        T(sync_always_writes_no_journal),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A disk that refuses, and no folder for journals: nothing is lost, nothing comes back, the cause
 * is told. */
#include "tests/unit/store/place.h"

#include <fcntl.h>
#include <sys/stat.h>

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
        T(a_full_disk_at_the_start_is_no_reason_to_stop),
        T(a_failed_flush_loses_nothing),
        T(the_folder_of_the_journals_is_made_again),
        T(a_journal_with_a_gap_takes_nothing_back),
        T(a_short_life_whose_end_was_refused_does_not_come_back),
        T(a_flush_refused_without_memory_loses_nothing),
        T(no_folder_for_journals_is_no_reason_to_stop),
        T(a_failure_names_the_place_and_the_cause),
        T(what_is_only_gone_from_memory_is_flushed),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

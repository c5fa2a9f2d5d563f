/* copy.c - reading the files of a store that may be in use.
 *
 * A change goes to the hot journal, then to a journal in `dir`, and then the hot one goes.  So the
 * hot journals are read after `dir`, and if `dir` did not change until then, both together are one
 * moment of the store.  Without hot journals (persistence_sync always) `dir` may grow meanwhile:
 * batches are only ever appended. */
#include "broker/store/copy.h"

#include "broker/store/compact.h"
#include "broker/store/hot.h"

#include <errno.h>
#include <stdio.h>

struct look { /* at the files of a directory */
    struct segments files;
    size_t size[SEGMENT_MAX];
};

static int look_at(struct look *l, const char *dir)
{
    char path[SEGMENT_PATH];
    l->files.n = 0;
    int err = segment_list(dir, &l->files);
    for (unsigned i = 0; i < l->files.n && err == MD_OK; i++) {
        segment_path(path, dir, l->files.v[i]);
        l->size[i] = segment_size(path);
    }
    return err;
}

static bool same_file(const struct segment *a, const struct segment *b)
{
    return a->kind == b->kind && a->number == b->number;
}

static bool unchanged(const struct look *a, const struct look *b, bool may_grow)
{
    unsigned j = 0;
    for (unsigned i = 0; i < a->files.n; i++, j++) {
        /* Hot journals may lie here, too; they grow all the time and do no harm. */
        while (j < b->files.n && b->files.v[j].kind == SEGMENT_HOT &&
               !same_file(&a->files.v[i], &b->files.v[j]))
            j++;
        if (j == b->files.n || !same_file(&a->files.v[i], &b->files.v[j]))
            return false;
        if (a->files.v[i].kind != SEGMENT_HOT && a->size[i] != b->size[j] && !may_grow)
            return false;
    }
    for (; j < b->files.n; j++)
        if (b->files.v[j].kind != SEGMENT_HOT)
            return false;
    return true;
}

struct reading {
    struct table table;
    struct hot hot;
    size_t damaged;
    bool any_hot;
    char *note;
};

/* How reading a file went: of a file that is gone the next try may know more. */
static int judge(struct reading *r, const char *path, int err, const struct journal_report *report)
{
    if (err == MD_IO && errno == ENOENT)
        return MD_AGAIN;
    if (err != MD_OK)
        (void)snprintf(r->note, 256, "%.150s cannot be read: %s", path,
                       err == MD_IO ? strerror(errno) : md_err_text(err));
    r->damaged += report->damaged;
    if (err != MD_OK || !report->newer)
        return err;
    (void)snprintf(r->note, 256, "%.150s was written by a newer merossd; use that one", path);
    return MD_INVAL;
}

static int read_one(struct reading *r, const char *dir, struct segment g)
{
    char path[SEGMENT_PATH];
    struct journal_report report = {.newer = false};
    segment_path(path, dir, g);
    int err = compact_read(&r->table, path, &report);
    if (report.holds > r->hot.holds)
        r->hot.holds = report.holds;
    return judge(r, path, err, &report);
}

static int read_dir(struct reading *r, const char *dir, const struct segments *all)
{
    struct segments now;
    int err = MD_OK;
    compact_current(all, &now);
    r->hot.end = compact_end(dir, &now);
    for (unsigned i = 0; i < now.n && err == MD_OK; i++)
        err = read_one(r, dir, now.v[i]);
    return err;
}

/* As the start of a broker would. */
static int read_hot(struct reading *r, const char *dir, const char *const *hot_dirs)
{
    struct hot_list all = {.n = 0};
    int err = hot_list(dir, true, &all);
    for (; err == MD_OK && *hot_dirs != NULL; hot_dirs++)
        err = hot_list(*hot_dirs, false, &all);
    r->any_hot = all.n > 0;
    for (unsigned i = 0; i < all.n && err == MD_OK; i++) {
        char path[SEGMENT_PATH];
        struct journal_report report;
        enum hot_fate fate;
        segment_path(path, all.v[i].dir, (struct segment){SEGMENT_HOT, all.v[i].number});
        err = hot_read(&r->hot, &all.v[i], &r->table, &fate, &report);
        err = judge(r, path, err, &report);
    }
    return err;
}

static int read_all(struct reading *r, const char *dir, const char *const *hot_dirs)
{
    struct look before, after;
    int err = look_at(&before, dir);
    if (err != MD_OK) {
        (void)snprintf(r->note, 256, "%.150s cannot be read: %s", dir, strerror(errno));
        return err;
    }
    err = read_dir(r, dir, &before.files);
    if (err == MD_OK)
        err = read_hot(r, dir, hot_dirs);
    if (err != MD_OK)
        return err;
    bool still = look_at(&after, dir) == MD_OK && unchanged(&before, &after, !r->any_hot);
    return still ? MD_OK : MD_AGAIN;
}

static int count(void *ctx, const struct journal_record *r)
{
    struct store_copied *what = ctx;
    if (r->ns <= STORE_LAST && !r->deleted)
        what->entries[r->ns]++;
    return MD_OK;
}

int store_copy_check(struct span copy, struct store_copied *what)
{
    struct journal_report report;
    *what = (struct store_copied){.damaged = 0};
    const struct journal_reader rd = {.cb = count, .ctx = what};
    int err = journal_read(copy, &rd, &report);
    if (err != MD_OK)
        return err;
    if (report.newer)
        return MD_INVAL;
    return copy.n >= JOURNAL_HEAD && report.damaged == 0 && report.torn == 0 ? MD_OK : MD_CORRUPT;
}

int store_copy(const char *dir, const char *const *hot_dirs, struct buf *out,
               struct store_copied *what, char note[256])
{
    struct reading r = {.note = note};
    size_t at = out->n;
    int err = table_init(&r.table);
    if (err == MD_OK)
        err = read_all(&r, dir, hot_dirs);
    if (err == MD_OK)
        err = compact_bytes(&r.table, 0, out); /* it stands alone */
    if (err == MD_OK)
        err = store_copy_check(span_skip(buf_view(out), at), what);
    what->damaged = r.damaged;
    table_clear(&r.table);
    return err;
}

int store_copy_put(const char *dir, struct span copy)
{
    char path[SEGMENT_PATH];
    segment_path(path, dir, (struct segment){SEGMENT_BASE, 1});
    return segment_replace(dir, path, copy);
}

#include "broker/store/load.h"

#include "broker/store/compact.h"
#include "broker/store/hot.h"

#include <errno.h>
#include <stdio.h>

struct opening {
    struct load *l;
    struct hot hot;
    size_t damaged, torn, records;
    const char *stale; /* the folder of one; NULL: there is none */
    bool older;
    char *note;
};

static int cannot_read(const struct opening *o, const char *path, int err)
{
    (void)snprintf(o->note, 256, "%.120s cannot be read: %s%s", path,
                   err == MD_IO ? strerror(errno) : md_err_text(err),
                   err == MD_IO ? "; give all files there to the user merossd runs as "
                                  "(chown -R)"
                                : "");
    return err;
}

static void see_number(const struct opening *o, uint32_t number)
{
    if (number > o->l->number)
        o->l->number = number;
}

/* What was read of a file counts. */
static int take_report(struct opening *o, const char *path, const struct journal_report *report)
{
    o->damaged += report->damaged;
    o->torn += report->torn;
    o->records += report->records;
    o->older |= report->older;
    if (report->damaged == 0 || segment_set_aside(path) == MD_OK)
        return MD_OK;
    (void)snprintf(o->note, 256, "%.150s is damaged and cannot be renamed: is state_dir writable?",
                   path);
    return MD_IO;
}

static int load_one(struct opening *o, struct segment g)
{
    char path[SEGMENT_PATH];
    struct journal_report report = {0};
    segment_path(path, o->l->dir, g);
    int err = compact_read(o->l->table, path, &report);
    if (err != MD_OK)
        return cannot_read(o, path, err);
    see_number(o, g.number);
    see_number(o, report.holds); /* or a new one would be taken for one of them */
    if (report.holds > o->hot.holds)
        o->hot.holds = report.holds;
    return take_report(o, path, &report);
}

/* Somebody put a copy of the files back; the journal belongs to what was there before. */
static int set_aside_stale(struct opening *o, const char *dir, const char *path)
{
    o->stale = dir;
    if (segment_retire(path) == MD_OK)
        return MD_OK;
    (void)snprintf(o->note, 256,
                   "%.150s is of a later state than the state directory, and cannot "
                   "be renamed: check who owns it",
                   path);
    return MD_IO;
}

static int load_one_hot(struct opening *o, const struct hot_file *f, bool *found)
{
    char path[SEGMENT_PATH];
    struct journal_report report;
    enum hot_fate fate;
    segment_path(path, f->dir, (struct segment){SEGMENT_HOT, f->number});
    int err = hot_read(&o->hot, f, o->l->table, &fate, &report);
    if (err != MD_OK)
        return cannot_read(o, path, err);
    if (fate == HOT_STALE)
        return set_aside_stale(o, f->dir, path);
    see_number(o, f->number);
    if (fate == HOT_HELD) {
        segment_remove(path);
        return MD_OK;
    }
    *found = true;
    return fate == HOT_READ ? take_report(o, path, &report) : MD_OK;
}

/* Before anything is touched. */
static int refuse_newer(const struct opening *o, const char *dir)
{
    struct segments all = {.n = 0};
    char path[SEGMENT_PATH];
    uint8_t head[JOURNAL_HEAD];
    if (segment_list(dir, &all) != MD_OK)
        return MD_OK; /* said when it is read */
    for (unsigned i = 0; i < all.n; i++) {
        segment_path(path, dir, all.v[i]);
        size_t n = segment_head(path, head, sizeof head);
        if (!journal_is_newer(span_of(head, n)))
            continue;
        (void)snprintf(o->note, 256,
                       "%.120s was written by a newer merossd (format %c; this one knows %c and "
                       "%c): start that one, or choose another `state_dir`; nothing was changed",
                       path, head[JOURNAL_HEAD - 1], JOURNAL_OLDEST, JOURNAL_FORMAT);
        return MD_INVAL;
    }
    return MD_OK;
}

static int load_dir(struct opening *o, bool *changed)
{
    struct segments all = {.n = 0}, now;
    segment_clean(o->l->dir);
    int err = segment_list(o->l->dir, &all);
    if (err != MD_OK) {
        (void)snprintf(o->note, 256, "%.150s cannot be read: check that it exists and who owns it",
                       o->l->dir);
        return MD_IO;
    }
    compact_current(&all, &now);
    for (unsigned i = 0; i < now.n && err == MD_OK; i++)
        err = load_one(o, now.v[i]);
    o->l->end = compact_end(o->l->dir, &now);
    *changed = all.n != now.n;
    return err;
}

/* Those beside the state are of a run that had no memory for them. */
static int load_hot(struct opening *o, bool *found)
{
    struct hot_list all = {.n = 0};
    o->hot.end = o->l->end;
    o->hot.moved = strcmp(o->l->dir, o->l->journal_dir) != 0;
    *found = false;
    int err = hot_list(o->l->dir, true, &all);
    if (err == MD_OK && o->hot.moved)
        err = hot_list(o->l->journal_dir, false, &all);
    if (err != MD_OK)
        return cannot_read(o, o->l->journal_dir, err);
    for (unsigned i = 0; i < all.n && err == MD_OK; i++)
        err = load_one_hot(o, &all.v[i], found);
    o->l->hot_end = o->hot.last;
    return err;
}

static void remark(const struct opening *o)
{
    if (o->torn > 0)
        (void)snprintf(o->note, 256,
                       "the last %zu bytes of the state in %.80s were cut off: the power or the "
                       "program died while they were written",
                       o->torn, o->l->dir);
    if (o->stale != NULL)
        (void)snprintf(o->note, 256,
                       "a journal in %.60s is of a later state than %.60s, where a copy was put "
                       "back: it was left out and is *.stale-* now",
                       o->stale, o->l->dir);
    if (o->damaged > 0)
        (void)snprintf(o->note, 256,
                       "state in %.80s was damaged (%zu bytes lost); the damaged files are kept as "
                       "*.damaged-*, %zu records were read",
                       o->l->dir, o->damaged, o->records);
}

static int rewrite(struct load *l)
{
    struct segments all = {.n = 0};
    uint32_t number = l->number + 1;
    int err = compact_write(l->dir, l->table, l->number, number);
    if (err == MD_OK && segment_list(l->dir, &all) == MD_OK)
        compact_remove_before(l->dir, &all, number);
    if (err == MD_OK) {
        segment_remove_hot(l->journal_dir, 0, l->number);
        segment_remove_hot(l->dir, 0, l->number);
        l->hot_end = (struct journal_place){.number = 0};
        l->end = (struct journal_place){.number = number};
    }
    l->number = number;
    return err;
}

/* Reads everything; what a crash left in pieces becomes one new base. */
int load_all(struct load *l, char note[256])
{
    struct opening o = {.l = l, .note = note};
    bool stale = false, hot = false;
    int err = refuse_newer(&o, l->dir);
    if (err == MD_OK)
        err = refuse_newer(&o, l->journal_dir);
    if (err == MD_OK)
        err = load_dir(&o, &stale);
    if (err == MD_OK)
        err = load_hot(&o, &hot);
    if (err != MD_OK)
        return err;
    if (stale || hot || o.older || o.damaged > 0 || o.torn > 0)
        err = rewrite(l);
    int why = errno;
    remark(&o);
    l->owed = err == MD_IO; /* everything was read: no reason not to serve */
    if (!l->owed)
        return err;
    (void)snprintf(note, 256, "%.100s cannot be written: %.50s%s; it is tried again", l->dir,
                   strerror(why), md_errno_step(why));
    return MD_OK;
}

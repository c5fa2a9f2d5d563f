#include "broker/store/hot.h"

#include "broker/store/compact.h"

static void insert(struct hot_list *all, struct hot_file f)
{
    unsigned i = all->n++;
    for (; i > 0 && all->v[i - 1].number > f.number; i--)
        all->v[i] = all->v[i - 1];
    all->v[i] = f;
}

int hot_list(const char *dir, bool beside, struct hot_list *out)
{
    struct segments all = {.n = 0};
    int err = segment_list(dir, &all);
    for (unsigned i = 0; i < all.n && err == MD_OK; i++) {
        if (all.v[i].kind != SEGMENT_HOT)
            continue;
        if (out->n == HOT_MAX)
            err = MD_FULL;
        else
            insert(out, (struct hot_file){dir, all.v[i].number, beside});
    }
    return err == MD_IO ? MD_OK : err;
}

static bool same_place(struct journal_place a, struct journal_place b)
{
    return a.number == b.number && a.size == b.size;
}

static enum hot_fate judge(const struct hot *h, const struct hot_file *f,
                           const struct journal_report *r)
{
    struct journal_place after = r->after;
    bool there =
        after.number <= h->holds || (after.number == h->last.number && after.size <= h->last.size);
    if (f->number <= h->holds)
        return HOT_HELD;
    if (!journal_follows(r, h->end))
        return HOT_STALE;
    if (!f->beside) /* what is not there any more had been flushed: to other files than these */
        return there ? HOT_READ : HOT_STALE;
    if (r->older)
        return !h->moved || (r->has_place && same_place(r->place, h->end)) ? HOT_READ : HOT_HELD;
    return there ? HOT_READ : HOT_CUT;
}

int hot_read(struct hot *h, const struct hot_file *f, struct table *t, enum hot_fate *fate,
             struct journal_report *report)
{
    char path[SEGMENT_PATH];
    struct buf bytes;
    buf_init(&bytes, SEGMENT_SIZE);
    segment_path(path, f->dir, (struct segment){SEGMENT_HOT, f->number});
    int err = segment_read(path, &bytes);
    *report = (struct journal_report){.records = 0};
    if (err == MD_OK) {
        journal_look(buf_view(&bytes), report);
        *fate = judge(h, f, report);
    }
    if (err == MD_OK && *fate == HOT_READ) {
        err = compact_take(t, buf_view(&bytes), f->beside, report);
        h->last = (struct journal_place){f->number, bytes.n - report->torn};
    }
    buf_free(&bytes);
    return err;
}

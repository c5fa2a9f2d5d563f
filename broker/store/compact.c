#include "broker/store/compact.h"

#include <errno.h>
#include <unistd.h>

#define GROWN_BYTES ((size_t)1 << 20) /* journals smaller than this are not worth a new base */

/* The files that count: the last base, and the journals behind it. */
void compact_current(const struct segments *all, struct segments *out)
{
    out->n = 0;
    for (unsigned i = 0; i < all->n; i++) {
        if (all->v[i].kind == SEGMENT_BASE)
            out->n = 0;
        if (all->v[i].kind != SEGMENT_HOT)
            out->v[out->n++] = all->v[i];
    }
}

static int apply(void *ctx, const struct journal_record *r)
{
    struct table *t = ctx;
    struct table_entry *e = NULL;
    if (!r->deleted)
        return table_put(t, r->ns, r->key, r->value, &e);
    e = table_find(t, r->ns, r->key);
    if (e != NULL)
        table_drop(t, e);
    return MD_OK;
}

int compact_take(struct table *t, struct span file, bool whole, struct journal_report *report)
{
    const struct journal_reader rd = {.cb = apply, .ctx = t, .whole = whole};
    return journal_read(file, &rd, report);
}

int compact_read(struct table *t, const char *path, struct journal_report *report)
{
    struct buf bytes;
    buf_init(&bytes, SEGMENT_SIZE);
    int err = segment_read(path, &bytes);
    if (err == MD_OK)
        err = compact_take(t, buf_view(&bytes), false, report);
    buf_free(&bytes);
    return err;
}

int compact_apply(struct table *t, struct span batch)
{
    const struct journal_reader rd = {.cb = apply, .ctx = t};
    return journal_read_batch(batch, &rd);
}

static int put_live(void *ctx, struct table_entry *e)
{
    struct buf *out = ctx;
    size_t at; /* a batch each, so that damage costs one */
    int err = journal_begin(out, &at);
    if (err == MD_OK)
        err = journal_add(out, table_ns(e), table_key(e), table_value(e), false);
    if (err == MD_OK)
        journal_end(out, at);
    return err;
}

static int put_holds(struct buf *out, uint32_t holds)
{
    size_t at;
    int err = journal_begin(out, &at);
    if (err == MD_OK)
        err = journal_add_holds(out, holds);
    if (err == MD_OK)
        journal_end(out, at);
    return err;
}

int compact_bytes(struct table *t, uint32_t holds, struct buf *out)
{
    uint8_t head[JOURNAL_HEAD];
    journal_head(head);
    int err = buf_put(out, span_of(head, JOURNAL_HEAD));
    if (err == MD_OK)
        err = put_holds(out, holds);
    return err == MD_OK ? table_each(t, put_live, out) : err;
}

int compact_write(const char *dir, struct table *t, uint32_t holds, uint32_t number)
{
    char path[SEGMENT_PATH];
    struct buf bytes;
    buf_init(&bytes, SEGMENT_SIZE);
    int err = compact_bytes(t, holds, &bytes);
    segment_path(path, dir, (struct segment){SEGMENT_BASE, number});
    if (err == MD_OK)
        err = segment_replace(dir, path, buf_view(&bytes));
    buf_free(&bytes);
    return err;
}

void compact_remove_before(const char *dir, const struct segments *all, uint32_t number)
{
    char path[SEGMENT_PATH];
    for (unsigned i = 0; i < all->n; i++) {
        if (all->v[i].number >= number || all->v[i].kind == SEGMENT_HOT)
            continue;
        segment_path(path, dir, all->v[i]);
        segment_remove(path);
    }
}

/* Reads what counts and writes it as a new base with the given number. */
int compact_all(const char *dir, const struct segments *all, uint32_t number)
{
    struct segments now;
    struct table t;
    struct journal_report report;
    uint32_t holds = 0;
    char path[SEGMENT_PATH];
    compact_current(all, &now);
    int err = table_init(&t);
    for (unsigned i = 0; i < now.n && err == MD_OK; i++) {
        segment_path(path, dir, now.v[i]);
        err = compact_read(&t, path, &report);
        if (err == MD_OK && report.holds > holds)
            holds = report.holds;
    }
    if (err == MD_OK)
        err = compact_write(dir, &t, holds, number);
    table_clear(&t);
    if (err == MD_OK)
        compact_remove_before(dir, all, number);
    return err;
}

static size_t size_of(const char *dir, struct segment g)
{
    char path[SEGMENT_PATH];
    segment_path(path, dir, g);
    return segment_size(path);
}

static int append(const char *path, struct span batch, bool sync)
{
    uint8_t head[JOURNAL_HEAD];
    journal_head(head);
    int fd = segment_open(path, span_of(head, JOURNAL_HEAD));
    if (fd < 0)
        return MD_IO;
    int err = segment_append(fd, batch);
    if (err == MD_OK && sync && fdatasync(fd) != 0)
        err = MD_IO;
    int why = errno;
    (void)close(fd);
    errno = why;
    return err;
}

/* The next flush would take it for one whose name was synced. */
static int give_up_new(const char *path)
{
    int why = errno;
    segment_remove(path);
    errno = why;
    return MD_IO;
}

/* The journal to append to is the last one, or a new one behind a base. */
int compact_append(const char *dir, const struct segments *now, uint32_t number, struct span batch,
                   bool sync)
{
    char path[SEGMENT_PATH];
    struct segment g = {SEGMENT_JOURNAL, number};
    bool is_new = now->n == 0 || now->v[now->n - 1].kind != SEGMENT_JOURNAL;
    if (!is_new)
        g = now->v[now->n - 1];
    segment_path(path, dir, g);
    int err = append(path, batch, sync);
    if (err == MD_OK && sync && is_new)
        err = segment_sync_names(dir);
    return err != MD_OK && is_new ? give_up_new(path) : err;
}

struct journal_place compact_end(const char *dir, const struct segments *now)
{
    struct journal_place end = {.number = 0};
    if (now->n > 0) {
        end.number = now->v[now->n - 1].number;
        end.size = size_of(dir, now->v[now->n - 1]);
    }
    return end;
}

bool compact_due(const char *dir, const struct segments *now)
{
    size_t base = 0, journals = 0;
    for (unsigned i = 0; i < now->n; i++)
        *(now->v[i].kind == SEGMENT_BASE ? &base : &journals) += size_of(dir, now->v[i]);
    return journals > GROWN_BYTES && journals > 2 * base;
}

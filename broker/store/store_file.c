/* store_file.c - the store on disk.
 *
 *     put(NOW) ----> batch of this turn --write--> hot journal (tmpfs): survives kill -9
 *        |
 *        '-> changes since the last flush (last value of each key) --flush--> journal in `dir`
 *                                                 --when it has grown--> a new base in `dir`
 *
 * A flush appends the changes as one batch and syncs; then the hot journals that went before it are
 * of no use and go.  When the journals in `dir` outgrow the base, the same worker reads them and
 * writes a new base, with memory of its own; the loop notices nothing. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/store/compact.h"
#include "broker/store/hot_writer.h"
#include "broker/store/load.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define HOLDS_ROOM 64u               /* for journal_add_holds() */
#define TURN_MAX   ((size_t)1 << 20) /* a larger batch of one turn is freed after it */
#define TURN_KEEP  ((size_t)1 << 14) /* and this one after a flush                   */

struct store_file {
    struct store store;
    struct table loaded;  /* what was there at the start, until store_loaded(), or while owed */
    struct table changes; /* since the last flush                               */
    struct buf turn;      /* the batch of this turn; begun at 0                 */
    struct buf refused;   /* a batch of before, for `changes`: there was no memory */
    size_t turn_at;
    bool turn_open, flushing;
    bool urgent;       /* not all of `changes` is STORE_SOON */
    bool rare;         /* some of it is STORE_RARE           */
    bool owed;         /* the disk refused the base at the start: the next flush writes it */
    bool gap;          /* the hot journals took not all since the flush that began last ... */
    bool gap_flushing; /* ... or before it, and it is under way */
    bool failed;       /* the last flush: its changes are here again, and in the old hot journals */
    struct hot_writer hot;
    uint32_t number;          /* the highest of all files */
    struct journal_place end; /* of the files in `dir`, when they were last flushed */
    char dir[SEGMENT_PATH - 64];
};

struct store_flush {
    const struct store_file *store;
    struct table *owed; /* the worker's while it runs; NULL: nothing is owed */
    struct buf bytes;   /* one batch */
    uint32_t hot_until, number;
    struct journal_place end; /* after it */
    bool sync, rotated, rare;
    bool empty; /* it only says that the hot journals are of no use */
    int why;    /* errno of MD_IO */
};

static struct store_file *of(struct store *s) { return (struct store_file *)(void *)s; }

/* --- changes -------------------------------------------------------------------------------- */

/* Room in the batch of this turn, so that what follows cannot fail half-way. */
static int reserve_turn(struct store_file *s, struct span key, struct span value)
{
    int err = s->turn_open ? MD_OK : journal_begin(&s->turn, &s->turn_at);
    if (err != MD_OK)
        return err;
    s->turn_open = true;
    return buf_reserve(&s->turn, RECORD_OVERHEAD + key.n + value.n);
}

static void add_to_turn(struct store_file *s, unsigned ns, struct span key, struct span value,
                        bool deleted)
{
    int err = journal_add(&s->turn, ns, key, value, deleted);
    MD_ASSERT(err == MD_OK);
}

/* What the hot journal knows must stay true there, so a key that is in it follows even when
 * nobody waits for it; otherwise an older value would come back after a crash. */
static bool to_hot(const struct table_entry *e, enum store_when when)
{
    return when != STORE_SOON || (e != NULL && e->written);
}

static int file_put(struct store *base, enum store_ns ns, struct span key, struct span value,
                    enum store_when when)
{
    struct store_file *s = of(base);
    struct table_entry *e = table_find(&s->changes, ns, key);
    bool hot = to_hot(e, when), known = e != NULL;
    int err = hot ? reserve_turn(s, key, value) : MD_OK;
    if (err == MD_OK)
        err = table_put(&s->changes, ns, key, value, &e);
    if (err != MD_OK)
        return err;
    if (hot)
        add_to_turn(s, ns, key, value, false);
    e->fresh = known ? e->fresh : when == STORE_FRESH;
    e->deleted = false;
    s->urgent |= when != STORE_SOON;
    s->rare |= when == STORE_RARE;
    e->written |= hot;
    return MD_OK;
}

static int file_del(struct store *base, enum store_ns ns, struct span key, enum store_when when)
{
    struct store_file *s = of(base);
    struct span nothing = {NULL, 0};
    struct table_entry *e = table_find(&s->changes, ns, key);
    bool hot = to_hot(e, when), fresh = e != NULL && e->fresh;
    int err = hot ? reserve_turn(s, key, nothing) : MD_OK;
    if (err == MD_OK && !fresh)
        err = table_put(&s->changes, ns, key, nothing, &e);
    if (err != MD_OK)
        return err;
    if (hot)
        add_to_turn(s, ns, key, nothing, true);
    s->urgent |= when != STORE_SOON;
    s->rare |= when == STORE_RARE;
    if (fresh) {
        table_drop(&s->changes, e); /* the medium never heard of it */
        return MD_OK;
    }
    e->deleted = true;
    e->written |= hot;
    return MD_OK;
}

static int file_each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx)
{
    return table_each_in(&of(s)->loaded, ns, cb, ctx);
}

static void file_loaded(struct store *s)
{
    if (!of(s)->owed)
        table_clear(&of(s)->loaded);
}

static enum store_dirty file_dirty(const struct store *s)
{
    const struct store_file *f = (const struct store_file *)(const void *)s;
    if (f->changes.map.n == 0 && f->refused.n == 0 && !f->owed && !f->gap)
        return STORE_CLEAN;
    if (f->rare)
        return STORE_PRECIOUS;
    bool many = f->changes.map.n > STORE_LAZY_MAX;
    return f->urgent || f->owed || f->failed || many ? STORE_URGENT : STORE_LAZY;
}

/* --- the hot journal ------------------------------------------------------------------------- */

static int missing(const struct store_file *s) { return s->gap || s->gap_flushing ? MD_IO : MD_OK; }

static int file_write(struct store *base)
{
    struct store_file *s = of(base);
    int err = MD_OK;
    if (!s->turn_open)
        return missing(s);
    journal_end(&s->turn, s->turn_at);
    if (s->turn.n > 0 && s->store.sync != STORE_SYNC_ALWAYS) {
        err = hot_writer_append(&s->hot, s->end, buf_view(&s->turn));
        base->journal_fails = err != MD_OK;
        if (err == MD_IO)
            base->journal = (struct store_fault){errno, s->hot.dir};
        s->gap |= err != MD_OK;
        s->rare |= s->gap; /* soon it is on the medium, then */
    }
    s->turn.n = 0;
    s->turn_open = false;
    if (s->turn.cap > TURN_MAX)
        buf_free(&s->turn);
    return missing(s);
}

/* --- flush ----------------------------------------------------------------------------------- */

static int put_change(void *ctx, struct table_entry *e)
{
    struct span value = e->deleted ? span_of(NULL, 0) : table_value(e);
    return journal_add(ctx, table_ns(e), table_key(e), value, e->deleted);
}

/* After a failed flush its changes wait again, except where something newer does. */
static int take_back(void *ctx, const struct journal_record *r)
{
    struct store_file *s = ctx;
    struct table_entry *e = table_find(&s->changes, r->ns, r->key);
    if (e != NULL) {
        e->fresh = false;
        return MD_OK;
    }
    int err = table_put(&s->changes, r->ns, r->key, r->value, &e);
    if (err == MD_OK) {
        e->deleted = r->deleted;
        e->written = true; /* perhaps; at worst it is written once more */
    }
    return err;
}

/* At the next flush, when there is no memory now. */
static int take_back_refused(struct store_file *s)
{
    const struct journal_reader rd = {.cb = take_back, .ctx = s};
    int err = journal_read_batch(buf_view(&s->refused), &rd);
    if (err == MD_OK)
        buf_free(&s->refused);
    return err;
}

static void refuse(struct store_file *s, struct buf *batch)
{
    s->refused = *batch;
    buf_init(batch, SEGMENT_SIZE);
    (void)take_back_refused(s);
}

static void flush_free(struct store_flush *f)
{
    buf_free(&f->bytes);
    mem_free(f);
}

/* The hot journals up to this are in it. */
static uint32_t holds(const struct store_flush *f)
{
    return f->rotated ? f->hot_until : f->hot_until - 1;
}

/* While the disk refuses the hot journals do not multiply, and what one of them did not take is not
 * missing for long.  False: as before. */
static bool gather_hot(struct store_file *s, struct span batches)
{
    if (hot_writer_gather(&s->hot, s->number + 1, s->end, batches) != MD_OK)
        return false;
    s->number++;
    s->gap = s->store.journal_fails = false;
    return true;
}

/* What follows goes to another hot journal, where that is possible; the batch that began at `at`
 * says how far it holds them. */
static void close_hot(struct store_file *s, struct store_flush *f, size_t at)
{
    bool gather = (s->failed || s->gap) && !f->empty;
    if (gather)
        journal_end(&f->bytes, at);
    /* A journal with a gap is older than the files once they have this; one more does no harm, as
     * long as flushes do not fail. */
    f->rotated = !gather || gather_hot(s, buf_view(&f->bytes)) || !s->failed;
    f->hot_until = s->hot.number;
    int err = journal_add_holds(&f->bytes, holds(f));
    MD_ASSERT(err == MD_OK);
    journal_end(&f->bytes, at);
    if (f->rotated)
        hot_writer_rotate(&s->hot, ++s->number);
    s->gap_flushing = s->gap;
    s->gap = false;
}

static int file_flush_begin(struct store *base, struct store_flush **out)
{
    struct store_file *s = of(base);
    size_t at;
    if (s->flushing)
        return MD_AGAIN;
    int err = take_back_refused(s);
    if (err != MD_OK)
        return err;
    struct table fresh;
    struct store_flush *f = mem_alloc(sizeof *f);
    if (f == NULL || table_init(&fresh) != MD_OK) {
        mem_free(f);
        return MD_NOMEM;
    }
    buf_init(&f->bytes, SEGMENT_SIZE);
    err = journal_begin(&f->bytes, &at);
    if (err == MD_OK)
        err = table_each(&s->changes, put_change, &f->bytes);
    if (err == MD_OK)
        err = buf_reserve(&f->bytes, HOLDS_ROOM);
    if (err != MD_OK) {
        table_clear(&fresh);
        flush_free(f);
        return err;
    }
    f->empty = s->changes.map.n == 0;
    table_clear(&s->changes);
    s->changes = fresh;
    f->rare = s->rare;
    s->urgent = s->rare = false;
    (void)file_write(base); /* what this turn said belongs before the turn of the journal */
    close_hot(s, f, at);
    f->number = ++s->number;
    f->store = s;
    f->owed = s->owed ? &s->loaded : NULL;
    f->sync = s->store.sync != STORE_SYNC_OFF;
    s->flushing = true;
    *out = f;
    return MD_OK;
}

/* --- the worker's part ------------------------------------------------------------------------ */

/* When it fails, the batch is in the table already; it comes again, and changes nothing then. */
static int write_owed(struct store_flush *f)
{
    const char *dir = f->store->dir;
    struct segments all = {.n = 0};
    int err = compact_apply(f->owed, buf_view(&f->bytes));
    if (err == MD_OK)
        err = compact_write(dir, f->owed, holds(f), f->number);
    if (err == MD_OK && segment_list(dir, &all) == MD_OK)
        compact_remove_before(dir, &all, f->number);
    f->end.number = f->number;
    return err;
}

static int flush_to_disk(struct store_flush *f)
{
    const char *dir = f->store->dir;
    struct segments all = {.n = 0}, now;
    if (f->owed != NULL)
        return write_owed(f);
    if (segment_list(dir, &all) != MD_OK)
        return MD_IO;
    compact_current(&all, &now);
    int err = compact_append(dir, &now, f->number, buf_view(&f->bytes), f->sync);
    if (err != MD_OK)
        return err;
    all.n = 0;
    if (segment_list(dir, &all) != MD_OK)
        return MD_OK;
    compact_current(&all, &now);
    f->end = compact_end(dir, &now);
    if (compact_due(dir, &now))
        (void)compact_all(dir, &all, f->number + 1); /* if not now, then with the next flush */
    return MD_OK;
}

static int file_flush_run(struct store_flush *f)
{
    int err = flush_to_disk(f);
    f->why = err == MD_IO ? errno : 0;
    return err;
}

static void file_flush_end(struct store *base, struct store_flush *f, int result)
{
    struct store_file *s = of(base);
    s->flushing = false;
    if (result == MD_OK)
        s->end = f->end;
    else if (result == MD_IO)
        base->medium = (struct store_fault){f->why, s->dir};
    s->number++; /* a base may have taken f->number + 1 */
    if (result != MD_OK)
        refuse(s, &f->bytes);
    else
        segment_remove_hot(s->hot.dir, 0, holds(f));
    s->gap |= s->gap_flushing && (result != MD_OK || !f->rotated);
    s->gap_flushing = false;
    s->failed = result != MD_OK;
    s->rare |= s->failed && f->rare;
    if (f->owed != NULL && result == MD_OK) {
        segment_remove_hot(s->dir, 0, holds(f)); /* of a run without memory for them */
        s->owed = false;
        s->hot.found = (struct journal_place){.number = 0};
        table_clear(&s->loaded);
    }
    flush_free(f);
    if (!s->turn_open && s->turn.cap > TURN_KEEP) /* the load is over, or has it again soon */
        buf_free(&s->turn);
}

static void file_close(struct store *base)
{
    struct store_file *s = of(base);
    hot_writer_close(&s->hot);
    if (strcmp(s->hot.dir, s->dir) != 0)
        (void)rmdir(s->hot.dir); /* when it is empty: memory is dear */
    table_clear(&s->loaded);
    table_clear(&s->changes);
    buf_free(&s->turn);
    buf_free(&s->refused);
    mem_free(s);
}

/* --- opening --------------------------------------------------------------------------------- */

static int init(struct store_file *s, const struct store_file_config *cfg, char note[256])
{
    const char *hot = cfg->journal_dir != NULL ? cfg->journal_dir : cfg->dir;
    s->hot.fd = -1;
    s->store.sync = cfg->sync;
    s->store.period_s = cfg->period_s;
    buf_init(&s->turn, SEGMENT_SIZE);
    buf_init(&s->refused, SEGMENT_SIZE);
    if (!span_to_str(span_str(cfg->dir), s->dir, sizeof s->dir) ||
        !span_to_str(span_str(hot), s->hot.dir, sizeof s->hot.dir)) {
        (void)snprintf(note, 256, "the name of the state directory is too long");
        return MD_INVAL;
    }
    if (segment_make_dir(s->hot.dir) != MD_OK) {
        if (errno != ENOENT) /* it is there; what is in it, only its owner knows */
            (void)snprintf(
                note, 256,
                "the folder for journals %.100s cannot be used: %s; what a broker of "
                "another user left there is not read. Journals go to the state directory",
                s->hot.dir, strerror(errno));
        memcpy(s->hot.dir, s->dir, sizeof s->dir); /* slower for flash, as safe */
    }
    int err = table_init(&s->loaded);
    return err == MD_OK ? table_init(&s->changes) : err;
}

int store_file_open(struct store **out, const struct store_file_config *cfg, char note[256])
{
    static const struct store_ops ops = {
        file_put,   file_del,         file_each,      file_loaded,    file_write,
        file_dirty, file_flush_begin, file_flush_run, file_flush_end, file_close};
    note[0] = '\0';
    struct store_file *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    s->store.ops = &ops;
    int err = init(s, cfg, note);
    struct load l = {s->dir, s->hot.dir, &s->loaded, .owed = false};
    if (err == MD_OK)
        err = load_all(&l, note);
    s->owed = l.owed;
    s->end = l.end;
    s->hot.end = s->hot.found = l.hot_end;
    s->hot.number = s->number = l.number + 1;
    if (err != MD_OK) {
        file_close(&s->store);
        return err;
    }
    *out = &s->store;
    return MD_OK;
}

#include "tests/power/tee.h"

#include "broker/base/check.h"
#include "broker/store/copy.h"
#include "broker/store/journal.h"
#include "tools/config/config.h"
#include "tools/serve/state.h"

#include <stdio.h>

static struct tee *of(struct store *s) { return (struct tee *)(void *)s; }
static const struct tee *of_const(const struct store *s)
{
    return (const struct tee *)(const void *)s;
}

static int put(struct store *s, enum store_ns ns, struct span key, struct span value,
               enum store_when when)
{
    int err = store_put(of(s)->file, ns, key, value, when);
    return err == MD_OK ? store_put(of(s)->shadow, ns, key, value, when) : err;
}

static int del(struct store *s, enum store_ns ns, struct span key, enum store_when when)
{
    int err = store_del(of(s)->file, ns, key, when);
    return err == MD_OK ? store_del(of(s)->shadow, ns, key, when) : err;
}

static int each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx)
{
    return store_each(of(s)->shadow, ns, cb, ctx);
}

static void loaded(struct store *s) { (void)s; /* the shadow is asked again */ }
static int write_turn(struct store *s) { return store_write(of(s)->file); }
static enum store_dirty dirty(const struct store *s)
{
    return of_const(s)->file->ops->dirty(of_const(s)->file);
}

static int flush_begin(struct store *s, struct store_flush **out)
{
    return store_flush_begin(of(s)->file, out);
}

static void flush_end(struct store *s, struct store_flush *f, int result)
{
    store_flush_end(of(s)->file, f, result);
}

static void close_both(struct store *s)
{
    store_close(of(s)->file);
    store_close(of(s)->shadow);
}

struct copying {
    struct store *to;
    enum store_ns ns;
};

static int copy_one(void *ctx, struct span key, struct span value)
{
    const struct copying *c = ctx;
    return store_put(c->to, c->ns, key, value, STORE_NOW);
}

struct store *tee_open_dir(const char *dir, const char *journal_dir, char why[640])
{
    struct config c = {.persistence_sync = 2};
    struct store *s = NULL;
    char place[512];
    (void)snprintf(place, sizeof place, "%s", journal_dir);
    c.journal_dir = place;
    return state_open(&s, dir, &c, why) == MD_OK ? s : NULL;
}

void tee_open(struct tee *t, const char *dir, const char *journal_dir)
{
    static struct store_ops ops;
    char why[640] = "";
    t->file = tee_open_dir(dir, journal_dir, why);
    MD_ASSERT(t->file != NULL);
    int err = store_mem_open(&t->shadow);
    for (int ns = STORE_META; ns <= STORE_LAST && err == MD_OK; ns++)
        err = store_each(t->file, (enum store_ns)ns, copy_one,
                         &(struct copying){t->shadow, (enum store_ns)ns});
    MD_ASSERT(err == MD_OK);
    store_loaded(t->file);
    t->store = *t->file;
    ops = (struct store_ops){put,   del,         each, loaded,    write_turn,
                             dirty, flush_begin, NULL, flush_end, close_both};
    t->store.ops = &ops;
    ops.flush_run = t->file->ops->flush_run; /* it is given the flush alone */
}

struct sum {
    uint64_t sum, n;
    uint8_t ns;
};

static uint64_t mix(uint64_t h, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ s.p[i]) * 1099511628211u;
    return (h ^ (h >> 29) ^ s.n) * 0x9e3779b97f4a7c15u;
}

static int add_one(void *ctx, struct span key, struct span value)
{
    struct sum *s = ctx;
    s->sum += mix(mix(14695981039346656037u + s->ns, key), value);
    s->n++;
    return MD_OK;
}

static struct sum sum_of(struct store *s)
{
    struct sum out = {.sum = 0};
    for (out.ns = STORE_META; out.ns <= STORE_LAST; out.ns++) {
        int err = store_each(s, (enum store_ns)out.ns, add_one, &out);
        MD_ASSERT(err == MD_OK);
    }
    return out;
}

uint64_t tee_sum(struct store *s) { return sum_of(s).sum; }
uint64_t tee_count(struct store *s) { return sum_of(s).n; }

static int add_copied(void *ctx, const struct journal_record *r)
{
    struct sum *s = ctx;
    s->ns = (uint8_t)r->ns;
    return add_one(s, r->key, r->value);
}

uint64_t tee_sum_left(const char *dir)
{
    const char *none[] = {NULL};
    struct store_copied what;
    struct journal_report report;
    struct sum sum = {.sum = 0};
    const struct journal_reader rd = {.cb = add_copied, .ctx = &sum};
    struct buf copy;
    char note[256];
    buf_init(&copy, (size_t)1 << 26);
    int err = store_copy(dir, none, &copy, &what, note);
    if (err == MD_OK)
        err = journal_read(buf_view(&copy), &rd, &report);
    MD_ASSERT(err == MD_OK);
    buf_free(&copy);
    return sum.sum;
}

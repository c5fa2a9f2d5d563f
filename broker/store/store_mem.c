/* store_mem.c - a store that forgets when it is closed: for tests and for those who want nothing
 * written. */
#include "broker/base/mem.h"
#include "broker/store/table.h"

struct store_mem {
    struct store store;
    struct table table;
};

static struct store_mem *of(struct store *s) { return (struct store_mem *)(void *)s; }

static int mem_put(struct store *s, enum store_ns ns, struct span key, struct span value,
                   enum store_when when)
{
    struct table_entry *e;
    (void)when;
    return table_put(&of(s)->table, ns, key, value, &e);
}

static int mem_del(struct store *s, enum store_ns ns, struct span key, enum store_when when)
{
    (void)when;
    struct table_entry *e = table_find(&of(s)->table, ns, key);
    if (e != NULL)
        table_drop(&of(s)->table, e);
    return MD_OK;
}

static int mem_each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx)
{
    return table_each_in(&of(s)->table, ns, cb, ctx);
}

static void mem_loaded(struct store *s) { (void)s; }

static int mem_write(struct store *s)
{
    (void)s;
    return MD_OK;
}

static enum store_dirty mem_dirty(const struct store *s)
{
    (void)s;
    return STORE_CLEAN;
}

static int mem_flush_begin(struct store *s, struct store_flush **out)
{
    (void)s;
    *out = NULL;
    return MD_OK;
}

static int mem_flush_run(struct store_flush *f)
{
    (void)f;
    return MD_OK;
}

static void mem_flush_end(struct store *s, struct store_flush *f, int result)
{
    (void)s;
    (void)f;
    (void)result;
}

static void mem_close(struct store *s)
{
    table_clear(&of(s)->table);
    mem_free(s);
}

int store_mem_open(struct store **out)
{
    static const struct store_ops ops = {mem_put,       mem_del,   mem_each,        mem_loaded,
                                         mem_write,     mem_dirty, mem_flush_begin, mem_flush_run,
                                         mem_flush_end, mem_close};
    struct store_mem *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    if (table_init(&s->table) != MD_OK) {
        mem_free(s);
        return MD_NOMEM;
    }
    s->store = (struct store){.ops = &ops, .sync = STORE_SYNC_OFF, .period_s = 60};
    *out = &s->store;
    return MD_OK;
}

#include "broker/store/table.h"

#include "broker/base/mem.h"

int table_init(struct table *t)
{
    /* Topics and Client Identifiers are keys here, so the seed must not be known to peers; the
     * address of the table is not, and differs in every process. */
    uint64_t place = (uint64_t)(uintptr_t)t;
    return map_init(&t->map, (struct map_seed){{0x6d65726f73736421u ^ place, place << 17 | 1}});
}

static void entry_free(struct table_entry *e)
{
    mem_wipe(e->value, e->value_n < 4096 ? e->value_n : 0); /* it may hold a secret, if small */
    mem_free(e->value);
    mem_free(e);
}

static void clear_one(void *ctx, struct map_node *node)
{
    (void)ctx;
    entry_free(MAP_OF(node, struct table_entry, by_key));
}

void table_clear(struct table *t)
{
    if (t->map.bucket != NULL)
        map_each(&t->map, clear_one, NULL);
    map_clear(&t->map);
}

/* The name of an entry: on the stack when it is short, as nearly all are. */
struct name {
    uint8_t small[128];
    uint8_t *p;
};

static struct span name_init(struct name *n, unsigned ns, struct span key)
{
    n->p = 1 + key.n <= sizeof n->small ? n->small : mem_alloc_raw(1 + key.n);
    if (n->p == NULL)
        return span_of(NULL, 0);
    n->p[0] = (uint8_t)ns;
    if (key.n > 0)
        memcpy(n->p + 1, key.p, key.n);
    return span_of(n->p, 1 + key.n);
}

static void name_free(struct name *n)
{
    if (n->p != n->small)
        mem_free(n->p);
}

static struct table_entry *find(const struct table *t, struct span name)
{
    struct map_node *node = name.n == 0 ? NULL : map_get(&t->map, name);
    return node == NULL ? NULL : MAP_OF(node, struct table_entry, by_key);
}

struct table_entry *table_find(const struct table *t, unsigned ns, struct span key)
{
    struct name n;
    struct table_entry *e = find(t, name_init(&n, ns, key));
    name_free(&n);
    return e;
}

static int set_value(struct table_entry *e, struct span value)
{
    uint8_t *copy = mem_dup(value.p, value.n);
    if (copy == NULL)
        return MD_NOMEM;
    mem_free(e->value);
    e->value = copy;
    e->value_n = value.n;
    return MD_OK;
}

static int add(struct table *t, struct span name, struct span value, struct table_entry **out)
{
    struct table_entry *e = mem_alloc(sizeof *e + name.n);
    if (e == NULL)
        return MD_NOMEM;
    int err = set_value(e, value);
    if (err != MD_OK) {
        mem_free(e);
        return err;
    }
    memcpy(e->name, name.p, name.n);
    map_put(&t->map, &e->by_key, span_of(e->name, name.n));
    *out = e;
    return MD_OK;
}

int table_put(struct table *t, unsigned ns, struct span key, struct span value,
              struct table_entry **out)
{
    struct name n;
    if (key.n > STORE_KEY_MAX || value.n > STORE_VALUE_MAX)
        return MD_TOOBIG;
    struct span name = name_init(&n, ns, key);
    if (name.n == 0)
        return MD_NOMEM;
    struct table_entry *e = find(t, name);
    int err = e == NULL ? add(t, name, value, &e) : set_value(e, value);
    name_free(&n);
    if (err == MD_OK)
        *out = e;
    return err;
}

void table_drop(struct table *t, struct table_entry *e)
{
    map_del(&t->map, &e->by_key);
    entry_free(e);
}

struct walk {
    int (*cb)(void *ctx, struct table_entry *e);
    void *ctx;
    int result;
};

static void walk_one(void *ctx, struct map_node *node)
{
    struct walk *w = ctx;
    if (w->result == MD_OK)
        w->result = w->cb(w->ctx, MAP_OF(node, struct table_entry, by_key));
}

int table_each(struct table *t, int (*cb)(void *ctx, struct table_entry *e), void *ctx)
{
    struct walk w = {cb, ctx, MD_OK};
    if (t->map.bucket != NULL)
        map_each(&t->map, walk_one, &w);
    return w.result;
}

struct filter {
    unsigned ns;
    store_each_cb cb;
    void *ctx;
};

static int filter_one(void *ctx, struct table_entry *e)
{
    struct filter *f = ctx;
    if (table_ns(e) != f->ns || e->deleted)
        return MD_OK;
    return f->cb(f->ctx, table_key(e), table_value(e));
}

int table_each_in(struct table *t, enum store_ns ns, store_each_cb cb, void *ctx)
{
    struct filter f = {ns, cb, ctx};
    return table_each(t, filter_one, &f);
}

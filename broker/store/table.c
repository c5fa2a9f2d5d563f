#include "broker/store/table.h"

#include "broker/base/mem.h"

struct entry {
    struct map_node by_key; /* key: namespace byte, then the key */
    size_t value_n;
    uint8_t *value;
    uint8_t name[];
};

int table_init(struct table *t)
{
    /* What is stored here is named by us, not chosen by a peer: a fixed seed will do. */
    return map_init(&t->map, (struct map_seed){{0x6d65726f73736421u, 0x73746f7265746162u}});
}

static void entry_free(struct entry *e)
{
    if (e == NULL)
        return;
    mem_wipe(e->value, e->value_n); /* it may hold a plug's key */
    mem_free(e->value);
    mem_free(e);
}

static void clear_one(void *ctx, struct map_node *node)
{
    (void)ctx;
    entry_free(MAP_OF(node, struct entry, by_key));
}

void table_clear(struct table *t)
{
    if (t->map.bucket != NULL)
        map_each(&t->map, clear_one, NULL);
    map_clear(&t->map);
}

static struct entry *entry_new(enum store_ns ns, struct span key, struct span value)
{
    struct entry *e = mem_alloc(sizeof *e + 1 + key.n);
    if (e == NULL)
        return NULL;
    e->value = mem_dup(value.p, value.n);
    e->value_n = value.n;
    if (e->value == NULL) {
        mem_free(e);
        return NULL;
    }
    e->name[0] = (uint8_t)ns;
    if (key.n > 0)
        memcpy(e->name + 1, key.p, key.n);
    return e;
}

static struct entry *find(const struct table *t, struct span name)
{
    struct map_node *node = map_get(&t->map, name);
    return node == NULL ? NULL : MAP_OF(node, struct entry, by_key);
}

int table_put(struct table *t, enum store_ns ns, struct span key, struct span value)
{
    if (key.n > STORE_KEY_MAX || value.n > STORE_VALUE_MAX)
        return MD_TOOBIG;
    struct entry *e = entry_new(ns, key, value);
    if (e == NULL)
        return MD_NOMEM;
    struct span name = span_of(e->name, 1 + key.n);
    struct entry *old = find(t, name);
    if (old != NULL)
        map_del(&t->map, &old->by_key);
    entry_free(old);
    map_put(&t->map, &e->by_key, name);
    return MD_OK;
}

/* Keys are looked up seldom; a copy with its namespace in front is simple and bounded. */
int table_del(struct table *t, enum store_ns ns, struct span key)
{
    if (key.n > STORE_KEY_MAX)
        return MD_NOENT;
    uint8_t *name = mem_alloc_raw(1 + key.n);
    if (name == NULL)
        return MD_NOMEM;
    name[0] = (uint8_t)ns;
    if (key.n > 0)
        memcpy(name + 1, key.p, key.n);
    struct entry *e = find(t, span_of(name, 1 + key.n));
    mem_free(name);
    if (e == NULL)
        return MD_NOENT;
    map_del(&t->map, &e->by_key);
    entry_free(e);
    return MD_OK;
}

struct walk {
    table_each_cb cb;
    void *ctx;
    int result;
};

static void walk_one(void *ctx, struct map_node *node)
{
    struct walk *w = ctx;
    const struct entry *e = MAP_OF(node, struct entry, by_key);
    if (w->result == MD_OK)
        w->result =
            w->cb(w->ctx, e->name[0], span_skip(e->by_key.key, 1), span_of(e->value, e->value_n));
}

int table_each_all(struct table *t, table_each_cb cb, void *ctx)
{
    struct walk w = {cb, ctx, MD_OK};
    map_each(&t->map, walk_one, &w);
    return w.result;
}

struct filter {
    unsigned ns;
    store_each_cb cb;
    void *ctx;
};

static int filter_one(void *ctx, unsigned ns, struct span key, struct span value)
{
    struct filter *f = ctx;
    return ns == f->ns ? f->cb(f->ctx, key, value) : MD_OK;
}

int table_each(struct table *t, enum store_ns ns, store_each_cb cb, void *ctx)
{
    struct filter f = {ns, cb, ctx};
    return table_each_all(t, filter_one, &f);
}

/* table.h - the entries of a store in memory: what was loaded, or what is not on the medium yet. */
#ifndef BROKER_STORE_TABLE_H
#define BROKER_STORE_TABLE_H

#include "broker/base/buf.h"
#include "broker/base/map.h"
#include "broker/store/store.h"

struct table {
    struct map map;
};

struct table_entry {
    struct map_node by_key; /* key: namespace byte, then the key */
    size_t value_n;
    uint8_t *value;
    bool deleted; /* a tombstone: the key is to be removed elsewhere       */
    bool fresh;   /* it did not exist elsewhere: deleting it leaves nothing */
    bool written; /* it is in the journal already                          */
    uint8_t name[];
};

/* Errors: MD_NOMEM. */
MD_MUST_USE int table_init(struct table *t);
void table_clear(struct table *t);
struct table_entry *table_find(const struct table *t, unsigned ns, struct span key); /* lent */

/* Both are copied; *out is the entry, lent.  Errors: MD_NOMEM, MD_TOOBIG: as before. */
MD_MUST_USE int table_put(struct table *t, unsigned ns, struct span key, struct span value,
                          struct table_entry **out);
void table_drop(struct table *t, struct table_entry *e);

static inline unsigned table_ns(const struct table_entry *e) { return e->name[0]; }
static inline struct span table_key(const struct table_entry *e)
{
    return span_skip(map_key(&e->by_key), 1);
}
static inline struct span table_value(const struct table_entry *e)
{
    return span_of(e->value, e->value_n);
}

/* Every entry, in no order; cb may drop the one it gets and change no other.  Returns what it
 * returned first that was not MD_OK. */
int table_each(struct table *t, int (*cb)(void *ctx, struct table_entry *e), void *ctx);
/* The entries of one namespace that are not deleted, as store_each() gives them. */
int table_each_in(struct table *t, enum store_ns ns, store_each_cb cb, void *ctx);

#endif

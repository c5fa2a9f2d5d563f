/* table.h - the entries of a store in memory, for store_mem.c and store_file.c. */
#ifndef BROKER_STORE_TABLE_H
#define BROKER_STORE_TABLE_H

#include "broker/base/buf.h"
#include "broker/base/map.h"
#include "broker/store/store.h"

struct table {
    struct map map;
};

/* Errors: MD_NOMEM. */
MD_MUST_USE int table_init(struct table *t);
void table_clear(struct table *t);
/* Both are copied.  Errors: MD_NOMEM, MD_TOOBIG: as before. */
MD_MUST_USE int table_put(struct table *t, enum store_ns ns, struct span key, struct span value);
MD_MUST_USE int table_del(struct table *t, enum store_ns ns, struct span key); /* MD_NOENT */
/* Every entry of a namespace, and every entry; cb may not change the table.  They return what cb
 * returned first that was not MD_OK. */
int table_each(struct table *t, enum store_ns ns, store_each_cb cb, void *ctx);
typedef int (*table_each_cb)(void *ctx, unsigned ns, struct span key, struct span value);
int table_each_all(struct table *t, table_each_cb cb, void *ctx);

#endif

/* book.h - the ledgers of all plugs, and their records in the store.
 *
 * A record is found by the plug's uuid (registry.c's uuid_key), not by its name: renaming changes
 * nothing.  Its key is <uuid>/<channel>/<what>, what being "total", "m<place>" or "h<place>", and a
 * place is used again when its month or day is too old to be kept: the store cannot grow beyond
 * 1 + LEDGER_MONTHS + LEDGER_SPANS records per channel, about 25 kB.  A count rewrites one of each:
 * under 1 kB, some six times an hour for a plug whose load is on.
 *
 * Knows neither plugs nor messages. */
#ifndef MEROSS_BOOK_H
#define MEROSS_BOOK_H

#include "broker/base/env.h"
#include "broker/store/store.h"
#include "meross/energy/ledger.h"

#define BOOK_UUID_MAX     64
#define BOOK_CHANNELS_MAX 16 /* of a plug; further ones are not kept */

struct book;

/* Loads STORE_ENERGY.  What is damaged is left out, with a log line.
 *
 * store  kept until book_free().  *out given.
 * Errors: MD_NOMEM, those of the store. */
MD_MUST_USE int book_new(struct book **out, const struct env *env, struct store *store);
void book_free(struct book *b); /* NULL is fine; nothing is saved */

/* The ledger of a channel; lent until the plug is forgotten.  book_ledger() makes it when there is
 * none: NULL when memory is out, or it is one channel too many. */
struct ledger *book_find(const struct book *b, const char *uuid, unsigned channel);
struct ledger *book_ledger(struct book *b, const char *uuid, unsigned channel);

/* The next higher channel of the plug that has a ledger; -1: none.  Begin with -1. */
int book_next(const struct book *b, const char *uuid, int channel);

/* Puts what differs from the records into the store.  Errors: the first of the store; what failed
 * is tried again with the next. */
int book_save(struct book *b, const char *uuid);
int book_save_all(struct book *b); /* also what is not worth a write for its own sake */

void book_forget(struct book *b, const char *uuid);

#endif

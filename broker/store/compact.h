/* compact.h - the files of a store in its directory: read, appended to, and rewritten as a new base
 * when the journals have outgrown it.  Works in the thread pool, with memory of its own. */
#ifndef BROKER_STORE_COMPACT_H
#define BROKER_STORE_COMPACT_H

#include "broker/store/journal.h"
#include "broker/store/segment.h"
#include "broker/store/table.h"

/* The files that count: the last base and the journals behind it; hot journals are not among
 * them. */
void compact_current(const struct segments *all, struct segments *out);

/* Applies a file to a table.  Errors: MD_IO, MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int compact_read(struct table *t, const char *path, struct journal_report *report);

/* The same for the bytes of one; whole as in journal.h.  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int compact_take(struct table *t, struct span file, bool whole,
                             struct journal_report *report);

/* Applies one batch as journal_end() left it.  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int compact_apply(struct table *t, struct span batch);

/* Appends a table as the bytes of a base; the hot journals up to `holds` are in it.
 * Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int compact_bytes(struct table *t, uint32_t holds, struct buf *out);

/* Writes the same as the base of this number.  Errors: MD_IO, MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int compact_write(const char *dir, struct table *t, uint32_t holds, uint32_t number);

/* Removes what a base of this number has made useless. */
void compact_remove_before(const char *dir, const struct segments *all, uint32_t number);

/* Reads what counts and writes it as a new base.  Errors: as compact_write(): nothing changed. */
int compact_all(const char *dir, const struct segments *all, uint32_t number);

/* Appends a batch to the last journal, or to a new one of this number.  Errors: MD_IO. */
MD_MUST_USE int compact_append(const char *dir, const struct segments *now, uint32_t number,
                               struct span batch, bool sync);

/* How far the files go. */
struct journal_place compact_end(const char *dir, const struct segments *now);

bool compact_due(const char *dir, const struct segments *now);

#endif

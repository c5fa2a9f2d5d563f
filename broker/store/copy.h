/* copy.h - all that a store holds as the bytes of one file, for backups.
 *
 * It is read from the store's files, also while another process uses them: what a broker that died
 * at this moment would find again when it starts. */
#ifndef BROKER_STORE_COPY_H
#define BROKER_STORE_COPY_H

#include "broker/base/buf.h"
#include "broker/store/store.h"

struct store_copied {
    size_t entries[STORE_LAST + 1]; /* by enum store_ns */
    size_t damaged;                 /* bytes that made no sense and were left out */
};

/* Reads; writes nothing.
 *
 * hot_dirs  where hot journals may be besides `dir`, NULL-terminated; those that do not exist are
 *           passed over.
 * out       appended to.
 * note      why not, in one sentence; untouched on MD_OK.
 * Errors: MD_AGAIN (the files changed meanwhile: try again in a moment), MD_IO, MD_INVAL (of a
 * newer format), MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int store_copy(const char *dir, const char *const *hot_dirs, struct buf *out,
                           struct store_copied *what, char note[256]);

/* Is this such a copy, whole?  Errors: MD_CORRUPT, MD_INVAL (of a newer format). */
MD_MUST_USE int store_copy_check(struct span copy, struct store_copied *what);

/* Puts it into a directory without a store, and on the medium.  Errors: MD_IO (errno says why). */
MD_MUST_USE int store_copy_put(const char *dir, struct span copy);

#endif

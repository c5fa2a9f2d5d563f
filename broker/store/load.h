/* load.h - what a store finds in its directories at the start: read, judged, and put in order. */
#ifndef BROKER_STORE_LOAD_H
#define BROKER_STORE_LOAD_H

#include "broker/store/journal.h"
#include "broker/store/table.h"

struct load {
    const char *dir, *journal_dir; /* lent; the same when there is no memory for hot journals */
    struct table *table;           /* lent, empty: filled with what is there */
    uint32_t number;               /* given: the highest of the files, and of those they hold */
    struct journal_place end;      /* given: how far those in `dir` go */
    struct journal_place hot_end;  /* given: how far the hot ones go that stay until it is */
    bool owed;                     /* given: the table must be written, and could not be now */
};

/* Files of a newer format are refused before anything is touched.  Damaged ones, and those in
 * pieces or of an older format, become one new base.
 *
 * note  what has to be said, or why not; untouched otherwise.
 * Errors: MD_IO, MD_INVAL (newer format), MD_NOMEM. */
MD_MUST_USE int load_all(struct load *l, char note[256]);

#endif

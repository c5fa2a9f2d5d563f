/* hot.h - the hot journals that a run left which died: in what order they are read, and which of
 * them count.
 *
 * They are numbered on and on, wherever they lie.  In memory there is all that was written, or
 * nothing; but beside the state, where they are when there is no such memory, a power cut leaves
 * any part of what was never synced, and brings back what was removed.  So:
 *
 *     held    what it says is in the files already, and may be older than they are
 *     stale   it follows a later state than the files: a copy of them was put back; in memory also
 *             one that follows journals which went since, as those did that were flushed
 *     cut     beside the state: it follows journals, or a part of one, that are not there
 *
 * and beside the state one is read up to the first thing that makes no sense. */
#ifndef BROKER_STORE_HOT_H
#define BROKER_STORE_HOT_H

#include "broker/store/journal.h"
#include "broker/store/segment.h"
#include "broker/store/table.h"

#define HOT_MAX (2 * SEGMENT_MAX) /* files, in all folders */

struct hot_file {
    const char *dir; /* lent */
    uint32_t number;
    bool beside; /* the state, and not in memory */
};

struct hot_list {
    struct hot_file v[HOT_MAX]; /* ascending by number */
    unsigned n;
};

/* Adds those of a folder, which is lent from then on; one that cannot be read has none.
 * Errors: MD_FULL. */
MD_MUST_USE int hot_list(const char *dir, bool beside, struct hot_list *out);

struct hot {
    struct journal_place end;  /* of the other files                                         */
    uint32_t holds;            /* of them: all that the journals up to this one say          */
    bool moved;                /* journals are in memory now: what an older merossd left beside
                               * the state is read only when nothing was flushed since */
    struct journal_place last; /* how far the journals go that were read; begins as {0} */
};

enum hot_fate { HOT_READ, HOT_HELD, HOT_STALE, HOT_CUT };

/* Judges the next one, and applies it to the table if it counts; *report is about what was read.
 * Errors: MD_IO (errno says why), MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int hot_read(struct hot *h, const struct hot_file *f, struct table *t,
                         enum hot_fate *fate, struct journal_report *report);

#endif

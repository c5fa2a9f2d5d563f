/* hot_writer.h - the hot journals that this run writes, one after the other; hot.h reads them when
 * it dies.
 *
 * Each begins with what it follows, and is made with its first batch.  It does not know what is
 * flushed, or when: who flushes begins a new one, and removes the others when that is done. */
#ifndef BROKER_STORE_HOT_WRITER_H
#define BROKER_STORE_HOT_WRITER_H

#include "broker/store/journal.h"
#include "broker/store/segment.h"

struct hot_writer {
    char dir[SEGMENT_PATH - 64];
    int fd;                     /* -1: it is made with the first batch                        */
    uint32_t number;            /* of the one that is written                                 */
    struct journal_place end;   /* of those before it                                         */
    struct journal_place found; /* those of earlier runs, as long as they count: number 0: none */
};

/* Appends one batch, as journal_end() left it.  files: how far the other files go.
 * Errors: MD_IO (errno says why), MD_NOMEM: the journal is as before. */
MD_MUST_USE int hot_writer_append(struct hot_writer *w, struct journal_place files,
                                  struct span batch);

/* What follows goes to the next one, of this number, so that those before it can go. */
void hot_writer_rotate(struct hot_writer *w, uint32_t number);

/* Makes the next one with `batches`, which is all that is not in the other files: it needs no other
 * one of this run, and they go.  Errors: MD_IO, MD_NOMEM: everything is as before. */
MD_MUST_USE int hot_writer_gather(struct hot_writer *w, uint32_t number, struct journal_place files,
                                  struct span batches);

void hot_writer_close(struct hot_writer *w); /* the files stay */

#endif

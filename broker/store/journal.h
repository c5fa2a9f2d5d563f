/* journal.h - what a store file holds: batches of changes, all or nothing.  Pure, fuzzed.
 *
 *     file:   "MDSTATE" format(1) | batch | batch | ...      format: '2'; '1' is still read
 *     batch:  mark(2) = D5 42 | length(4) | crc of these six(4) | crc of the body(4) | body
 *     body:   records as in record.h; the namespace's top bit means: deleted
 *
 * A batch is what one loop turn (or one sync) changed.  Cut off by a crash, it counts as never
 * written, so a message and the note that it was received cannot part.  Damaged in the middle
 * of a file, it is searched for its records, each of which has a CRC of its own.
 *
 * Formats after '9' go on with 'A' to 'Z'; any other byte there is damage: a power cut may leave a
 * zero.  The format stands for all that is in the file, down to the records of the modules that
 * store them: it is raised with any change that an older program would take for something else.
 * Since format 2 a hot journal begins with a batch that says which files it follows, as a record of
 * namespace 0, so that it is not applied to an older copy of them. */
#ifndef BROKER_STORE_JOURNAL_H
#define BROKER_STORE_JOURNAL_H

#include "broker/store/record.h"

#define JOURNAL_HEAD    8u /* bytes before the first batch */
#define JOURNAL_DELETED 0x80u
#define JOURNAL_FORMAT  '2'
#define JOURNAL_OLDEST  '1' /* that is still read */

void journal_head(uint8_t out[JOURNAL_HEAD]);

/* Begins a batch in `out`; returns where it began, for journal_end().  Errors: MD_TOOBIG,
 * MD_NOMEM: as before. */
MD_MUST_USE int journal_begin(struct buf *out, size_t *at);
/* Records follow with journal_add(), then this completes it; one without records vanishes. */
void journal_end(struct buf *out, size_t at);
MD_MUST_USE int journal_add(struct buf *out, unsigned ns, struct span key, struct span value,
                            bool deleted);

/* How far the files of a directory went: the last one, and its size. */
struct journal_place {
    uint32_t number;
    uint64_t size;
};

/* Appends a batch that says: what follows was changed when the files had come to this place, or
 * further.  Errors: MD_TOOBIG, MD_NOMEM: as before. */
MD_MUST_USE int journal_put_place(struct buf *out, struct journal_place place);

struct journal_report {
    size_t records; /* read                                             */
    size_t damaged; /* bytes that made no sense                         */
    size_t torn;    /* bytes of a last batch that was cut off           */
    bool newer;     /* of a later format: nothing was read              */
    bool older;     /* of an earlier format: read                       */
    bool has_place; /* it says what it follows                          */
    struct journal_place place;
};

/* Calls cb with every record of a file, in order.  Stops when it returns an error, and returns
 * that.  An empty file is a file without records. */
int journal_read(struct span file,
                 int (*cb)(void *ctx, unsigned ns, struct span key, struct span value,
                           bool deleted),
                 void *ctx, struct journal_report *report);

/* The same for one batch, as journal_end() left it, without the head of a file. */
int journal_read_batch(struct span batch,
                       int (*cb)(void *ctx, unsigned ns, struct span key, struct span value,
                                 bool deleted),
                       void *ctx);

/* Only the report. */
void journal_look(struct span file, struct journal_report *report);

/* May a file whose report this is be applied behind `end`?  False: it follows a later place. */
bool journal_follows(const struct journal_report *report, struct journal_place end);

/* Is this the head of a file of a later format? */
bool journal_is_newer(struct span head);

#endif

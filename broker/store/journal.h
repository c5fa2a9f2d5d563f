/* journal.h - what a store file holds: batches of changes, all or nothing.  Pure, fuzzed.
 *
 *     file:   "MDSTATE" format(1) | batch | batch | ...      format: '3'; '1' and '2' are read
 *     batch:  mark(2) = D5 42 | length(4) | crc of these six(4) | crc of the body(4) | body
 *     body:   records as in record.h; the namespace's top bit means: deleted
 *
 * A batch is what one loop turn (or one sync) changed.  Cut off by a crash, it counts as never
 * written, so a message and the note that it was received cannot part.  Damaged in the middle
 * of a file, it is searched for its records, each of which has a CRC of its own.
 *
 * Records of namespace 0 are about the files themselves; their keys:
 *
 *     ""       a hot journal follows this place of the other files, or a later one: it is not
 *              applied to an older copy of them (since format 2)
 *     "after"  it follows this place of the hot journals: without those it makes no sense
 *     "holds"  number(4): all that the hot journals up to this one say is in the files up to here
 *
 * Formats after '9' go on with 'A' to 'Z'; any other byte there is damage: a power cut may leave a
 * zero.  The format stands for all that is in the file, down to the records of the modules that
 * store them: it is raised with any change that an older program would take for something else. */
#ifndef BROKER_STORE_JOURNAL_H
#define BROKER_STORE_JOURNAL_H

#include "broker/store/record.h"

#define JOURNAL_HEAD    8u /* bytes before the first batch */
#define JOURNAL_DELETED 0x80u
#define JOURNAL_FORMAT  '3'
#define JOURNAL_OLDEST  '1' /* that is still read */

void journal_head(uint8_t out[JOURNAL_HEAD]);

/* Begins a batch in `out`; returns where it began, for journal_end().  Errors: MD_TOOBIG,
 * MD_NOMEM: as before. */
MD_MUST_USE int journal_begin(struct buf *out, size_t *at);
/* Records follow with journal_add(), then this completes it; one without records vanishes. */
void journal_end(struct buf *out, size_t at);
MD_MUST_USE int journal_add(struct buf *out, unsigned ns, struct span key, struct span value,
                            bool deleted);

/* How far some files go: the last one, and its size.  Number 0: there is none. */
struct journal_place {
    uint32_t number;
    uint64_t size;
};

/* Appends the first batch of a hot journal: what the files held, or less, when it began, and the
 * hot journals that went before.  Errors: MD_TOOBIG, MD_NOMEM: as before. */
MD_MUST_USE int journal_put_origin(struct buf *out, struct journal_place files,
                                   struct journal_place after);

/* Adds to a batch that has begun: the hot journals up to this number are of no use from here on.
 * 0: nothing is added.  Errors: MD_TOOBIG, MD_NOMEM: as before. */
MD_MUST_USE int journal_add_holds(struct buf *out, uint32_t until);

struct journal_report {
    size_t records;             /* read                                              */
    size_t damaged;             /* bytes that made no sense                          */
    size_t torn;                /* bytes of a last batch that was cut off            */
    bool newer;                 /* of a later format: nothing was read               */
    bool older;                 /* of an earlier format: read                        */
    bool has_place, has_after;  /* it says what it follows                           */
    struct journal_place place; /* of the other files                                */
    struct journal_place after; /* of the hot journals                               */
    uint32_t holds;             /* all of the hot journals up to this; 0: of none    */
};

struct journal_record {
    unsigned ns;
    struct span key, value; /* lent */
    bool deleted;
};

struct journal_reader {
    int (*cb)(void *ctx, const struct journal_record *r); /* MD_OK, or: stop */
    void *ctx;
    bool whole; /* what is damaged ends it, as if the file had been cut off there */
};

/* Calls back with every record of a file, in order.  Stops when that returns an error, and returns
 * it.  An empty file is a file without records. */
MD_MUST_USE int journal_read(struct span file, const struct journal_reader *rd,
                             struct journal_report *report);

/* The same for one batch, as journal_end() left it, without the head of a file. */
MD_MUST_USE int journal_read_batch(struct span batch, const struct journal_reader *rd);

/* Only the report. */
void journal_look(struct span file, struct journal_report *report);

/* May a file whose report this is be applied behind `end`?  False: it follows a later place. */
bool journal_follows(const struct journal_report *report, struct journal_place end);

/* Is this the head of a file of a later format? */
bool journal_is_newer(struct span head);

#endif

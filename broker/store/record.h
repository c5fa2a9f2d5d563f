/* record.h - one entry of a store file: bytes to record and back.  Pure, fuzzed.
 *
 *     mark(2) = D5 4D | length(4) | crc(4) | namespace(1) | key length(2) | key | value
 *                       '-- of all behind the crc          '--- big-endian throughout
 *
 * The CRC-32C covers the length too.  After damage the next record is found by its mark, and only
 * believed when its CRC is right. */
#ifndef BROKER_STORE_RECORD_H
#define BROKER_STORE_RECORD_H

#include "broker/base/buf.h"

#define RECORD_OVERHEAD 13u /* bytes besides key and value */

struct record {
    uint8_t ns;
    struct span key, value;
};

/* Appends one.  Errors: MD_TOOBIG (key, value or `out`), MD_NOMEM; `out` is as before. */
MD_MUST_USE int record_put(struct buf *out, const struct record *r);

/* Takes the next record off *in.
 *
 * MD_OK       *r points into the input; *skipped bytes before it were damaged (0 when none).
 * MD_NOENT    there is no further record; *skipped bytes were left over. */
MD_MUST_USE int record_next(struct span *in, struct record *r, size_t *skipped);

uint32_t record_crc(struct span s); /* CRC-32C */

#endif

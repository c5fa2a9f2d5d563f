/* archive.h - what is inside a backup: named pieces, one after the other.  Pure, fuzzed.
 *
 *     piece: kind(1) mode(2) name length(2) owner length(2) data length(8) name owner data
 *
 * Numbers are big-endian.  A name is that of a file in the state directory for certificates, an
 * absolute path for the configuration and the files it names, and empty otherwise; those files also
 * have a mode and an owner, "user:group". */
#ifndef TOOLS_BACKUP_ARCHIVE_H
#define TOOLS_BACKUP_ARCHIVE_H

#include "broker/base/buf.h"

#define ARCHIVE_NAME_MAX  1000u
#define ARCHIVE_OWNER_MAX 130u
#define ARCHIVE_FILES     512u /* pieces, at most */

enum archive_kind {
    ARCHIVE_NOTE = 'n',   /* JSON: of whom and when it is                     */
    ARCHIVE_STORE = 's',  /* plugs, energy, sessions, messages: store/copy.h  */
    ARCHIVE_CERT = 'c',   /* CA, server certificates and their keys           */
    ARCHIVE_CONFIG = 'f', /* the configuration file                           */
    ARCHIVE_NAMED = 'm'   /* a file that the configuration names              */
};

struct archive_piece {
    enum archive_kind kind;
    struct span name, data;
    struct span owner;
    unsigned mode; /* 0 to 0777 */
};

/* The files of a state directory that are kept as they are; NULL after the last.  Lent, static. */
const char *archive_cert_at(size_t i);

/* Appends one.  Errors: MD_TOOBIG, MD_NOMEM: as before. */
MD_MUST_USE int archive_put(struct buf *out, const struct archive_piece *p);

/* Takes the next one off *in; it points into the input.
 * Errors: MD_NOENT (there is no further one), MD_CORRUPT. */
MD_MUST_USE int archive_next(struct span *in, struct archive_piece *out);

/* Is all of it in order?  One note, one store, at most one configuration, known names of
 * certificates, absolute paths without `..`, no name twice.  Errors: MD_CORRUPT. */
MD_MUST_USE int archive_check(struct span in);

#endif

/* files.h - small files, read and written whole.  Knows no certificates. */
#ifndef CERTS_FILES_H
#define CERTS_FILES_H

#include "broker/base/buf.h"
#include "broker/base/err.h"

#include <sys/types.h>

#define FILES_MAX (64 * 1024)

/* Reads a file and puts a NUL behind it, which is counted: mbedTLS wants it so for PEM.
 * *out   given: buf_free(); empty on failure.
 * Errors: MD_NOENT (no such file), MD_IO (errno says why), MD_TOOBIG, MD_NOMEM. */
MD_MUST_USE int files_read(const char *path, struct buf *out);

/* Replaces the file: temporary file beside it, fsync, rename, fsync of the directory.  The
 * temporary file is created with `mode`, so a secret is never readable for others, not even for a
 * moment.  Errors: MD_IO (errno says why), MD_INVAL (path too long). */
MD_MUST_USE int files_replace(const char *path, struct span content, mode_t mode);

#endif

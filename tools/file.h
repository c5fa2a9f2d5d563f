/* file.h - whole small files. */
#ifndef TOOLS_FILE_H
#define TOOLS_FILE_H

#include "broker/base/buf.h"

/* Appends the file's bytes to `out`.
 * Errors: MD_IO (errno says why), MD_TOOBIG (more than out->max), MD_NOMEM. */
MD_MUST_USE int file_read(const char *path, struct buf *out);

/* Makes the directory and those above it, mode 0700; one that exists stays as it is.
 * Errors: MD_IO (errno says why), MD_TOOBIG (a path of more than 500 bytes). */
MD_MUST_USE int file_make_dirs(const char *path);

#endif

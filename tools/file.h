/* file.h - whole small files. */
#ifndef TOOLS_FILE_H
#define TOOLS_FILE_H

#include "broker/base/buf.h"

/* Appends the file's bytes to `out`.  A pipe is read until its writers close it.
 * Errors: MD_IO (errno says why; ENODATA: a FIFO that nobody opened for writing within 2 s),
 * MD_TOOBIG (more than out->max), MD_NOMEM. */
MD_MUST_USE int file_read(const char *path, struct buf *out);

/* Writes the whole file, all or nothing: the new one takes the old one's place when it is on the
 * medium.  A new file has mode 0600, and 0640 in a folder that gives its group to its files
 * (setgid): /etc/merossd of the Debian package, where the broker is that group.  One that exists
 * keeps its owner and mode, less the rights of others.  Errors: MD_IO (errno says why), MD_TOOBIG
 * (a path of more than 4000 bytes). */
MD_MUST_USE int file_replace(const char *path, struct span text);

/* Makes the directory and those above it, mode 0700; one that exists stays as it is.
 * Errors: MD_IO (errno says why), MD_TOOBIG (a path of more than 500 bytes). */
MD_MUST_USE int file_make_dirs(const char *path);

/* Makes the folder that the file is to be in, mode 0755, when only the last one is missing:
 * /run and /var/log are there, /run/mosquitto is not where mosquitto is not installed.
 * Errors: MD_IO (errno says why). */
MD_MUST_USE int file_make_parent(const char *path);

#endif

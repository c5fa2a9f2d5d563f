/* segment.h - the files of a store: numbered pieces in a directory, read in order.
 *
 *     <dir>/state.<number>.base      everything up to here; older files are of no use
 *     <dir>/state.<number>.journal   changes that followed
 *     <journal_dir>/state.<number>.hot   changes since the last flush, in memory (tmpfs), or in
 *                                        <dir> where there is none
 *
 * Knows names, reading, appending and replacing; nothing of what is in them. */
#ifndef BROKER_STORE_SEGMENT_H
#define BROKER_STORE_SEGMENT_H

#include "broker/base/buf.h"
#include "broker/base/err.h"

#define SEGMENT_PATH 1024
#define SEGMENT_MAX  64                /* files of one store; a flush makes and removes few */
#define SEGMENT_SIZE ((size_t)1 << 30) /* of one file, at most */

enum segment_kind { SEGMENT_BASE, SEGMENT_JOURNAL, SEGMENT_HOT };

struct segment {
    enum segment_kind kind;
    uint32_t number;
};

struct segments {
    struct segment v[SEGMENT_MAX];
    unsigned n;
};

void segment_path(char out[SEGMENT_PATH], const char *dir, struct segment s);

/* Adds the files of `dir` that are of this store, ascending by number.
 * Errors: MD_IO (no such directory), MD_FULL. */
MD_MUST_USE int segment_list(const char *dir, struct segments *out);

/* Removes what a crash left unfinished (.new); only for who opens the store. */
void segment_clean(const char *dir);

/* Errors: MD_IO, MD_NOMEM, MD_TOOBIG; *out is appended to. */
MD_MUST_USE int segment_read(const char *path, struct buf *out);

/* Its first bytes; returns how many, 0 when there are none to be had. */
size_t segment_head(const char *path, uint8_t *out, size_t n);

/* Opens for appending, made with mode 0600 and the file's head if it is new; -1 on error. */
int segment_open(const char *path, struct span head);
/* All of it, or nothing: what was written in part is cut off again.  Errors: MD_IO. */
MD_MUST_USE int segment_append(int fd, struct span bytes);
/* A whole new file in place of any old one: <path>.new, fsync, rename, fsync of the directory.
 * Errors: MD_IO. */
MD_MUST_USE int segment_replace(const char *dir, const char *path, struct span bytes);
/* Until then a power cut may take the name of a new file back.  Errors: MD_IO. */
MD_MUST_USE int segment_sync_names(const char *dir);
size_t segment_size(const char *path); /* 0 when it cannot be told */
size_t segment_length(int fd);         /* of one that is open, likewise */
void segment_remove(const char *path);
/* The hot ones with a number above `after`, up to `until`. */
void segment_remove_hot(const char *dir, uint32_t after, uint32_t until);
/* Keeps the file as "<path>.damaged-<seconds of its last change>" too, where the medium can.
 * Errors: MD_IO. */
MD_MUST_USE int segment_set_aside(const char *path);
/* Renames it to "<path>.stale-<seconds of its last change>".  Errors: MD_IO. */
MD_MUST_USE int segment_retire(const char *path);
/* 0700; fine if it exists and files can be made and read there.  Errors: MD_IO (errno says why). */
MD_MUST_USE int segment_make_dir(const char *dir);

#endif

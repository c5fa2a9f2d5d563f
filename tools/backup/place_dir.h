/* place_dir.h - a new state directory takes the place of the old one.
 *
 * Both change places at once where that can be.  A mount point, as in a container, cannot be
 * renamed, nor what an overlay has below it, as on a router, nor anything in a folder that is
 * somebody else's: there the new one is made inside, and its files change places with the old ones.
 * While that lasts, and while files elsewhere are put in place, the directory is marked; the broker
 * does not start on what a power cut leaves then (serve_host_whole()). */
#ifndef TOOLS_BACKUP_PLACE_DIR_H
#define TOOLS_BACKUP_PLACE_DIR_H

#include "broker/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct place_dir {
    char dir[512];   /* links followed                                      */
    char fresh[560]; /* the new one; "": not made, or in its place          */
    char aside[620]; /* where the old one is now; "": there was nothing     */
    bool is_there;   /* the old one                                         */
    bool marked;
    bool inside;     /* `fresh` is                                          */
    int lock;        /* on the old one; -1: none                            */
    struct stat old; /* of `dir`, when it is there                          */
};

/* Finds it.  Errors: MD_IO (errno says why). */
MD_MUST_USE int place_dir_find(struct place_dir *d, const char *dir);

/* Has it more than what a start that failed, or a package, or an earlier restore leaves behind? */
bool place_dir_has_state(const char *dir);

/* Makes `fresh`, empty.  The old one is locked.  Errors: MD_IO (errno says why). */
MD_MUST_USE int place_dir_make(struct place_dir *d);

/* From now on a power cut is seen.  Errors: MD_IO (errno says why). */
MD_MUST_USE int place_dir_mark(struct place_dir *d);

/* `fresh`, which is complete and owned as it should be, takes its place; the old one is set aside
 * under a name with `stamp`, and the mark goes.  Errors: MD_IO (errno says why): as it was. */
MD_MUST_USE int place_dir_swap(struct place_dir *d, const char *stamp);

/* After an error anywhere: `fresh`, which the caller has emptied, and the mark go, and so does the
 * directory if it was made for the mark. */
void place_dir_undo(struct place_dir *d);

/* "<path>.before-<stamp>"; with a number behind it when that is taken. */
void place_dir_name_aside(const char *path, const char *stamp, char *out, size_t cap);

/* Names in the folder are on the medium.  Errors: MD_IO. */
MD_MUST_USE int place_dir_sync(const char *folder);

#endif

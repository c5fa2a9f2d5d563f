/* place.h - puts the contents of a backup where they belong: all of it, or nothing.
 *
 * Everything is written beside its place first.  Then the files of the configuration are renamed,
 * and the state directory last: when that is there, all is.  A power cut in between is seen by the
 * next start (place_dir.h).  What was there before is set aside under a name with ".before-", never
 * deleted. */
#ifndef TOOLS_BACKUP_PLACE_H
#define TOOLS_BACKUP_PLACE_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/span.h"

#define PLACE_ERR_MAX 640

struct place_order {
    struct span archive; /* archive_check() said MD_OK */
    const char *dir;     /* the state directory        */
    bool config;         /* also the configuration and the files it names; those of them that lie in
                            `dir` come with it in any case */
    bool force;          /* what is there already is set aside            */
    const struct env *env;
};

struct placed {
    char aside[620]; /* the state directory of before; "": there was none */
    unsigned files;  /* of the configuration that were written            */
    unsigned same;   /* that were there already, byte for byte            */
    unsigned aside_files;
};

/* err  why not, with the next step; untouched on MD_OK.  Nothing is changed then.
 * Errors: MD_EXIST (a broker runs on it; or, without force, something is there), MD_IO, MD_NOMEM,
 * MD_CORRUPT. */
MD_MUST_USE int place(const struct place_order *o, struct placed *out, char err[PLACE_ERR_MAX]);

#endif

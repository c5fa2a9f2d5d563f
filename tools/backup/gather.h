/* gather.h - what goes into a backup: the state directory, and the configuration with the files it
 * names.  Reads only; a broker may run meanwhile. */
#ifndef TOOLS_BACKUP_GATHER_H
#define TOOLS_BACKUP_GATHER_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "broker/store/copy.h"

#define GATHER_ERR_MAX 640

struct gathered {
    char state_dir[512], config[1000]; /* config  "": none */
    long pid;                          /* of the broker that runs on it; 0: none */
    unsigned files;                    /* that the configuration names */
    unsigned certs;
    struct store_copied store;
};

/* config   the configuration file; NULL: that of the broker which runs on the usual state
 *          directory, otherwise none.
 * archive  archive.h; appended to, and holds secrets: buf_wipe().
 * err      why not, with the next step; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOENT (there is no state), MD_IO, MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int gather(struct gathered *out, const char *config, const struct env *env,
                       struct buf *archive, char err[GATHER_ERR_MAX]);

#endif

/* state.h - the store of a state directory, for the broker and for `merossd import`. */
#ifndef TOOLS_STATE_H
#define TOOLS_STATE_H

#include "broker/store/store.h"
#include "tools/config/config.h"
#include "tools/serve/serve_host.h"

/* Opens what the directory holds; a finding about it (a damaged file, what was left out) is logged.
 *
 * dir   locked with serve_host_dir().
 * c     its persistence_sync and journal_dir count.  A journal_dir that cannot be used costs a
 *       warning.
 * *out  given: store_close().
 * err   why not, with the next step; untouched on MD_OK.
 * Errors: those of store_file_open(). */
MD_MUST_USE int state_open(struct store **out, const char *dir, const struct config *c,
                           char err[SERVE_HOST_ERR_MAX]);

/* Where the journals in memory of a state directory may be: by the configuration or the user who
 * asks, of a service or root, and of the user whose directory it is. */
struct state_hot_dirs {
    char path[3][512];
    const char *list[4]; /* NULL-terminated, into `path`: do not copy */
};
void state_hot_dirs(const char *dir, const struct config *c, struct state_hot_dirs *out);

/* Gives what state_open() opened to the user whom root becomes.  Errors: MD_IO. */
MD_MUST_USE int state_give(const char *dir, const struct config *c, const struct serve_user *u,
                           char err[SERVE_HOST_ERR_MAX]);

#endif

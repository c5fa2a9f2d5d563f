/* import_state.h - where `merossd import` puts what it read: a state directory of ours.
 *
 * The reader's file is walked twice: what was received and is not released yet is published to the
 * sessions, so they must all be there. */
#ifndef TOOLS_IMPORT_STATE_H
#define TOOLS_IMPORT_STATE_H

#include "broker/base/env.h"
#include "tools/config/config.h"
#include "tools/import_db.h"
#include "tools/serve/serve_host.h"

struct import_taken {
    unsigned retained, sessions, subscriptions, queued;
    unsigned ours;    /* left out: merossd has its own of this name         */
    unsigned refused; /* left out: impossible for MQTT 3.1.1                */
};

/* Puts all of `file`, which import_db_read() has read once without an error, into a state directory;
 * nobody may use it meanwhile.  It is on the medium when this returns.
 *
 * cfg    of merossd: the directory's user, limits, persistence_sync.
 * taken  what was put there, also when it fails half-way: doing it again adds what is missing of
 *        retained messages, and leaves the sessions that are there as they are.
 * err    a sentence with cause and next step; untouched on MD_OK.
 * Errors: MD_EXIST (a broker uses it), MD_IO, MD_NOMEM, those of import_db_read(). */
MD_MUST_USE int import_state_write(struct span file, const struct config *cfg, const char *dir,
                                   const struct env *env, struct import_taken *taken,
                                   char err[SERVE_HOST_ERR_MAX]);

#endif

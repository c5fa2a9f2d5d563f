/* serve_host.h - what the broker needs of the computer before it serves: its directory, the lock
 * on it, its pid file, the way into the background, and whether a port is free. */
#ifndef TOOLS_SERVE_HOST_H
#define TOOLS_SERVE_HOST_H

#include "broker/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SERVE_HOST_ERR_MAX 640

/* In every function: err is a sentence with cause and next step, untouched on MD_OK. */

/* Makes the directory (0700) when it is missing, and locks it against a second broker.
 *
 * *lock  given: close(2), which unlocks.
 * Errors: MD_IO, MD_EXIST (another broker has it). */
MD_MUST_USE int serve_host_dir(const char *dir, int *lock, char err[SERVE_HOST_ERR_MAX]);

/* A file in a state directory whose configuration or files are being replaced (tools/backup). */
#define SERVE_HOST_MARK "restoring"

/* Errors: MD_EXIST: that was begun and did not end. */
MD_MUST_USE int serve_host_whole(const char *dir, char err[SERVE_HOST_ERR_MAX]);

/* The process that has it locked; 0: none, or there is no such directory.  Changes nothing. */
long serve_host_dir_user(const char *dir);

/* Writes our number.  Its directory is made when only that is missing.  A symbolic link is refused:
 * the file may lie where others may make one.
 * *ours  the file is there and has to be removed, also when writing failed.
 * Errors: MD_IO. */
MD_MUST_USE int serve_host_pid(const char *file, bool *ours, char err[SERVE_HOST_ERR_MAX]);

struct serve_user { /* whom root becomes */
    char name[64];
    uid_t uid;
    gid_t gid;
    bool wanted; /* false: nobody; nothing to do */
};

/* Looks the user up; NULL, `root`, or a program that root did not start: nobody.
 * Errors: MD_NOENT. */
MD_MUST_USE int serve_host_user(const char *name, struct serve_user *out,
                                char err[SERVE_HOST_ERR_MAX]);

/* Gives a directory that only root or the user can enter, and what is in it, to the user; any other
 * one, and files that have another name somewhere, stay as they are: they are not ours to give.
 * Errors: MD_IO. */
MD_MUST_USE int serve_host_give(const char *dir, const struct serve_user *u,
                                char err[SERVE_HOST_ERR_MAX]);

/* Gives up root for good: groups, group, user.  Errors: MD_IO. */
MD_MUST_USE int serve_host_become(const struct serve_user *u, char err[SERVE_HOST_ERR_MAX]);

/* Forks.  The parent waits until the child says serve_host_ready() and exits with 0, or with 1 when
 * the child ended before; only the child returns.
 * *ready  given to serve_host_ready().  Errors: MD_IO. */
MD_MUST_USE int serve_host_background(int *ready, char err[SERVE_HOST_ERR_MAX]);

/* Lets the parent go and the terminal too: 0, 1 and 2 become /dev/null.  -1: nothing to do. */
void serve_host_ready(int ready);

/* Could this port be opened now?  Says nothing about reasons other than "taken" and "forbidden".
 * host  NULL = every address.  Errors: MD_IO. */
MD_MUST_USE int serve_host_port_free(const char *host, unsigned port, char err[SERVE_HOST_ERR_MAX]);

#endif

/* spawn.h - running another program to its end, without a shell, and reading what it says. */
#ifndef TOOLS_SPAWN_H
#define TOOLS_SPAWN_H

#include "broker/base/buf.h"
#include "broker/base/env.h"

/* argv[0] is looked up in PATH.  The program gets nothing to read, LC_ALL=C, the usual signals and a
 * process group of its own, so that Ctrl-C in the terminal does not cut it short.
 *
 * out      what it wrote to standard output and standard error; what is too much is dropped.
 * *status  exit status, 128 + number of a signal; after timeout_ms it is killed: 137.
 * Errors: MD_NOENT no such program, MD_IO. */
MD_MUST_USE int spawn_run(const char *const *argv, unsigned timeout_ms, const struct env *env,
                          struct buf *out, int *status);

#endif

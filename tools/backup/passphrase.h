/* passphrase.h - where the passphrase of a backup comes from: a person, a file, or a pipe. */
#ifndef TOOLS_BACKUP_PASSPHRASE_H
#define TOOLS_BACKUP_PASSPHRASE_H

#include "tools/cli.h"

#define PASSPHRASE_MAX 1024 /* with its NUL   */
#define PASSPHRASE_MIN 8    /* of a new one   */

/* new_one  for a backup: asked for twice, and not too short.
 * out      secret: mem_wipe().
 * Returns CLI_DONE, or the exit status of what was said on cli->err. */
MD_MUST_USE int passphrase_get(struct cli *c, bool new_one, char out[PASSPHRASE_MAX]);

#endif

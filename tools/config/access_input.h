/* access_input.h - the configuration of access.h, made from that of config.h and the files it
 * names. */
#ifndef TOOLS_ACCESS_INPUT_H
#define TOOLS_ACCESS_INPUT_H

#include "broker/access/access.h"
#include "tools/config/config.h"

#define ACCESS_INPUT_FILE_MAX ((size_t)16 << 20) /* bytes of a password or ACL file */

struct access_input; /* holds the files' contents, and wipes them */

/* Reads the files; each once, however many listeners name it.  A listener's id is its index + 1.
 *
 * c     borrowed until access_input_free().
 * *out  given: access_input_free().
 * err   cause and next step; untouched on MD_OK.
 * Errors: MD_IO, MD_TOOBIG, MD_NOMEM. */
MD_MUST_USE int access_input_load(struct access_input **out, const struct config *c,
                                  char err[ACCESS_ERR_MAX]);
const struct access_config *access_input_config(const struct access_input *in); /* lent */
void access_input_free(struct access_input *in);                                /* NULL is fine */

/* All of it at once: reads the files and what is in them.
 * *out  given: access_drop() or access_swap().
 * Errors: MD_INVAL, and those of access_input_load(). */
MD_MUST_USE int access_input_read(struct rules **out, const struct config *c, const struct env *env,
                                  char err[ACCESS_ERR_MAX]);

#endif

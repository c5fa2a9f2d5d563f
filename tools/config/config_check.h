/* config_check.h - does what a configuration names exist, and can it be used?  Certificates and
 * their keys, CA files, the time zone, users and rights; each kind is a row in a table.  Opens files, changes
 * nothing. */
#ifndef TOOLS_CONFIG_CHECK_H
#define TOOLS_CONFIG_CHECK_H

#include "tools/config/config.h"

/* err  "FILE:LINE: ..." of the first fault; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int config_check(const struct config *c, const struct env *env,
                             char err[CONFIG_ERR_MAX]);

#endif

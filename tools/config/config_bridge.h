/* config_bridge.h - the `connection NAME` sections: what their lines mean and what they lack.
 * Pure; part of config.c. */
#ifndef TOOLS_CONFIG_BRIDGE_H
#define TOOLS_CONFIG_BRIDGE_H

#include "tools/config/config.h"
#include "tools/config/config_options.h"

/* Opens a section; its options have their defaults.
 * Errors: MD_INVAL (the name), MD_EXIST (another section has it), MD_FULL (CONFIG_MAX_BRIDGES),
 * MD_NOMEM. */
MD_MUST_USE int config_bridge_open(struct config *c, const struct config_option *o,
                                   struct span name, const char *file, unsigned line);

/* A value of CONFIG_ADDRESSES, CONFIG_BRIDGE_TOPIC or CONFIG_RESTART; `at` is the member.
 * Errors: as config_value_set(). */
MD_MUST_USE int config_bridge_set(const struct config_option *o, void *at, struct span value);

/* What is accepted and yet is not what the words say; NULL: nothing.  Static. */
const char *config_bridge_remark(const struct config_option *o, struct config_bridge *b);

/* Looks at the whole of section i; NULL, or what is wrong.  Static. */
const char *config_bridge_fault(const struct config *c, size_t i);

void config_bridges_free(struct config *c);

#endif

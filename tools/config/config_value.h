/* config_value.h - one value of a line, checked against its row and stored.  Pure. */
#ifndef TOOLS_CONFIG_VALUE_H
#define TOOLS_CONFIG_VALUE_H

#include "broker/base/err.h"
#include "tools/config/config_options.h"

/* Stores `value` in `base`, the struct that o->offset is relative to.  Not for CONFIG_LISTENER
 * and CONFIG_INCLUDE.
 * Errors: MD_INVAL (not what config_option_allowed() says), MD_EXIST (a text that is already
 * set), MD_FULL (too many of a repeatable one), MD_NOMEM. */
MD_MUST_USE int config_value_set(const struct config_option *o, void *base, struct span value);

/* Is `value` the word of the row that stands for `meaning`? */
bool config_value_is(const struct config_option *o, struct span value, unsigned meaning);

/* Decimal digits only, min to max.  Errors: MD_INVAL. */
MD_MUST_USE int config_value_number(struct span text, uint64_t min, uint64_t max, uint64_t *out);

#endif

/* config_unknown.h - what to say of a name that is not in the table of options: mosquitto has it,
 * or it is spelt nearly like one that is. */
#ifndef TOOLS_CONFIG_UNKNOWN_H
#define TOOLS_CONFIG_UNKNOWN_H

#include "broker/base/span.h"

/* An option of mosquitto's that cannot be honoured. */
bool config_unknown_foreign(struct span name);

/* What holds instead of a foreign option; lent, static. */
const char *config_unknown_instead(struct span name);

/* The option or foreign option whose name is spelt most like `name`; NULL when none is close. */
const char *config_unknown_like(struct span name);

#endif

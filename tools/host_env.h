/* host_env.h - the real clocks and random numbers, for verbs that run without a server. */
#ifndef TOOLS_HOST_ENV_H
#define TOOLS_HOST_ENV_H

#include "broker/base/env.h"

const struct env *host_env(void); /* lent, static */

#endif

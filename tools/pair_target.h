/* pair_target.h - where a plug that is being set up will find the broker. */
#ifndef TOOLS_PAIR_TARGET_H
#define TOOLS_PAIR_TARGET_H

#include "meross/wire/http.h"
#include "tools/cli.h"
#include "tools/hostnet.h"

/* What --host and --port say; otherwise what the broker that `c` is connected to says of its TLS
 * listener, and how it was reached; otherwise an address of this computer.
 * Returns CLI_DONE; otherwise the exit status, said on cli->err. */
MD_MUST_USE int pair_target_find(struct cli *c, char host[HTTP_HOST_MAX + 1], unsigned *port);

/* The address of this computer that a plug can be told: IPv4, not loopback, and not in the plug's
 * own network, which this computer may have joined; lent by net; NULL: there is none. */
const char *pair_target_own_address(const struct hostnet *net);

#endif

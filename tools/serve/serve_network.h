/* serve_network.h - answers <base>/broker/request/network: who we are on this host, where we listen,
 * and with whom we have tried to connect since the start.  For `merossd doctor`. */
#ifndef TOOLS_SERVE_NETWORK_H
#define TOOLS_SERVE_NETWORK_H

#include "broker/server.h"

struct serve;
struct serve_network;

/* s     kept; its broker, server and configuration exist until serve_network_free().
 * *out  given: serve_network_free(), before the broker is.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int serve_network_new(struct serve_network **out, const struct serve *s);
void serve_network_free(struct serve_network *n); /* NULL is fine */

#endif

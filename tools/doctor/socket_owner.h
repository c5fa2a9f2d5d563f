/* socket_owner.h - which program has which sockets, as far as this user may see it.  Linux only. */
#ifndef TOOLS_SOCKET_OWNER_H
#define TOOLS_SOCKET_OWNER_H

#include "broker/base/err.h"
#include "tools/doctor/socket_table.h"

/* "mosquitto, process 1234": who listens on this TCP port; false: nobody, or it is not to be seen. */
bool socket_owner(unsigned port, char *out, size_t cap);

/* Calls `each` for each TCP and UDP socket of a process, with "tcp" or "udp".
 * Errors: MD_DENIED (another user's), MD_NOENT (no such process), MD_IO (no /proc/net), MD_NOMEM. */
MD_MUST_USE int
socket_each_of(long pid, void (*each)(void *ctx, const char *kind, const struct socket_line *s),
               void *ctx);

#endif

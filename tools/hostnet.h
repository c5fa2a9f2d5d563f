/* hostnet.h - under which names and addresses this computer can be reached. */
#ifndef TOOLS_HOSTNET_H
#define TOOLS_HOSTNET_H

#include "broker/base/span.h"

#define HOSTNET_NAMES_MAX 40u
#define HOSTNET_NAME_MAX  80u

struct hostnet { /* a plain value, but `list` points into `names`: do not copy */
    char names[HOSTNET_NAMES_MAX][HOSTNET_NAME_MAX];
    const char *list[HOSTNET_NAMES_MAX + 1]; /* NULL-terminated, the most important first */
    size_t n;
    bool has_main; /* names[0] is the address that other hosts most likely use */
};

/* The main IPv4 address, the host's name, <name>.local, localhost, 127.0.0.1, ::1, and every
 * other address but link-local ones and the temporary ones of IPv6, which change daily.
 * What cannot be found out is left out; localhost is always there. */
void hostnet_read(struct hostnet *out);

/* Adds a name once; what is too long or too much is left out. */
void hostnet_add(struct hostnet *h, const char *name);

/* Is `address`, as getifaddrs(3) has it, marked as temporary in this /proc/net/if_inet6? */
bool hostnet_temporary(struct span if_inet6, const uint8_t address[16]);

#endif

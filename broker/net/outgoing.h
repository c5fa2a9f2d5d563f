/* outgoing.h - the list of every connection that this program has tried to make, by destination:
 * what `merossd doctor --offline` shows.  Whoever connects a socket notes it here first. */
#ifndef BROKER_NET_OUTGOING_H
#define BROKER_NET_OUTGOING_H

#include "broker/server.h"

#include <sys/socket.h>

#define OUTGOING_MAX 64 /* destinations that are told apart; further ones are only counted */

struct outgoing { /* a zeroed one is empty */
    struct server_outgoing v[OUTGOING_MAX];
    unsigned n;
    unsigned more;    /* attempts to destinations beyond those */
    unsigned lookups; /* names that were looked up             */
};

/* why  who wants it: "bridge office"; part of what tells entries apart, copied and cut. */
void outgoing_note(struct outgoing *o, const struct sockaddr *to, const char *why, uint64_t now_ms);

/* Loopback, the ranges that are never routed in the internet, or anything else. */
enum server_reach outgoing_reach(const struct sockaddr *to);

#endif

/* web.h - the socket of one simulated plug's HTTP server, and its connections; the caller polls. */
#ifndef TESTS_PLUGSIM_WEB_H
#define TESTS_PLUGSIM_WEB_H

#include <poll.h>

#include "tests/plugsim/lan/sim_http.h"

#define WEB_CONNS 8
#define WEB_FDS   (WEB_CONNS + 1)

struct web_conn {
    int fd; /* -1: free */
    struct sim_http http;
};

struct web {
    struct simplug *plug; /* lent */
    int fd;               /* -1: not open */
    unsigned port;
    struct web_conn conn[WEB_CONNS];
};

void web_init(struct web *w, struct simplug *plug); /* plug kept */
/* port 0: any free one; w->port tells it.  Errors: MD_INVAL no such address, MD_IO. */
MD_MUST_USE int web_open(struct web *w, const char *address, unsigned port);
void web_close(struct web *w);

/* What to wait for: fills WEB_FDS entries; returns when something is due. */
uint64_t web_poll(const struct web *w, struct pollfd *fds);
void web_step(struct web *w, uint64_t now); /* does what can be done now */

#endif

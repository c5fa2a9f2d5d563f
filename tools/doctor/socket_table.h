/* socket_table.h - the tables of sockets that Linux shows: /proc/net/tcp, tcp6, udp, udp6.  Pure. */
#ifndef TOOLS_SOCKET_TABLE_H
#define TOOLS_SOCKET_TABLE_H

#include "broker/base/span.h"

enum socket_reach { SOCKET_LOOPBACK, SOCKET_LOCAL, SOCKET_PUBLIC, SOCKET_NOWHERE };

struct socket_line {
    char remote[48]; /* "192.0.2.1", "" when it has no peer */
    unsigned local_port, remote_port;
    unsigned state; /* 1 established, 2 SYN sent, 10 listening */
    enum socket_reach reach;
    uint64_t inode;
};

#define SOCKET_LISTENS 10u

/* Takes the next line off *rest; the heading, and lines that are none, are passed over.  False at
 * the end. */
bool socket_table_next(struct span *rest, struct socket_line *out);

#endif

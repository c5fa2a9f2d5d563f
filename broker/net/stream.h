/* stream.h - one TCP connection: uv_tcp_t + optional tls + one conn (stream*.c); and all of them,
 * once a turn (streams.c).
 *
 * Private to broker/net.  Nobody else reads from, writes to or closes a client's handle; a stream
 * frees itself when its handle is closed and no thread works for it. */
#ifndef BROKER_NET_STREAM_H
#define BROKER_NET_STREAM_H

#include "broker/net/server_int.h"

struct stream;

/* Accepts from `from`.  Errors are logged and the socket is closed.  False: there was no memory to
 * accept it; libuv holds it, and the caller tries again later. */
bool stream_accept(struct listener *l, uv_stream_t *from);

/* Writes what every woken stream has to send: one write per stream and
 * loop iteration.  Works on a snapshot of the list: a stream that wakes
 * meanwhile waits for the next iteration. */
void streams_flush(struct server *s);
void streams_ended(struct server *s);   /* tells the ends that were put off, up to ENDS a turn */
void streams_hold(struct server *s);    /* take now what is to be sent when the flush is done */
void streams_release(struct server *s); /* send what waited for the flush that is done */
void streams_sweep(struct server *s);   /* cut what lingers too long; about every second */
void streams_end(struct server *s, const char *why); /* lose all, send what is waiting */
void streams_cut(struct server *s); /* close what is still open, now              */

#endif

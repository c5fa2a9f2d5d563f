/* server_int.h - struct server and what hangs on it, for broker/net only. */
#ifndef BROKER_NET_SERVER_INT_H
#define BROKER_NET_SERVER_INT_H

#include "broker/base/buf.h"
#include "broker/base/list.h"
#include "broker/core/conn.h"
#include "broker/net/durable.h"
#include "broker/net/outgoing.h"
#include "broker/net/workers.h"
#include "broker/server.h"
#include "broker/tls/tls.h"

#include <uv.h>

#define READ_BYTES ((size_t)64 << 10)         /* the one read buffer all connections share   */
#define ROOM_PLAIN (READ_BYTES + (20u << 10)) /* decrypted at once; more than one record */

struct tls_holder {   /* a tls_ctx and how many use it: its listener and its connections */
    struct list link; /* in server->holders */
    struct tls_ctx *ctx;
    unsigned refs;
};

#define LISTEN_SOCKETS 8
#define PEER_MAX       64 /* peer.h */

union socket {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe; /* a Unix socket */
};

struct listener {
    struct list link; /* in server->listeners */
    struct server *server;
    unsigned refs; /* the server's one, its open sockets, and the streams it accepted */
    unsigned id;
    struct tls_holder *tls; /* NULL: in clear */
    bool is_unix, websockets, nagle;
    char **origins; /* NULL: every one */
    char *mount;    /* NULL: none      */
    size_t max_packet;
    unsigned max_connections, max_handshakes;
    unsigned n_streams;
    struct list handshakes; /* those that are not through; oldest first */
    unsigned n_handshakes;
    unsigned n_sockets;                  /* opened in `socket` */
    union socket socket[LISTEN_SOCKETS]; /* one for each address of its host name */
    bool waiting[LISTEN_SOCKETS];        /* a connection there is not accepted yet */
};

/* "This happened" once a minute, with how often. */
struct seldom {
    uint64_t next_ms;
    unsigned n;
};

struct burden {       /* since memory was given back to the system */
    size_t bytes;     /* the most that were in use       */
    unsigned streams; /* so many came and went           */
    unsigned seconds; /* counted, for broker_shrink()    */
};

struct server {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t turn;   /* wakes the loop for broker_turn()                */
    uv_timer_t second; /* lingering connections, the store                 */
    uv_signal_t signals[4];
    struct env env;
    struct broker *broker;
    struct durable durable;
    struct server_signals on;
    struct list listeners, streams;
    struct list holders; /* also those whose listener has newer files by now */
    unsigned n_streams;
    struct list dirty;        /* streams that have something to send or to close      */
    struct list begun, fresh; /* handshakes that wait for a step: those that are in the middle
                                 go first, so that few are half done and the first are through
                                 soon */
    struct list jobs;         /* struct job: server_every() */
    struct list dials;        /* struct dial: server_bridge() */
    struct list exchanges;    /* struct exchange: server_exchange() */
    struct list udps;         /* struct udp: server_udp() */
    struct outgoing outgoing;
    unsigned n_work; /* requests of ours in the thread pool, and steps of handshakes */
    unsigned grace_ms;
    uint64_t stop_ms; /* when what is still open is cut; 0 = running */
    struct seldom no_files, no_handshakes, no_room;
    int max_fd; /* a socket with this number is refused: what is above is for the store */
    struct burden burden;
    bool retry;          /* a connection that waits may be accepted now */
    unsigned n_accepted; /* in this turn */
    unsigned n_ends;     /* of connections, in this turn          */
    unsigned n_put_off;  /* streams whose end is put off, in `dirty` */
    unsigned n_steps;    /* of handshakes, in `workers` */
    struct workers workers;
    struct buf plain;
    uint8_t *read_buf, *stage;
    char peer_text[PEER_MAX]; /* of stream_peer() */
};

/* limits.c: file numbers, cores, and memory after a burden. */
void limits_files(struct server *s);
void limits_turn(struct server *s);   /* every turn         */
void limits_memory(struct server *s); /* about every second */
unsigned limits_cores(void);          /* that we may use; at most WORKERS_MAX */
/* True once a minute, with *n = how often it happened since the last time. */
bool seldom(struct seldom *s, uint64_t now_ms, unsigned *n);

/* server.c */
struct server_moment server_now(void);

/* udp.c */
void udps_close(struct server *s);

/* stream_tls.c: where the steps of handshakes run.  Errors: MD_IO. */
MD_MUST_USE int server_workers_new(struct server *s);

/* listen.c */
void listener_close(struct listener *l);
void listener_retry(struct listener *l); /* accept what had to wait */
void listener_unref(struct listener *l);
/* What to do about an address that cannot be bound, to stand behind the error; "" when nobody
 * knows.
 *
 * in_use  what to say when another program has it; lent back. */
const char *listener_next_step(int uv, const char *in_use);
/* May one more be accepted now?  False: it waits in the kernel.  May end an idle handshake. */
bool listener_room(struct listener *l);
void tls_holder_unref(struct tls_holder *h); /* NULL is fine */
/* Of a listener, or of a client.  Errors: as tls_ctx_new(). */
MD_MUST_USE int tls_holder_new(struct tls_holder **out, struct server *s,
                               const struct server_tls *t, bool server, char err[SERVER_ERR_MAX]);

#endif

/* server_int.h - struct server and struct stream, for broker/net only. */
#ifndef BROKER_NET_SERVER_INT_H
#define BROKER_NET_SERVER_INT_H

#include "broker/base/buf.h"
#include "broker/base/list.h"
#include "broker/core/conn.h"
#include "broker/server.h"
#include "broker/tls/tls.h"

#include <uv.h>

#define READ_BYTES ((size_t)64 << 10)         /* the one read buffer all connections share   */
#define ROOM_PLAIN (READ_BYTES + (20u << 10)) /* decrypted at once; more than one record */

struct tls_holder { /* a tls_ctx and how many use it: its listener and its connections */
    struct tls_ctx *ctx;
    unsigned refs;
};

struct listener {
    struct list link; /* in server->listeners */
    struct server *server;
    unsigned id;
    struct tls_holder *tls; /* NULL: in clear */
    unsigned n_sockets;     /* open handles of `tcp` */
    uv_tcp_t tcp[8];        /* one for each address of its host name */
    bool waiting[8];        /* a connection there could not be accepted yet: no memory */
};

struct server {
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_timer_t turn;   /* wakes the loop for broker_turn()                */
    uv_timer_t second; /* lingering connections, the store                 */
    uv_signal_t signals[4];
    struct env env;
    struct broker *broker;
    struct store *store;
    struct store_flush *flush; /* under way in the thread pool */
    uv_work_t flush_work;
    int flush_result;
    uint64_t flushed_ms, complained_ms;
    struct server_signals on;
    struct list listeners, streams;
    struct list dirty;   /* streams that have something to send or to close      */
    struct list resting; /* streams that have used their read budget of this turn */
    struct list queue;   /* streams that wait for a TLS lane                      */
    struct list jobs;    /* struct job: server_every() */
    struct list dials;   /* struct dial: server_bridge() */
    unsigned n_work;     /* requests of ours in the thread pool */
    unsigned grace_ms;
    uint64_t stop_ms; /* when what is still open is cut; 0 = running */
    struct buf plain;
    uint8_t *read_buf, *stage;
};

/* server.c: one turn of the broker and one flush of each stream, once per loop iteration. */
void server_turn(struct server *s);
/* Nothing a client is told may leave before the flush that is under way is done. */
bool server_holding(const struct server *s);

/* listen.c */
void listener_close(struct listener *l);
void listener_retry(struct listener *l);     /* accept what had to wait; about every second */
void tls_holder_unref(struct tls_holder *h); /* NULL is fine */
/* Of a listener, or of a client.  Errors: as tls_ctx_new(). */
MD_MUST_USE int tls_holder_new(struct tls_holder **out, const struct server_tls *t, bool server,
                               char err[SERVER_ERR_MAX]);

#endif

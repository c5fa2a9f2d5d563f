/* stream_int.h - struct stream, for stream*.c. */
#ifndef BROKER_NET_STREAM_INT_H
#define BROKER_NET_STREAM_INT_H

#include "broker/net/stream.h"
#include "broker/net/ws_frame.h"

enum stream_state {
    STREAM_DIALING, /* of ours, not connected yet: there is no conn */
    STREAM_OPEN,
    STREAM_ENDING, /* the conn is gone; last bytes are being written          */
    STREAM_LINGER, /* FIN is sent; reads and discards until the peer closes, so that
                      no RST overtakes the last bytes                           */
    STREAM_CLOSED  /* uv_close() was called */
};

struct ws_link { /* of a connection over WebSockets */
    struct ws_reader reader;
    struct buf in;  /* the HTTP request, until it is whole                   */
    struct buf out; /* what the transport itself says: answer, pongs, close  */
    bool open;      /* upgraded: frames from here on                         */
    bool closed;    /* our close frame is on its way                         */
    uint8_t head[WS_HEAD_MAX];
};

struct shake { /* a TLS handshake: from tls_new() until it is over, then freed */
    struct stream *stream;
    struct list link;        /* in listener->handshakes, oldest first */
    struct list wait;        /* in server->begun or ->fresh: for its lane */
    uint64_t accepted_ms;    /* it began                              */
    struct worker_item work; /* a step */
    int result;              /* of that step                          */
    bool working;            /* a worker has `tls` */
};

#define STREAM_LINGER_MS 2000 /* so long its last bytes may take to leave */

/* An idle client is this, its conn and its Session: what only some need hangs on a pointer. */
struct stream {
    struct list link;          /* in server->streams         */
    struct list dirty;         /* in server->dirty           */
    struct listener *listener; /* NULL: one of ours          */
    struct dial *dial;         /* of ours; NULL: it was accepted, or its dial has left it */
    struct conn *conn;         /* NULL once it is lost       */
    struct ws_link *ws;        /* NULL: bare MQTT            */
    struct tls *tls;           /* NULL: in clear             */
    struct tls_holder *holder;
    struct shake *shake;     /* NULL: there is no handshake under way           */
    struct pending *pending; /* a write the kernel has not taken whole          */
    struct kept *tail;       /* pieces taken from the conn and not sent yet     */
    uint64_t linger_ms;      /* when lingering ends                             */
    uint32_t turn_bytes;     /* read since the last turn                        */
    uint8_t state;
    bool sniffed; /* the first bytes were looked at                             */
    bool reading;
    bool resting; /* its read budget is used: reads again after this turn       */
    bool handle_closed;
    int16_t end;    /* how its reading ended, while the end is put off; 0: it is not */
    union socket h; /* the last: only the half of it that is in use is allocated */
};

static inline struct server *stream_server(const struct stream *s)
{
    return LIST_OF(s->h.handle.loop, struct server, loop);
}

/* The worker has `tls`. */
static inline bool stream_working(const struct stream *s)
{
    return s->shake != NULL && s->shake->working;
}

/* For log lines: who the peer is.  Lent until the next call for any stream. */
const char *stream_peer(const struct stream *s);
void stream_read_start(struct stream *s);
void stream_read_stop(struct stream *s);
void stream_mark_dirty(struct stream *s);
/* The peer closed its direction (UV_EOF), or reading failed. */
void stream_ended(struct stream *s, ssize_t err);
/* The same, now or in a later turn: see streams_ended(). */
void streams_end_in_turn(struct stream *s, ssize_t err);
void streams_not_put_off(struct stream *s); /* it is closed, or ends now */
/* The transport failed, or the peer closed: no byte goes out any more. */
void stream_close(struct stream *s, const char *why);
/* The conn ends; what is waiting is still sent. */
void stream_finish(struct stream *s, const char *why);
/* Feeds decrypted or plain bytes, which it may change, and overwrites a CONNECT; stops reading
 * where the conn says so. */
void stream_feed(struct stream *s, uint8_t *p, size_t n);

/* Its handshake is over, whichever way: the listener counts it no more.  `shake` is freed, unless
 * a worker has it. */
void stream_shaken(struct stream *s);

/* stream_out.c.  True: there is more for the next turn. */
bool stream_flush(struct stream *s);
/* Keeps what it has to say, unsent until the store has what that acknowledges. */
void stream_hold(struct stream *s);
/* Sends what was kept so, once the store has it. */
void stream_release(struct stream *s);
/* What the WebSocket layer itself has to say; true: nothing of it waits. */
bool stream_send_own(struct stream *s);
void stream_drop_output(struct stream *s); /* what is kept for later turns */
bool stream_send_cipher(
    struct stream *s); /* tls_output() to the socket; false: nothing went wrong but
                                              a write is pending */

/* stream_ws.c */
MD_MUST_USE int stream_ws_new(struct stream *s); /* MD_NOMEM */
void stream_ws_free(struct stream *s);
void stream_ws_feed(struct stream *s, uint8_t *p, size_t n);
void stream_ws_wrap(struct stream *s, struct conn_out *out); /* makes one binary frame of it */
void stream_ws_end(struct stream *s);                        /* queues the close frame, once */

/* For dial.c: a stream that is not connected yet, and what it becomes.  The conn is made by
 * bridge_connect(), and TLS begins. */
/* l: NULL for one of ours.  NULL: no memory. */
struct stream *stream_new(struct server *server, struct listener *l);
/* host: as in tls_new().  Errors: MD_NOMEM; the caller closes. */
MD_MUST_USE int stream_opened(struct stream *s, struct tls_holder *tls, const char *host);

/* stream_tls.c */
void stream_tls_begin(struct stream *s); /* the client speaks first */
void stream_tls_input(struct stream *s, struct span cipher);
/* Says what a handshake that was cut short lacked; true: it is in the log. */
bool stream_tls_eof(struct stream *s);
void stream_tls_queue_next(struct server *s);

#define STREAM_TLS_WHY (TLS_ERR_MAX + 32)

/* Why tls_write() failed with `err`, as the end of the connection is told.  Returns out. */
const char *stream_tls_unsent(const struct tls *t, int err, char out[STREAM_TLS_WHY]);

#endif

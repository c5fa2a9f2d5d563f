/* stream_int.h - struct stream, for stream.c, stream_out.c and stream_tls.c. */
#ifndef BROKER_NET_STREAM_INT_H
#define BROKER_NET_STREAM_INT_H

#include "broker/net/stream.h"

enum stream_state {
    STREAM_DIALING, /* of ours, not connected yet: there is no conn */
    STREAM_OPEN,
    STREAM_ENDING, /* the conn is gone; last bytes are being written          */
    STREAM_LINGER, /* FIN is sent; reads and discards until the peer closes, so that
                      no RST overtakes the last bytes                           */
    STREAM_CLOSED  /* uv_close() was called */
};

struct stream {
    struct list link;  /* in server->streams         */
    struct list dirty; /* in server->dirty           */
    struct list wait;  /* in server->resting or ->queue */
    struct server *server;
    struct conn *conn; /* NULL once it is lost */
    struct tls *tls;   /* NULL: in clear       */
    struct tls_holder *holder;
    struct pending *pending; /* a write the kernel has not taken whole */
    struct kept *tail;       /* pieces taken from the conn and not sent yet */
    uv_tcp_t tcp;
    uv_work_t work; /* a handshake step in the thread pool */
    int work_result;
    uint32_t turn_bytes; /* read since the last turn */
    uint64_t linger_ms;  /* when lingering ends      */
    uint8_t state;
    bool working; /* the thread pool has `tls`            */
    bool sniffed; /* the first bytes were looked at       */
    bool reading;
    bool handle_closed;
    struct dial *dial; /* of ours; NULL: it was accepted */
    char peer[64];
};

void stream_read_start(struct stream *s);
void stream_read_stop(struct stream *s);
void stream_mark_dirty(struct stream *s);
/* The transport failed, or the peer closed: no byte goes out any more. */
void stream_close(struct stream *s, const char *why);
/* The conn ends; what is waiting is still sent. */
void stream_finish(struct stream *s, const char *why);
/* Feeds decrypted or plain bytes; stops reading where the conn or the budget says so. */
void stream_feed(struct stream *s, struct span plain);

/* stream_out.c.  True: there is more for the next turn. */
bool stream_flush(struct stream *s);
void stream_hold(struct stream *s); /* keeps what it has to say, unsent; persistence_sync always */
void stream_drop_output(struct stream *s); /* what is kept for later turns */
bool stream_send_cipher(
    struct stream *s); /* tls_output() to the socket; false: nothing went wrong but
                                              a write is pending */

/* For dial.c: a stream that is not connected yet, and what it becomes.  The conn is made by
 * bridge_connect(), and TLS begins. */
struct stream *stream_new(struct server *server); /* NULL: no memory */
bool stream_learn_peer(struct stream *s);         /* true: it is this host */
int stream_opened(struct stream *s, struct tls_holder *tls, const char *host, bool loopback);

/* stream_tls.c */
void stream_tls_begin(struct stream *s); /* the client speaks first */
void stream_tls_input(struct stream *s, struct span cipher);
void stream_tls_eof(struct stream *s); /* says what a handshake that was cut short lacked */
void stream_tls_queue_next(struct server *s);

#endif

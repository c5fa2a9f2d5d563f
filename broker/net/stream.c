#include "broker/net/stream.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/dial.h"
#include "broker/net/peer.h"
#include "broker/net/sniff.h"
#include "broker/net/stream_int.h"

#define TURN_BUDGET (256u << 10) /* bytes read from one client before the others have their turn */
#define PATIENCE_MS 1000         /* a handshake this old may have to make room for a new one    */
#define ACCEPTS     16           /* connections accepted in one turn: each costs some 30 us */
#define KEEPALIVE_S 120 /* TCP asks whether the peer still lives; MQTT may be told not to */

const char *stream_peer(const struct stream *s)
{
    struct server *server = stream_server(s);
    if (s->conn != NULL)
        return conn_address(s->conn);
    (void)peer_learn(&s->h, server->peer_text);
    return server->peer_text;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct stream *s = h->data;
    *buf = uv_buf_init((char *)stream_server(s)->read_buf, (unsigned)READ_BYTES);
}

/* Feeding may close the stream; it is freed from a callback of its own, never below us. */
void stream_feed(struct stream *s, uint8_t *p, size_t n)
{
    if (s->conn == NULL)
        return;
    bool secret = conn_expects_connect(s->conn);
    if (s->ws != NULL)
        stream_ws_feed(s, p, n);
    else
        conn_feed(s->conn, span_of(p, n));
    if (secret)
        mem_wipe(p, n); /* the buffer is shared, and may lie there for a long time */
    if (s->conn != NULL && !conn_reading(s->conn))
        stream_read_stop(s); /* until its answers are gone: see stream_flush() */
}

static bool sniff_ok(struct stream *s, struct span first)
{
    if (s->sniffed)
        return true;
    s->sniffed = true;
    const char *fault = s->tls != NULL ? sniff_fault(first, SNIFF_TLS)
                        : s->ws != NULL
                            ? NULL /* stream_ws.c looks itself, for TLS may lie in between */
                            : sniff_fault(first, SNIFF_MQTT);
    if (fault == NULL)
        return true;
    log_warn("net", "peer=%s %s", stream_peer(s), fault);
    conn_failed(s->conn, fault);
    stream_close(s, "");
    return false;
}

static void rest(struct stream *s)
{
    stream_read_stop(s);
    s->resting = true;
    stream_mark_dirty(s);
}

static void on_data(struct stream *s, uint8_t *p, size_t n)
{
    if (s->state != STREAM_OPEN || !sniff_ok(s, span_of(p, n))) {
        mem_wipe(p, n); /* lingering: discarded; at the wrong port: a CONNECT with a password */
        return;
    }
    s->turn_bytes += (uint32_t)n;
    if (s->tls != NULL)
        stream_tls_input(s, span_of(p, n));
    else
        stream_feed(s, p, n);
    if (s->reading && s->turn_bytes >= TURN_BUDGET)
        rest(s);
}

void stream_ended(struct stream *s, ssize_t err)
{
    bool said = false;
    const char *why = err == UV_EOF ? "it closed the connection" : uv_strerror((int)err);
    if (s->state == STREAM_OPEN) {
        stream_read_stop(s);
        if (s->tls != NULL)
            said = stream_tls_eof(s);
        stream_hold(s);
    }
    /* It may have closed only its own direction: what it is owed is sent after this turn is
     * written down. */
    if (s->state == STREAM_OPEN && s->tail != NULL && err == UV_EOF)
        stream_finish(s, why);
    else
        stream_close(s, said ? "" : why);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = h->data;
    if (n > 0)
        on_data(s, (uint8_t *)buf->base, (size_t)n);
    else if (n < 0)
        streams_end_in_turn(s, n);
}

void stream_read_start(struct stream *s)
{
    if (!s->reading && s->state != STREAM_CLOSED)
        s->reading = uv_read_start(&s->h.stream, on_alloc, on_read) == 0;
}

void stream_read_stop(struct stream *s)
{
    if (s->reading)
        (void)uv_read_stop(&s->h.stream);
    s->reading = false;
}

void stream_mark_dirty(struct stream *s)
{
    list_remove(&s->dirty);
    list_append(&stream_server(s)->dirty, &s->dirty);
}

static void on_wake(void *ctx) { stream_mark_dirty(ctx); }

static void stream_free(struct stream *s)
{
    if (!s->handle_closed || stream_working(s))
        return;
    list_remove(&s->link);
    list_remove(&s->dirty);
    stream_shaken(s); /* its work is done, at the latest by now */
    stream_server(s)->burden.streams++;
    stream_drop_output(s);
    stream_ws_free(s);
    tls_free(s->tls);
    tls_holder_unref(s->holder);
    stream_tls_queue_next(stream_server(s)); /* its lane is free */
    if (s->listener != NULL)
        listener_unref(s->listener);
    mem_free(s);
}

static void on_closed(uv_handle_t *h)
{
    struct stream *s = h->data;
    s->handle_closed = true;
    stream_free(s);
}

static void lose(struct stream *s, const char *why)
{
    struct conn *c = s->conn;
    s->conn = NULL;
    if (c != NULL)
        conn_lost(c, why);
}

void stream_close(struct stream *s, const char *why)
{
    lose(s, why);
    if (s->state == STREAM_CLOSED) {
        stream_free(s); /* a handshake step has just ended */
        return;
    }
    s->state = STREAM_CLOSED;
    s->reading = false;
    streams_not_put_off(s);
    stream_server(s)->n_streams--;
    if (s->listener != NULL)
        s->listener->n_streams--;
    stream_shaken(s);
    list_remove(&s->dirty);
    uv_close(&s->h.handle, on_closed);
}

void stream_shaken(struct stream *s)
{
    struct shake *k = s->shake;
    if (k == NULL)
        return;
    list_remove(&k->wait);
    if (!list_empty(&k->link)) {
        list_remove(&k->link);
        s->listener->n_handshakes--;
        s->listener->server->retry = true;
    }
    if (k->working)
        return;
    mem_free(k);
    s->shake = NULL;
}

void stream_finish(struct stream *s, const char *why)
{
    lose(s, why);
    if (s->state == STREAM_DIALING)
        stream_close(s, why);
    if (s->state == STREAM_OPEN) {
        s->state = STREAM_ENDING;
        s->linger_ms = uv_now(&stream_server(s)->loop) + STREAM_LINGER_MS;
        stream_mark_dirty(s);
    }
}

/* TLS, with its handshake still to come. */
static int begin_tls(struct stream *s, struct tls_holder *holder, const char *host)
{
    s->shake = mem_alloc(sizeof *s->shake);
    int err = s->shake == NULL ? MD_NOMEM : tls_new(&s->tls, holder->ctx, host);
    if (err != MD_OK) {
        mem_free(s->shake);
        s->shake = NULL;
        return err;
    }
    s->holder = holder;
    holder->refs++;
    s->shake->stream = s;
    s->shake->accepted_ms = uv_now(s->h.handle.loop);
    list_init(&s->shake->link);
    list_init(&s->shake->wait);
    return MD_OK;
}

static void set_up_socket(struct stream *s)
{
    if (s->listener->is_unix)
        return;
    (void)uv_tcp_nodelay(&s->h.tcp, !s->listener->nagle);
    (void)uv_tcp_keepalive(&s->h.tcp, 1, KEEPALIVE_S);
}

static int attach(struct stream *s, struct listener *l)
{
    char text[PEER_MAX];
    struct conn_peer peer = {.address = text,
                             .listener = l->id,
                             .tls = l->tls != NULL,
                             .mount = l->mount,
                             .loopback = peer_learn(&s->h, text)};
    set_up_socket(s);
    int err = l->websockets ? stream_ws_new(s) : MD_OK;
    if (err == MD_OK && l->tls != NULL) {
        err = begin_tls(s, l->tls, NULL);
        if (err != MD_OK)
            return err;
        list_append(&l->handshakes, &s->shake->link);
        l->n_handshakes++;
    }
    if (err != MD_OK)
        return err;
    return conn_new(&s->conn, l->server->broker, &peer, (struct conn_io){on_wake, s});
}

/* Refusals for want of something are said once a minute: there may be many. */
static bool refused(struct stream *s)
{
    unsigned n;
    uv_os_fd_t fd;
    struct server *srv = stream_server(s);
    const struct listener *l = s->listener;
    uint64_t now = uv_now(&srv->loop);
    if (uv_fileno(&s->h.handle, &fd) == 0 && fd >= srv->max_fd) {
        if (seldom(&srv->no_files, now, &n))
            log_warn(
                "net",
                "%u connections refused: %u are open, which is all that the limit on open files "
                "allows; raise it (`ulimit -n`, LimitNOFILE=)",
                n, srv->n_streams - 1);
        return true;
    }
    if (l->max_connections == 0 || l->n_streams <= l->max_connections)
        return false;
    if (seldom(&srv->no_room, now, &n))
        log_warn("net",
                 "%u connections refused: listener %u has its max_connections of %u; raise it, or "
                 "see who has them (`merossd clients`)",
                 n, l->id, l->max_connections);
    return true;
}

struct stream *stream_new(struct server *server, struct listener *l)
{
    bool pipe = l != NULL && l->is_unix;
    struct stream *s =
        mem_alloc(offsetof(struct stream, h) + (pipe ? sizeof s->h.pipe : sizeof s->h.tcp));
    if (s == NULL)
        return NULL;
    s->listener = l;
    server->n_streams++;
    if (l != NULL) {
        l->refs++;
        l->n_streams++;
    }
    list_init(&s->dirty);
    list_append(&server->streams, &s->link);
    (void)(pipe ? uv_pipe_init(&server->loop, &s->h.pipe, 0)
                : uv_tcp_init(&server->loop, &s->h.tcp));
    s->h.handle.data = s;
    return s;
}

int stream_opened(struct stream *s, struct tls_holder *tls, const char *host)
{
    char text[PEER_MAX];
    struct conn_peer peer = {
        .address = text, .tls = tls != NULL, .loopback = peer_learn(&s->h, text)};
    s->state = STREAM_OPEN;
    s->sniffed = true; /* that is about strangers who come to us */
    (void)uv_tcp_nodelay(&s->h.tcp, 1);
    int err = tls != NULL ? begin_tls(s, tls, host) : MD_OK;
    if (err == MD_OK)
        err = bridge_connect(dial_bridge(s->dial), &peer, (struct conn_io){on_wake, s}, &s->conn);
    if (err != MD_OK)
        return err;
    if (tls != NULL)
        stream_tls_begin(s);
    else
        stream_read_start(s);
    return MD_OK;
}

bool stream_accept(struct listener *l, uv_stream_t *from)
{
    struct stream *s = stream_new(l->server, l);
    if (s == NULL) {
        log_warn("net", "out of memory: a connection must wait");
        return false;
    }
    l->server->n_accepted++;
    s->state = STREAM_OPEN;
    int err = uv_accept(from, &s->h.stream);
    if (err == 0 && refused(s)) {
        stream_close(s, "");
        return true;
    }
    if (err == 0 && attach(s, l) == MD_OK) {
        stream_read_start(s);
        return true;
    }
    log_warn("net", "peer=%s refused: %s", stream_peer(s),
             err != 0 ? uv_strerror(err) : "out of memory");
    stream_close(s, "");
    return true;
}

/* One that computes, or waits for its lane, would be through soon; one that waits for its peer may
 * wait for ever. */
static struct stream *idle_handshake(struct listener *l)
{
    LIST_EACH (it, &l->handshakes) {
        struct shake *k = LIST_OF(it, struct shake, link);
        if (uv_now(&l->server->loop) - k->accepted_ms < PATIENCE_MS)
            return NULL; /* the younger ones follow */
        if (!k->working && list_empty(&k->wait))
            return k->stream;
    }
    return NULL;
}

bool listener_room(struct listener *l)
{
    unsigned n;
    if (l->server->n_accepted >= ACCEPTS) {
        l->server->retry = true;
        return false;
    }
    if (l->max_handshakes == 0 || l->n_handshakes < l->max_handshakes)
        return true;
    struct stream *victim = idle_handshake(l);
    if (seldom(&l->server->no_handshakes, uv_now(&l->server->loop), &n))
        log_warn("net",
                 "listener %u has %u TLS handshakes under way: new ones wait, and those that say "
                 "nothing are ended",
                 l->id, l->n_handshakes);
    if (victim == NULL)
        return false;
    stream_close(victim, "its TLS handshake had to make room");
    return true;
}

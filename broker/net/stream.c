#include "broker/net/stream.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/dial.h"
#include "broker/net/sniff.h"
#include "broker/net/stream_int.h"

#include <stdio.h>
#include <sys/socket.h>

#define TURN_BUDGET (256u << 10) /* bytes read from one client before the others have their turn */
#define LINGER_MS   2000
#define PATIENCE_MS 1000 /* a handshake this old may have to make room for a new one    */
#define ACCEPTS     16   /* connections accepted in one turn: each costs some 30 us */
#define KEEPALIVE_S 120  /* TCP asks whether the peer still lives; MQTT may be told not to */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct stream *s = h->data;
    *buf = uv_buf_init((char *)s->server->read_buf, (unsigned)READ_BYTES);
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
    log_warn("net", "peer=%s %s", s->peer, fault);
    conn_failed(s->conn, fault);
    stream_close(s, "");
    return false;
}

static void rest(struct stream *s)
{
    stream_read_stop(s);
    list_remove(&s->wait);
    list_append(&s->server->resting, &s->wait);
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

static void on_end(struct stream *s, ssize_t err)
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
        on_end(s, n);
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
    list_append(&s->server->dirty, &s->dirty);
}

static void on_wake(void *ctx) { stream_mark_dirty(ctx); }

static void stream_free(struct stream *s)
{
    if (!s->handle_closed || s->working)
        return;
    list_remove(&s->link);
    list_remove(&s->dirty);
    list_remove(&s->wait);
    list_remove(&s->shake);
    stream_drop_output(s);
    stream_ws_free(s);
    tls_free(s->tls);
    tls_holder_unref(s->holder);
    stream_tls_queue_next(s->server); /* its lane is free */
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
    s->server->n_streams--;
    if (s->listener != NULL)
        s->listener->n_streams--;
    stream_shaken(s);
    list_remove(&s->dirty);
    list_remove(&s->wait);
    uv_close(&s->h.handle, on_closed);
}

void stream_shaken(struct stream *s)
{
    if (list_empty(&s->shake))
        return;
    list_remove(&s->shake);
    s->listener->n_handshakes--;
    s->server->retry = true;
}

void stream_finish(struct stream *s, const char *why)
{
    lose(s, why);
    if (s->state == STREAM_DIALING)
        stream_close(s, why);
    if (s->state == STREAM_OPEN) {
        s->state = STREAM_ENDING;
        s->linger_ms = uv_now(&s->server->loop) + LINGER_MS;
        list_remove(&s->wait);
        stream_mark_dirty(s);
    }
}

static bool is_loopback(const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;
    const uint8_t *b = (const uint8_t *)&six->sin6_addr;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a->ss_family == AF_INET)
        return *(const uint8_t *)&four->sin_addr == 127;
    if (memcmp(b, mapped, sizeof mapped) == 0)
        return b[12] == 127;
    return memcmp(b, &in6addr_loopback, 16) == 0;
}

/* Who the peer is; the text ends in the port. */
bool stream_learn_peer(struct stream *s)
{
    struct sockaddr_storage a = {0};
    int n = sizeof a;
    char ip[48] = "?";
    unsigned port = 0;
    bool loopback = false;
    if (uv_tcp_getpeername(&s->h.tcp, (struct sockaddr *)&a, &n) == 0) {
        const struct sockaddr *sa = (const struct sockaddr *)&a;
        (void)(a.ss_family == AF_INET6 ? uv_ip6_name((const void *)sa, ip, sizeof ip)
                                       : uv_ip4_name((const void *)sa, ip, sizeof ip));
        port = ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
        loopback = is_loopback(&a);
    }
    const char *text = strncmp(ip, "::ffff:", 7) == 0 && strchr(ip, '.') != NULL ? ip + 7 : ip;
    (void)snprintf(s->peer, sizeof s->peer, strchr(text, ':') != NULL ? "[%s]:%u" : "%s:%u", text,
                   port);
    return loopback;
}

static void learn_process(struct stream *s)
{
    struct ucred who = {0};
    socklen_t n = sizeof who;
    uv_os_fd_t fd;
    if (uv_fileno(&s->h.handle, &fd) == 0)
        (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n);
    (void)snprintf(s->peer, sizeof s->peer, "unix:pid%ld,uid%lu", (long)who.pid,
                   (unsigned long)who.uid);
}

static bool set_up_socket(struct stream *s)
{
    if (s->listener->is_unix) {
        learn_process(s);
        return true;
    }
    (void)uv_tcp_nodelay(&s->h.tcp, !s->listener->nagle);
    (void)uv_tcp_keepalive(&s->h.tcp, 1, KEEPALIVE_S);
    return stream_learn_peer(s);
}

static int attach(struct stream *s, struct listener *l)
{
    struct conn_peer peer = {.address = s->peer,
                             .listener = l->id,
                             .tls = l->tls != NULL,
                             .mount = l->mount,
                             .loopback = set_up_socket(s)};
    int err = l->websockets ? stream_ws_new(s) : MD_OK;
    if (err == MD_OK && l->tls != NULL) {
        err = tls_new(&s->tls, l->tls->ctx, NULL);
        if (err != MD_OK)
            return err;
        s->holder = l->tls;
        s->holder->refs++;
        list_append(&l->handshakes, &s->shake);
        l->n_handshakes++;
    }
    if (err != MD_OK)
        return err;
    return conn_new(&s->conn, s->server->broker, &peer, (struct conn_io){on_wake, s});
}

/* Refusals for want of something are said once a minute: there may be many. */
static bool refused(struct stream *s)
{
    unsigned n;
    uv_os_fd_t fd;
    struct server *srv = s->server;
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
        log_warn("net", "%u connections refused: listener %u has its max_connections of %u", n,
                 l->id, l->max_connections);
    return true;
}

struct stream *stream_new(struct server *server, struct listener *l)
{
    struct stream *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    s->server = server;
    s->listener = l;
    s->accepted_ms = uv_now(&server->loop);
    server->n_streams++;
    if (l != NULL) {
        l->refs++;
        l->n_streams++;
    }
    list_init(&s->dirty);
    list_init(&s->wait);
    list_init(&s->shake);
    list_append(&server->streams, &s->link);
    (void)(l != NULL && l->is_unix ? uv_pipe_init(&server->loop, &s->h.pipe, 0)
                                   : uv_tcp_init(&server->loop, &s->h.tcp));
    s->h.handle.data = s;
    return s;
}

int stream_opened(struct stream *s, struct tls_holder *tls, const char *host, bool loopback)
{
    struct conn_peer peer = {.address = s->peer, .tls = tls != NULL, .loopback = loopback};
    s->state = STREAM_OPEN;
    s->sniffed = true; /* that is about strangers who come to us */
    (void)uv_tcp_nodelay(&s->h.tcp, 1);
    if (tls != NULL) {
        int err = tls_new(&s->tls, tls->ctx, host);
        if (err != MD_OK)
            return err;
        s->holder = tls;
        tls->refs++;
    }
    int err = bridge_connect(dial_bridge(s->dial), &peer, (struct conn_io){on_wake, s}, &s->conn);
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
    log_warn("net", "peer=%s refused: %s", s->peer, err != 0 ? uv_strerror(err) : "out of memory");
    stream_close(s, "");
    return true;
}

/* One that computes, or waits for its lane, would be through soon; one that waits for its peer may
 * wait for ever. */
static struct stream *idle_handshake(struct listener *l)
{
    LIST_EACH (it, &l->handshakes) {
        struct stream *s = LIST_OF(it, struct stream, shake);
        if (uv_now(&l->server->loop) - s->accepted_ms < PATIENCE_MS)
            return NULL; /* the younger ones follow */
        if (!s->working && list_empty(&s->wait))
            return s;
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

static void flush_one(struct server *srv, struct stream *s)
{
    s->turn_bytes = 0;
    if (!stream_flush(s))
        return;
    if (s->pending == NULL && (s->state == STREAM_OPEN || s->state == STREAM_ENDING))
        list_append(&srv->dirty, &s->dirty); /* more for the next turn */
}

void streams_flush(struct server *srv)
{
    struct list now, *it;
    list_take(&now, &srv->dirty);
    while ((it = list_first(&now)) != NULL) {
        list_remove(it);
        flush_one(srv, LIST_OF(it, struct stream, dirty));
    }
}

void streams_hold(struct server *srv)
{
    LIST_EACH (it, &srv->dirty)
        stream_hold(LIST_OF(it, struct stream, dirty));
}

void streams_release(struct server *srv)
{
    LIST_EACH (it, &srv->dirty)
        stream_release(LIST_OF(it, struct stream, dirty));
}

void streams_resume(struct server *srv)
{
    struct list now, *it;
    list_take(&now, &srv->resting);
    while ((it = list_first(&now)) != NULL) {
        struct stream *s = LIST_OF(it, struct stream, wait);
        list_remove(it);
        s->turn_bytes = 0;
        if (s->state == STREAM_OPEN && s->conn != NULL && conn_reading(s->conn))
            stream_read_start(s);
    }
}

void streams_sweep(struct server *srv)
{
    uint64_t now = uv_now(&srv->loop);
    LIST_EACH (it, &srv->streams) {
        struct stream *s = LIST_OF(it, struct stream, link);
        /* A conn that ends waits for its last bytes to leave, but not for ever. */
        if (s->linger_ms == 0 && s->conn != NULL && conn_closing(s->conn))
            s->linger_ms = now + LINGER_MS;
        if (s->linger_ms != 0 && now >= s->linger_ms)
            stream_close(s, "it did not take its last bytes");
    }
}

void streams_end(struct server *srv, const char *why)
{
    LIST_EACH (it, &srv->streams) {
        struct stream *s = LIST_OF(it, struct stream, link);
        /* Wills and farewells of this turn are taken from the conn before it is lost. */
        if (s->state == STREAM_OPEN && s->conn != NULL)
            (void)stream_flush(s);
        stream_finish(s, why);
    }
}

void streams_cut(struct server *srv)
{
    LIST_EACH (it, &srv->streams)
        stream_close(LIST_OF(it, struct stream, link), "the broker stops");
}

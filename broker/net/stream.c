#include "broker/net/stream.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/dial.h"
#include "broker/net/sniff.h"
#include "broker/net/stream_int.h"

#include <stdio.h>

#define TURN_BUDGET (256u << 10) /* bytes read from one client before the others have their turn */
#define LINGER_MS   2000

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct stream *s = h->data;
    *buf = uv_buf_init((char *)s->server->read_buf, (unsigned)READ_BYTES);
}

/* Feeding may close the stream; it is freed from a callback of its own, never below us. */
void stream_feed(struct stream *s, struct span plain)
{
    if (s->conn == NULL)
        return;
    conn_feed(s->conn, plain);
    if (!conn_reading(s->conn))
        stream_read_stop(s); /* until its answers are gone: see stream_flush() */
}

static bool sniff_ok(struct stream *s, struct span first)
{
    if (s->sniffed)
        return true;
    s->sniffed = true;
    const char *fault = sniff_fault(first, s->tls != NULL);
    if (fault == NULL)
        return true;
    log_warn("net", "peer=%s %s", s->peer, fault);
    stream_close(s, fault);
    return false;
}

static void rest(struct stream *s)
{
    stream_read_stop(s);
    list_remove(&s->wait);
    list_append(&s->server->resting, &s->wait);
}

static void on_data(struct stream *s, struct span in)
{
    if (s->state != STREAM_OPEN || !sniff_ok(s, in))
        return; /* lingering: discarded */
    s->turn_bytes += (uint32_t)in.n;
    if (s->tls != NULL)
        stream_tls_input(s, in);
    else
        stream_feed(s, in);
    if (s->reading && s->turn_bytes >= TURN_BUDGET)
        rest(s);
}

static void on_end(struct stream *s, ssize_t err)
{
    if (s->state == STREAM_OPEN) {
        /* It may have closed only its own direction: what it is owed is still sent. */
        stream_read_stop(s);
        if (s->tls != NULL)
            stream_tls_eof(s);
        (void)stream_flush(s);
    }
    stream_close(s, err == UV_EOF ? "it closed the connection" : uv_strerror((int)err));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = h->data;
    if (n > 0)
        on_data(s, span_of(buf->base, (size_t)n));
    else if (n < 0)
        on_end(s, n);
}

void stream_read_start(struct stream *s)
{
    if (!s->reading && s->state != STREAM_CLOSED)
        s->reading = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read) == 0;
}

void stream_read_stop(struct stream *s)
{
    if (s->reading)
        (void)uv_read_stop((uv_stream_t *)&s->tcp);
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
    stream_drop_output(s);
    tls_free(s->tls);
    tls_holder_unref(s->holder);
    stream_tls_queue_next(s->server); /* its lane is free */
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
    list_remove(&s->dirty);
    list_remove(&s->wait);
    uv_close((uv_handle_t *)&s->tcp, on_closed);
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
    if (uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&a, &n) == 0) {
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

static int attach(struct stream *s, struct listener *l)
{
    struct conn_peer peer = {.address = s->peer,
                             .listener = l->id,
                             .tls = l->tls != NULL,
                             .loopback = stream_learn_peer(s)};
    (void)uv_tcp_nodelay(&s->tcp, 1);
    if (l->tls != NULL) {
        int err = tls_new(&s->tls, l->tls->ctx, NULL);
        if (err != MD_OK)
            return err;
        s->holder = l->tls;
        s->holder->refs++;
    }
    return conn_new(&s->conn, s->server->broker, &peer, (struct conn_io){on_wake, s});
}

struct stream *stream_new(struct server *server)
{
    struct stream *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    s->server = server;
    list_init(&s->dirty);
    list_init(&s->wait);
    list_append(&server->streams, &s->link);
    (void)uv_tcp_init(&server->loop, &s->tcp);
    s->tcp.data = s;
    return s;
}

int stream_opened(struct stream *s, struct tls_holder *tls, const char *host, bool loopback)
{
    struct conn_peer peer = {.address = s->peer, .tls = tls != NULL, .loopback = loopback};
    s->state = STREAM_OPEN;
    s->sniffed = true; /* that is about strangers who come to us */
    (void)uv_tcp_nodelay(&s->tcp, 1);
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
    struct stream *s = stream_new(l->server);
    if (s == NULL) {
        log_warn("net", "out of memory: a connection must wait");
        return false;
    }
    s->state = STREAM_OPEN;
    int err = uv_accept(from, (uv_stream_t *)&s->tcp);
    if (err == 0 && attach(s, l) == MD_OK) {
        stream_read_start(s);
        return true;
    }
    log_warn("net", "peer=%s refused: %s", s->peer, err != 0 ? uv_strerror(err) : "out of memory");
    stream_close(s, "it could not be accepted");
    return true;
}

static void flush_one(struct server *srv, struct stream *s)
{
    s->turn_bytes = 0;
    if (!stream_flush(s))
        return;
    if (s->pending == NULL && s->state == STREAM_OPEN)
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

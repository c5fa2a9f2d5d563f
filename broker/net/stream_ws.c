/* stream_ws.c - the WebSocket half of a stream: the upgrade, frames in, frames out. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/sniff.h"
#include "broker/net/stream_int.h"
#include "broker/net/ws_http.h"

#define OUT_MAX   2048 /* an answer and a few pongs */
#define PONGS_MAX 1024 /* above, pings go unanswered until the peer reads (RFC 6455 5.5.3) */

int stream_ws_new(struct stream *s)
{
    s->ws = mem_alloc(sizeof *s->ws);
    if (s->ws == NULL)
        return MD_NOMEM;
    buf_init(&s->ws->in, WS_HTTP_MAX);
    buf_init(&s->ws->out, OUT_MAX);
    ws_reader_init(&s->ws->reader, s->listener->max_packet);
    return MD_OK;
}

void stream_ws_free(struct stream *s)
{
    if (s->ws == NULL)
        return;
    buf_wipe(&s->ws->in);
    buf_free(&s->ws->out);
    mem_free(s->ws);
    s->ws = NULL;
}

/* ---- the upgrade ---- */

static void refuse(struct stream *s, const struct ws_refusal *no)
{
    log_warn("net", "peer=%s WebSocket refused (%u): %s", stream_peer(s), no->status, no->why);
    if (ws_put_refusal(&s->ws->out, no) != MD_OK)
        stream_close(s, "");
    else
        stream_finish(s, "");
}

static void upgrade(struct stream *s, const struct ws_request *r)
{
    static const struct ws_refusal origin = {
        403, "pages of this origin may not connect; see `websockets_origin`."};
    static const struct ws_refusal trouble = {500, "the broker is out of memory; try again."};
    if (!ws_origin_allowed((const char *const *)s->listener->origins, r->origin)) {
        log_warn("net",
                 "peer=%s refused: origin %s is not among websockets_origin; add it there if that "
                 "page may connect",
                 stream_peer(s), log_q(r->origin));
        refuse(s, &origin);
        return;
    }
    if (ws_put_switch(&s->ws->out, r) != MD_OK) {
        refuse(s, &trouble);
        return;
    }
    log_debug("net", "peer=%s WebSocket path=%s origin=%s protocol=%s", stream_peer(s),
              log_q(r->path), log_q(r->origin), r->protocol);
    s->ws->open = true;
    (void)stream_send_own(s); /* now, so that nothing can come before it */
}

/* Returns how many bytes of p belong to the request. */
static size_t take_request(struct stream *s, const uint8_t *p, size_t n)
{
    struct ws_request r;
    struct ws_refusal no;
    struct buf *in = &s->ws->in;
    size_t before = in->n;
    const char *fault = before > 0 ? NULL : sniff_fault(span_of(p, n), SNIFF_WEBSOCKETS);
    if (fault != NULL) {
        log_warn("net", "peer=%s %s", stream_peer(s), fault);
        stream_close(s, "");
        return n;
    }
    size_t part = n < WS_HTTP_MAX - before ? n : WS_HTTP_MAX - before;
    if (buf_put(in, span_of(p, part)) != MD_OK) {
        stream_close(s, "out of memory");
        return n;
    }
    int err = ws_request_parse(buf_view(in), &r, &no);
    if (err == MD_AGAIN)
        return n;
    if (err == MD_OK)
        upgrade(s, &r);
    else
        refuse(s, &no);
    buf_wipe(in); /* a CONNECT may have come along */
    return err == MD_OK ? r.size - before : n;
}

/* ---- frames ---- */

static void put_frame(struct stream *s, enum ws_op op, struct span payload)
{
    uint8_t head[WS_HEAD_MAX];
    struct buf *out = &s->ws->out;
    size_t n = ws_head(head, op, payload.n);
    if (buf_reserve(out, n + payload.n) != MD_OK || buf_put(out, span_of(head, n)) != MD_OK ||
        buf_put(out, payload) != MD_OK)
        log_debug("net", "peer=%s a WebSocket control frame is left out", stream_peer(s));
    stream_mark_dirty(s);
}

static void put_close(struct stream *s, unsigned code)
{
    uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    if (!s->ws->closed)
        put_frame(s, WS_CLOSE, span_of(bytes, code != 0 ? sizeof bytes : 0));
    s->ws->closed = true;
}

void stream_ws_end(struct stream *s)
{
    if (s->ws->open)
        put_close(s, stream_server(s)->stop_ms != 0 ? WS_CODE_GOING_AWAY : WS_CODE_NORMAL);
}

/* What the conn is owed leaves before our close frame. */
static void close_with(struct stream *s, unsigned code, const char *why)
{
    stream_hold(s);
    if (s->state == STREAM_OPEN)
        put_close(s, code);
    stream_finish(s, why);
}

static void handle(struct stream *s, const struct ws_event *e)
{
    switch (e->what) {
    case WS_GOT_DATA:
        conn_feed(s->conn, e->data);
        break;
    case WS_GOT_PING:
        if (s->ws->out.n < PONGS_MAX)
            put_frame(s, WS_PONG, e->data);
        break;
    case WS_GOT_CLOSE:
        close_with(s, e->code, "it closed the WebSocket");
        break;
    case WS_GOT_FAULT:
        close_with(s, e->code, e->why);
        break;
    case WS_GOT_NOTHING:
    case WS_GOT_PONG:
        break;
    }
}

void stream_ws_feed(struct stream *s, uint8_t *p, size_t n)
{
    struct ws_event e = {.what = WS_GOT_DATA};
    if (!s->ws->open) {
        size_t used = take_request(s, p, n);
        p += used;
        n -= used;
    }
    while (n > 0 && e.what != WS_GOT_NOTHING && s->state == STREAM_OPEN && s->conn != NULL) {
        size_t used = ws_read(&s->ws->reader, p, n, &e);
        p += used;
        n -= used;
        handle(s, &e);
    }
}

void stream_ws_wrap(struct stream *s, struct conn_out *out)
{
    if (out->bytes == 0)
        return;
    size_t n = ws_head(s->ws->head, WS_BINARY, out->bytes);
    memmove(out->piece + 1, out->piece, out->n * sizeof out->piece[0]);
    out->piece[0] = (struct conn_piece){s->ws->head, n, NULL};
    out->n++;
    out->bytes += n;
}

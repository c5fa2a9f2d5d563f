/* stream_out.c - from conn_take() to the socket.
 *
 * The kernel is asked once, without arming anything; only what it does not take becomes a
 * `pending` write, which keeps references instead of copies where it can.  While one is
 * pending nothing more is taken from the conn: its queue is the buffer, with its limits. */
#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/stream_int.h"

#define ROUNDS_WS  64                 /* of one packet each */
#define FRAMES_MAX ((size_t)64 << 10) /* that leave in one write */
#define FRAME_MAX  ((size_t)4 << 10)  /* above, copying it is no gain */
#define ROUNDS     4 /* takes of one turn; each is bounded by CONN_OUT_STAGE and by pieces */

/* Encrypted and offered to the kernel at once: a slow client with a large message costs this much
 * cipher text, not the whole message. */
#define TLS_SLICE ((size_t)256 << 10)

/* Pieces that outlive the turn: what lay in a shared buffer is copied, the rest is referenced. */
struct kept {
    uint64_t flush; /* the number of the flush that writes down what they acknowledge; 0: none */
    unsigned n, next;
    struct conn_piece piece[]; /* and the copied bytes behind them */
};

struct pending {
    uv_write_t req;
    struct stream *stream;
    struct kept *kept;
};

/* Takes over the references of v[].  NULL: no memory; v[] is as before. */
static struct kept *kept_new(struct conn_piece *v, unsigned n)
{
    size_t copied = 0;
    for (unsigned i = 0; i < n; i++)
        copied += v[i].held == NULL ? v[i].n : 0;
    struct kept *k = mem_alloc_raw(sizeof *k + n * sizeof k->piece[0] + copied);
    if (k == NULL)
        return NULL;
    uint8_t *at = (uint8_t *)(k->piece + n);
    *k = (struct kept){.n = n};
    for (unsigned i = 0; i < n; i++) {
        k->piece[i] = v[i];
        v[i].held = NULL;
        if (k->piece[i].held != NULL)
            continue;
        memcpy(at, v[i].p, v[i].n);
        k->piece[i].p = at;
        at += v[i].n;
    }
    return k;
}

static void kept_free(struct kept *k)
{
    for (unsigned i = 0; k != NULL && i < k->n; i++)
        conn_piece_release(&k->piece[i]);
    mem_free(k);
}

void stream_drop_output(struct stream *s)
{
    kept_free(s->tail);
    s->tail = NULL;
}

static void on_written(uv_write_t *req, int status)
{
    struct pending *p = LIST_OF(req, struct pending, req);
    struct stream *s = p->stream;
    s->pending = NULL;
    kept_free(p->kept);
    mem_free(p);
    if (s->state == STREAM_CLOSED)
        return;
    if (status < 0)
        stream_close(s, uv_strerror(status));
    else
        stream_mark_dirty(s);
}

static int pending_start(struct stream *s, struct conn_piece *v, unsigned n)
{
    uv_buf_t bufs[CONN_OUT_PIECES + 1];
    struct pending *p = mem_alloc_raw(sizeof *p);
    struct kept *k = p == NULL ? NULL : kept_new(v, n);
    int err = UV_ENOMEM;
    if (k != NULL) {
        *p = (struct pending){.stream = s, .kept = k};
        for (unsigned i = 0; i < n; i++)
            bufs[i] = uv_buf_init((char *)(uintptr_t)k->piece[i].p, (unsigned)k->piece[i].n);
        err = uv_write(&p->req, &s->h.stream, bufs, n, on_written);
    }
    if (err == 0) {
        s->pending = p;
        return 0;
    }
    kept_free(k);
    mem_free(p);
    return err;
}

/* Skips the `sent` bytes the kernel took; returns how many pieces are done. */
static unsigned skip_sent(struct conn_piece *v, unsigned n, size_t sent)
{
    unsigned i = 0;
    while (i < n && sent >= v[i].n)
        sent -= v[i++].n;
    if (i < n) {
        v[i].p += sent;
        v[i].n -= sent;
    }
    return i;
}

/* Sends the pieces, now or later; their references are released or taken.  Errors close. */
static void send_pieces(struct stream *s, struct conn_piece *v, unsigned n)
{
    uv_buf_t bufs[CONN_OUT_PIECES + 1];
    size_t total = 0;
    unsigned i = 0;
    do { /* there is at least one */
        bufs[i] = uv_buf_init((char *)(uintptr_t)v[i].p, (unsigned)v[i].n);
        total += v[i].n;
    } while (++i < n);
    int sent = uv_try_write(&s->h.stream, bufs, n);
    int err = sent >= 0 || sent == UV_EAGAIN ? 0 : sent;
    if (err == 0 && (sent < 0 || (size_t)sent < total)) {
        unsigned done = skip_sent(v, n, sent < 0 ? 0 : (size_t)sent);
        err = pending_start(s, v + done, n - done);
    }
    for (i = 0; i < n; i++)
        conn_piece_release(&v[i]);
    if (err != 0)
        stream_close(s, uv_strerror(err));
}

bool stream_send_cipher(struct stream *s)
{
    struct span out = tls_output(s->tls);
    if (s->pending != NULL)
        return false; /* what waits goes first; this follows when it is written */
    if (out.n == 0)
        return true;
    struct conn_piece piece = {out.p, out.n, NULL};
    send_pieces(s, &piece, 1);
    if (s->state == STREAM_CLOSED)
        return false;
    tls_sent(s->tls, out.n);
    return s->pending == NULL;
}

/* Encrypts and sends as far as the kernel takes it; returns how many pieces are done. */
static unsigned send_slices(struct stream *s, struct conn_piece *v, unsigned n)
{
    unsigned i = 0;
    while (i < n && s->pending == NULL) {
        size_t slice = v[i].n < TLS_SLICE ? v[i].n : TLS_SLICE;
        int err = tls_write(s->tls, span_of(v[i].p, slice));
        if (err != MD_OK) {
            char why[STREAM_TLS_WHY];
            stream_close(s, stream_tls_unsent(s->tls, err, why));
            return n;
        }
        v[i].p += slice;
        v[i].n -= slice;
        if (v[i].n == 0)
            conn_piece_release(&v[i++]);
        /* Small pieces share a write; a large one is offered slice by slice. */
        if ((i == n || tls_output(s->tls).n >= TLS_SLICE) && !stream_send_cipher(s) &&
            s->state == STREAM_CLOSED)
            return n;
    }
    return i;
}

static void send_tls(struct stream *s, struct conn_out *out)
{
    unsigned done = send_slices(s, out->piece, out->n);
    if (done < out->n) {
        s->tail = kept_new(out->piece + done, out->n - done); /* some of it is sent already */
        if (s->tail == NULL)
            stream_close(s, "out of memory for its output");
    }
    conn_out_release(out);
}

/* Goes on with what an earlier turn could not send; true: it is done. */
static bool send_tail(struct stream *s)
{
    struct kept *k = s->tail;
    if (k == NULL)
        return true;
    if (s->tls != NULL) {
        k->next += send_slices(s, k->piece + k->next, k->n - k->next);
    } else {
        send_pieces(s, k->piece, k->n); /* it takes over what the kernel does not */
        k->next = k->n;
    }
    if (s->state != STREAM_CLOSED && k->next == k->n)
        stream_drop_output(s);
    return s->state != STREAM_CLOSED && s->tail == NULL && s->pending == NULL;
}

static void send_out(struct stream *s, struct conn_out *out)
{
    if (out->bytes == 0)
        return;
    if (s->tls != NULL)
        send_tls(s, out);
    else
        send_pieces(s, out->piece, out->n);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    mem_free(req);
}

/* Everything is written: FIN, then wait for the peer's; not when the broker itself stops. */
static void linger(struct stream *s)
{
    uv_shutdown_t *req = stream_server(s)->stop_ms != 0 ? NULL : mem_alloc(sizeof *req);
    if (req == NULL || uv_shutdown(req, &s->h.stream, on_shutdown) != 0) {
        mem_free(req);
        stream_close(s, "it is done");
        return;
    }
    s->state = STREAM_LINGER;
    stream_read_start(s);
}

static bool clear_to_send(const struct stream *s) { return s->pending == NULL && s->tail == NULL; }

bool stream_send_own(struct stream *s)
{
    if (s->ws == NULL || s->ws->out.n == 0)
        return true;
    struct buf *own = &s->ws->out;
    struct conn_out out = {.n = 1, .bytes = own->n, .piece = {{own->p, own->n, NULL}}};
    send_out(s, &out);
    buf_free(own);
    return s->state != STREAM_CLOSED && clear_to_send(s);
}

void stream_hold(struct stream *s)
{
    struct conn_out out;
    if (s->state != STREAM_OPEN || s->pending != NULL || s->tail != NULL ||
        (s->tls != NULL && (stream_working(s) || !tls_open(s->tls))))
        return;
    if (!stream_send_own(s)) /* which acknowledges nothing, and an HTTP answer goes first */
        return;
    out.stage = stream_server(s)->stage;
    out.single = false;             /* there is one take for each flush of the store */
    (void)conn_take(s->conn, &out); /* it stays dirty, so more will be asked for */
    if (s->ws != NULL)
        stream_ws_wrap(s, &out);
    if (out.n > 0) {
        s->tail = kept_new(out.piece, out.n);
        if (s->tail == NULL)
            stream_close(s, "out of memory for its output");
        else
            s->tail->flush = stream_server(s)->durable.begun + 1;
    }
    conn_out_release(&out);
}

/* True: the transport took everything; it may be closed now. */
static bool drained(struct stream *s)
{
    if (s->tls != NULL && (stream_working(s) || !tls_open(s->tls)))
        return true; /* no byte of ours can go out any more */
    if (!send_tail(s))
        return false;
    if (s->ws != NULL)
        stream_ws_end(s);
    return stream_send_own(s);
}

static void end(struct stream *s)
{
    if (!drained(s))
        return; /* closed, or again when the write is done */
    if (s->tls != NULL && !stream_working(s) && tls_open(s->tls)) {
        tls_close(s->tls);
        if (!stream_send_cipher(s))
            return; /* closed, or again when the write is done */
    }
    if (s->pending == NULL && s->state == STREAM_ENDING)
        linger(s);
}

/* Reading stops when the conn has too much to say. */
static void resume_reading(struct stream *s)
{
    if (!s->reading && !s->resting && conn_reading(s->conn))
        stream_read_start(s);
}

/* False: TLS is not there yet, or its own bytes still wait. */
static bool tls_ready(struct stream *s)
{
    if (stream_working(s))
        return false;
    return stream_send_cipher(s) && tls_open(s->tls);
}

/* Does its tail wait for a flush that is not done?  One that is under way for later messages is no
 * reason to wait: there may always be one. */
static bool tail_waits(const struct stream *s)
{
    return durable_holding(stream_server(s)) && s->tail->flush > stream_server(s)->durable.ended;
}

void stream_release(struct stream *s)
{
    if (s->state == STREAM_OPEN && s->tail != NULL && s->pending == NULL && !tail_waits(s))
        (void)send_tail(s);
}

/* Copies a small frame behind the others.  False: it is not done. */
static bool gather(struct buf *frames, struct conn_out *out)
{
    if (out->bytes > FRAME_MAX || buf_reserve(frames, out->bytes) != MD_OK)
        return false;
    for (unsigned i = 0; i < out->n; i++) {
        int err = buf_put(frames, span_of(out->piece[i].p, out->piece[i].n));
        MD_ASSERT(err == MD_OK); /* there is room */
    }
    conn_out_release(out);
    return true;
}

/* What was gathered, and what is in `out` behind it. */
static void send_frames(struct stream *s, struct buf *frames, struct conn_out *out)
{
    if (frames->n > 0) {
        memmove(out->piece + 1, out->piece, out->n * sizeof out->piece[0]);
        out->piece[0] = (struct conn_piece){frames->p, frames->n, NULL};
        out->n++;
        out->bytes += frames->n;
    }
    send_out(s, out);
    frames->n = 0;
}

/* Clients may expect a packet in each frame: Paho's in C 1.3 forgets what follows the first.  The
 * frames of a turn leave in one write all the same.  True: there is more. */
static bool flush_frames(struct stream *s, struct conn_out *out)
{
    struct buf frames;
    bool more = true;
    buf_init(&frames, FRAMES_MAX);
    out->single = true;
    for (unsigned round = 0; more && round < ROUNDS_WS && clear_to_send(s); round++) {
        more = conn_take(s->conn, out);
        stream_ws_wrap(s, out);
        if ((!more && frames.n == 0) || !gather(&frames, out))
            send_frames(s, &frames, out);
        if (s->state != STREAM_OPEN)
            break;
    }
    if (s->state == STREAM_OPEN && frames.n > 0) {
        out->n = 0;
        out->bytes = 0;
        send_frames(s, &frames, out);
    }
    buf_free(&frames);
    return more;
}

static bool flush_packets(struct stream *s, struct conn_out *out)
{
    bool more = true;
    out->single = false;
    for (unsigned round = 0; more && round < ROUNDS && clear_to_send(s); round++) {
        more = conn_take(s->conn, out);
        send_out(s, out);
        if (s->state != STREAM_OPEN)
            break;
    }
    return more;
}

static bool flush_open(struct stream *s)
{
    struct conn_out out;
    if (durable_holding(stream_server(s))) {
        stream_release(s);
        return true; /* it stays dirty until the flush is done */
    }
    if (!send_tail(s) || !stream_send_own(s))
        return false;
    out.stage = stream_server(s)->stage;
    bool more = s->ws != NULL ? flush_frames(s, &out) : flush_packets(s, &out);
    if (s->state != STREAM_OPEN)
        return false;
    if (!more && clear_to_send(s) && conn_closing(s->conn)) {
        stream_finish(s, "it is done");
        return false;
    }
    resume_reading(s);
    return more;
}

bool stream_flush(struct stream *s)
{
    if (s->state == STREAM_DIALING || s->state == STREAM_CLOSED || s->state == STREAM_LINGER ||
        s->pending != NULL)
        return false;
    if (s->state == STREAM_ENDING) {
        if (s->tail != NULL && tail_waits(s))
            return true; /* as in flush_open() */
        end(s);
        return false;
    }
    if (s->tls == NULL || tls_ready(s))
        return flush_open(s);
    if (s->state == STREAM_OPEN && conn_closing(s->conn) &&
        (stream_working(s) || !tls_open(s->tls)))
        stream_close(s, "no TLS handshake in time");
    return false;
}

/* exchange.c - server_exchange(): one connection outward for one question and its answer. */
#include "broker/net/exchange.h"

#include "broker/base/mem.h"

struct exchange {
    struct list link; /* in server->exchanges */
    struct server *server;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    struct buf send;
    size_t left; /* bytes that may still come */
    bool (*take)(void *ctx, struct span bytes);
    void (*done)(void *ctx, int err);
    void *ctx;
    unsigned open; /* handles that are not closed */
    bool ended;
};

static void on_closed(uv_handle_t *h)
{
    struct exchange *x = h->data;
    if (--x->open > 0)
        return;
    buf_wipe(&x->send);
    mem_free(x);
}

static void end(struct exchange *x, int err)
{
    void (*done)(void *ctx, int err) = x->done;
    void *ctx = x->ctx;
    if (x->ended)
        return;
    x->ended = true;
    list_remove(&x->link);
    uv_close((uv_handle_t *)&x->tcp, on_closed);
    uv_close((uv_handle_t *)&x->timer, on_closed);
    done(ctx, err);
}

static void on_timer(uv_timer_t *t) { end(t->data, MD_TIMEOUT); }

/* The buffer all connections share: what is in it is taken before the next one reads. */
static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    const struct exchange *x = h->data;
    (void)suggested;
    *buf = uv_buf_init((char *)x->server->read_buf, (unsigned)READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct exchange *x = stream->data;
    if (x->ended || n == 0)
        return;
    if (n < 0) { /* it closed, or reset: the taker knows whether that was too early */
        end(x, MD_OK);
        return;
    }
    size_t got = (size_t)n < x->left ? (size_t)n : x->left;
    x->left -= got;
    if (!x->take(x->ctx, span_of(buf->base, got)) || x->left == 0)
        end(x, MD_OK);
}

static void on_written(uv_write_t *req, int status)
{
    (void)req;
    (void)status; /* a peer that does not read closes, which on_read sees */
}

static void on_connected(uv_connect_t *req, int status)
{
    struct exchange *x = req->handle->data;
    uv_buf_t bytes = uv_buf_init((char *)x->send.p, (unsigned)x->send.n);
    if (x->ended)
        return;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&x->tcp, on_alloc, on_read);
    if (status == 0)
        status = uv_write(&x->write, (uv_stream_t *)&x->tcp, &bytes, 1, on_written);
    if (status != 0)
        end(x, MD_IO);
}

void exchanges_stop(struct server *s)
{
    while (!list_empty(&s->exchanges))
        end(LIST_OF(list_first(&s->exchanges), struct exchange, link), MD_CLOSED);
}

static int parse(const struct server_exchange *ask, struct sockaddr_storage *a)
{
    if (uv_ip4_addr(ask->host, ask->port, (struct sockaddr_in *)(void *)a) == 0)
        return MD_OK;
    return uv_ip6_addr(ask->host, ask->port, (struct sockaddr_in6 *)(void *)a) == 0 ? MD_OK
                                                                                    : MD_INVAL;
}

/* From here on `end` frees it. */
static void open_handles(struct server *s, struct exchange *x)
{
    (void)uv_tcp_init(&s->loop, &x->tcp);
    (void)uv_timer_init(&s->loop, &x->timer);
    x->tcp.data = x->timer.data = x;
    x->open = 2;
    list_append(&s->exchanges, &x->link);
}

static void quietly(void *ctx, int err)
{
    (void)ctx;
    (void)err;
}

static int start(struct exchange *x, const struct server_exchange *ask,
                 const struct sockaddr_storage *a)
{
    struct server *s = x->server;
    outgoing_note(&s->outgoing, (const struct sockaddr *)a, "to a plug in the LAN",
                  env_mono_ms(&s->env));
    int err = uv_tcp_connect(&x->connect, &x->tcp, (const struct sockaddr *)a, on_connected);
    uv_os_fd_t fd;
    if (err == 0 && uv_fileno((uv_handle_t *)&x->tcp, &fd) == 0 && fd >= x->server->max_fd)
        err = UV_EMFILE; /* what is above is for the store */
    if (err == 0)
        err = uv_timer_start(&x->timer, on_timer, ask->timeout_ms, 0);
    if (err == 0)
        return MD_OK;
    x->done = quietly;
    end(x, MD_IO);
    return MD_IO;
}

int server_exchange(struct server *s, const struct server_exchange *ask)
{
    struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
    if (s->stop_ms != 0)
        return MD_CLOSED;
    int err = parse(ask, &a);
    if (err != MD_OK)
        return err;
    struct exchange *x = mem_alloc(sizeof *x);
    if (x == NULL)
        return MD_NOMEM;
    *x = (struct exchange){
        .server = s, .left = ask->max, .take = ask->take, .done = ask->done, .ctx = ask->ctx};
    buf_init(&x->send, ask->send.n);
    err = buf_put(&x->send, ask->send);
    if (err != MD_OK) {
        mem_free(x);
        return err;
    }
    open_handles(s, x);
    return start(x, ask, &a);
}

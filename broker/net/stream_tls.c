/* stream_tls.c - the TLS half of a stream: handshake steps in the workers, records here. */
#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/net/stream_int.h"
#include "broker/tls/hello_text.h"

#include <stdio.h>

/* What it offered is told once and not kept: thousands of connections would each hold a copy. */
static void tell_conn(struct stream *s, const char *cipher)
{
    char text[TLS_HELLO_TEXT_MAX] = "";
    const struct tls_hello *h = tls_hello(s->tls);
    if (s->conn == NULL || s->dial != NULL || h == NULL)
        return;
    conn_secured(s->conn, cipher, tls_hello_text(h, text) ? text : NULL);
    if (tls_open(s->tls))
        tls_forget_hello(s->tls);
}

static void failed(struct stream *s, const char *why)
{
    if (s->conn == NULL || s->dial != NULL)
        return;
    if (!tls_open(s->tls))
        tell_conn(s, NULL);
    conn_failed(s->conn, why);
}

static void fail(struct stream *s)
{
    char why[TLS_ERR_MAX + 32];
    (void)snprintf(why, sizeof why, "TLS: %s", tls_error(s->tls));
    log_warn("net", "peer=%s %s", stream_peer(s), why);
    failed(s, why);
    stream_shaken(s);
    (void)stream_send_cipher(s); /* the alert, as far as it goes at once */
    if (s->state != STREAM_CLOSED)
        stream_finish(s, s->dial != NULL ? why : ""); /* it is in the log; a bridge says more */
}

/* Decrypts what has arrived and feeds it. */
static void read_records(struct stream *s)
{
    struct buf *plain = &stream_server(s)->plain;
    plain->n = 0;
    /* All of its room at once: growing would leave copies of what is decrypted in freed memory. */
    int err = buf_reserve(plain, plain->max) == MD_OK ? MD_TOOBIG : MD_NOMEM;
    while (err == MD_TOOBIG && s->state == STREAM_OPEN) {
        plain->n = 0;
        err = tls_read(s->tls, plain);
        if (plain->n > 0)
            stream_feed(s, plain->p, plain->n);
    }
    if (s->state != STREAM_OPEN)
        return;
    if (tls_output(s->tls).n > 0)
        (void)stream_send_cipher(s);
    if (err == MD_CLOSED) {
        (void)stream_flush(s);
        stream_finish(s, "it closed the connection");
    } else if (err == MD_NOMEM) {
        stream_close(s, "out of memory");
    } else if (err != MD_OK) {
        fail(s);
    }
}

static void on_step(struct worker_item *item)
{
    struct shake *k = LIST_OF(item, struct shake, work);
    k->result = tls_handshake(k->stream->tls);
}

/* False: it is refused. */
static bool identify(struct stream *s)
{
    char cn[TLS_CN_MAX], subject[TLS_SUBJECT_MAX];
    const char *why = "out of memory";
    int err = tls_peer(s->tls, cn, subject);
    if (err == MD_NOENT)
        return true;
    if (err == MD_OK)
        err =
            conn_identify(s->conn, cn[0] != '\0' ? cn : NULL, subject[0] != '\0' ? subject : NULL);
    if (err == MD_OK)
        return true;
    if (err == MD_PROTO)
        why = "the Common Name of its certificate holds a NUL or control character, or is no UTF-8";
    else if (err == MD_TOOBIG)
        why = "the subject of its certificate is longer than we take";
    log_warn("net", "peer=%s refused: %s", stream_peer(s), why);
    failed(s, why);
    stream_finish(s, "");
    return false;
}

static void opened(struct stream *s)
{
    stream_shaken(s);
    tell_conn(s, tls_description(s->tls));
    if (s->conn != NULL && !identify(s))
        return;
    log_debug("net", "peer=%s handshake done: %s", stream_peer(s), tls_description(s->tls));
    read_records(s);
    if (s->state == STREAM_OPEN) {
        stream_mark_dirty(s);
        if (conn_reading(s->conn))
            stream_read_start(s);
    }
}

static void on_step_done(struct worker_item *item)
{
    struct shake *k = LIST_OF(item, struct shake, work);
    struct stream *s = k->stream;
    struct server *srv = stream_server(s);
    int result = k->result;
    k->working = false;
    srv->n_work--;
    srv->n_steps--;
    stream_tls_queue_next(srv); /* first, so that the worker need not wait for us */
    if (s->state == STREAM_CLOSED) {
        stream_close(s, ""); /* frees it if its handle is closed already */
        return;
    }
    bool failed_now = result != MD_OK && result != MD_AGAIN;
    if (failed_now) /* says why before it sends: a peer that has gone takes no alert */
        fail(s);
    else
        (void)stream_send_cipher(s);
    if (!failed_now && s->state == STREAM_CLOSED)
        return;
    if (result == MD_OK)
        opened(s);
    else if (result == MD_AGAIN)
        stream_read_start(s);
}

/* The connection has its lane. */
static void start_step(struct stream *s)
{
    struct server *srv = stream_server(s);
    if (workers_queue(&srv->workers, &s->shake->work) != MD_OK) {
        stream_close(s, "no thread for the handshake");
        return;
    }
    s->shake->working = true;
    srv->n_work++;
    srv->n_steps++;
}

static void step(struct stream *s)
{
    struct server *srv = stream_server(s);
    list_append(tls_begun(s->tls) ? &srv->begun : &srv->fresh, &s->shake->wait);
    stream_tls_queue_next(srv);
}

void stream_tls_begin(struct stream *s) { step(s); }

/* Each waits for its own lane, so the first in the queue does not speak for the others. */
static void start_steps(struct server *srv, struct list *queue)
{
    LIST_EACH (it, queue) {
        struct stream *s = LIST_OF(it, struct shake, wait)->stream;
        if (srv->n_steps == srv->workers.n)
            return;
        if (!tls_lane_acquire(s->tls))
            continue;
        list_remove(it);
        start_step(s);
    }
}

int server_workers_new(struct server *s)
{
    s->workers = (struct workers){.run = on_step, .finish = on_step_done, .n = limits_cores()};
    return workers_init(&s->workers, &s->loop);
}

void stream_tls_queue_next(struct server *srv)
{
    start_steps(srv, &srv->begun);
    start_steps(srv, &srv->fresh);
}

bool stream_tls_eof(struct stream *s)
{
    char why[TLS_ERR_MAX + 32];
    if (tls_open(s->tls))
        return false;
    tls_eof(s->tls);
    if (tls_error(s->tls)[0] == '\0')
        return false;
    (void)snprintf(why, sizeof why, "TLS: %s", tls_error(s->tls));
    log_warn("net", "peer=%s %s", stream_peer(s), why);
    failed(s, s->sniffed ? why : "it closed the connection without a word");
    return true;
}

const char *stream_tls_unsent(const struct tls *t, int err, char out[STREAM_TLS_WHY])
{
    if (err == MD_NOMEM)
        (void)snprintf(out, STREAM_TLS_WHY, "out of memory for its output");
    else
        (void)snprintf(out, STREAM_TLS_WHY, "TLS could not encrypt: %s",
                       tls_error(t)[0] != '\0' ? tls_error(t) : md_err_text(err));
    return out;
}

void stream_tls_input(struct stream *s, struct span cipher)
{
    int err = tls_input(s->tls, cipher);
    if (err != MD_OK) {
        stream_close(s, md_err_text(err));
        return;
    }
    if (tls_open(s->tls)) {
        read_records(s);
        return;
    }
    stream_read_stop(s); /* the worker owns `tls` now; the kernel keeps what comes */
    step(s);
}

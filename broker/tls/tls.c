#include "broker/tls/tls_int.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

/* More than any suite adds to a record: header 5, explicit IV 16, MAC 48, padding 16. */
#define RECORD_EXTRA 128

int tls_new(struct tls **out, struct tls_ctx *ctx, const char *host)
{
    struct tls *t = mem_alloc(sizeof *t);
    if (t == NULL)
        return MD_NOMEM;
    t->ctx = ctx;
    t->last_error = "";
    buf_init(&t->in, TLS_IN_MAX);
    buf_init(&t->out, TLS_OUT_MAX);
    if (host != NULL && (t->host = mem_strdup(host)) == NULL) {
        mem_free(t);
        return MD_NOMEM;
    }
    *out = t;
    return MD_OK;
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    tls_lane_release(t);
    if (t->set_up)
        mbedtls_ssl_free(&t->ssl);
    buf_free(&t->in);
    buf_free(&t->out);
    mem_free(t->hello);
    mem_free(t->host);
    mem_free(t->error);
    mem_free(t->psk_identity);
    mem_free(t);
}

int tls_input(struct tls *t, struct span cipher)
{
    if (t->in_off > 0)
        tls_compact(&t->in, &t->in_off);
    return buf_put(&t->in, cipher);
}

static int open_window(struct tls *t)
{
    return tls_window_open(&t->ctx->windows, &t->mark, &t->ssl, &t->lane->legacy);
}

static void close_window(struct tls *t) { tls_window_close(&t->ctx->windows, &t->mark, &t->ssl); }

/* May there be more for it?  The library also returns after a warning and, as a client, around a
 * ticket, and then says that it wants bytes, though it has not asked for those that are there. */
static bool goes_on(const struct tls *t, int rc)
{
    return rc == 0 || TLSC_IS_TICKET(rc) ||
           (rc == MBEDTLS_ERR_SSL_WANT_READ && tls_pending(t).n > 0);
}

/* Makes the library decrypt the next record, if there is one, without taking any of it. */
static int next_record(struct tls *t)
{
    int rc = 0;
    while (goes_on(t, rc) && mbedtls_ssl_get_bytes_avail(&t->ssl) == 0)
        rc = mbedtls_ssl_read(&t->ssl, NULL, 0);
    return rc;
}

static int take_plain(struct tls *t, struct buf *plain)
{
    size_t n = mbedtls_ssl_get_bytes_avail(&t->ssl);
    size_t room = plain->max > plain->n ? plain->max - plain->n : 0;
    if (room == 0)
        return MD_TOOBIG;
    if (n > room)
        n = room;
    int err = buf_reserve(plain, n);
    if (err != MD_OK)
        return err;
    int rc = mbedtls_ssl_read(&t->ssl, plain->p + plain->n, n);
    if (rc < 0)
        return tls_fail(t, rc);
    plain->n += (size_t)rc;
    return MD_OK;
}

static int read_records(struct tls *t, struct buf *plain)
{
    int rc = 0, err = open_window(t);
    while (err == MD_OK && (rc = next_record(t)) == 0)
        err = take_plain(t, plain);
    if (err != MD_OK || rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE)
        return err;
    if (rc != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return tls_fail(t, rc);
    t->phase = TLS_CLOSED;
    t->peer_closed = true;
    return MD_CLOSED;
}

int tls_read(struct tls *t, struct buf *plain)
{
    if (t->phase == TLS_CLOSED)
        return t->peer_closed ? MD_CLOSED : MD_TLS;
    int err = t->phase == TLS_OPEN ? read_records(t, plain) : MD_OK;
    if (t->phase == TLS_OPEN) {
        tls_drop_if_drained(&t->in, &t->in_off);
        close_window(t);
    }
    return err;
}

/* The room is reserved first, so that a write is done whole or not at all. */
static int reserve_output(struct tls *t, size_t n)
{
    int payload = mbedtls_ssl_get_max_out_record_payload(&t->ssl);
    if (payload <= 0)
        return MD_TLS;
    tls_compact(&t->out, &t->out_off);
    if (n > TLS_OUT_MAX)
        return MD_TOOBIG;
    return buf_reserve(&t->out, n + (n / (size_t)payload + 2) * RECORD_EXTRA);
}

int tls_write(struct tls *t, struct span plain)
{
    if (t->phase != TLS_OPEN)
        return MD_TLS;
    int err = reserve_output(t, plain.n);
    if (err == MD_OK)
        err = open_window(t);
    if (err != MD_OK)
        return err;
    while (plain.n > 0) {
        int rc = mbedtls_ssl_write(&t->ssl, plain.p, plain.n);
        if (rc <= 0)
            return tls_fail(t, rc);
        plain = span_skip(plain, (size_t)rc);
    }
    close_window(t);
    return MD_OK;
}

bool tls_open(const struct tls *t) { return t->phase == TLS_OPEN; }

void tls_close(struct tls *t)
{
    if (t->was_open && !t->alerted && open_window(t) == MD_OK) {
        (void)mbedtls_ssl_close_notify(&t->ssl);
        close_window(t);
    }
    t->alerted = true; /* once */
    if (t->phase == TLS_OPEN)
        t->phase = TLS_CLOSED;
}

struct span tls_output(const struct tls *t) { return span_skip(buf_view(&t->out), t->out_off); }

void tls_sent(struct tls *t, size_t n)
{
    MD_ASSERT(n <= t->out.n - t->out_off);
    t->out_off += n;
    tls_drop_if_drained(&t->out, &t->out_off);
}

int tls_peer(const struct tls *t, char cn[TLS_CN_MAX], char subject[TLS_SUBJECT_MAX])
{
    const mbedtls_x509_crt *crt = t->set_up ? mbedtls_ssl_get_peer_cert(&t->ssl) : NULL;
    cn[0] = subject[0] = '\0';
    if (t->psk_identity != NULL)
        return span_to_str(span_str(t->psk_identity), cn, TLS_CN_MAX) ? MD_OK : MD_TOOBIG;
    if (crt == NULL || !t->ctx->verify)
        return MD_NOENT;
    return tls_peer_names(&crt->subject, cn, subject);
}

const char *tls_error(const struct tls *t) { return t->last_error; }

const char *tls_description(const struct tls *t) { return t->description; }

void tls_forget_hello(struct tls *t)
{
    mem_free(t->hello);
    t->hello = NULL;
}

const struct tls_hello *tls_hello(const struct tls *t) { return t->hello; }

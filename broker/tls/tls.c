#include "broker/tls/tls.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/tls/tls_ctx.h"
#include "broker/tls/tls_text.h"

#include <arpa/inet.h>

/* More than any suite adds to a record: header 5, explicit IV 16, MAC 48, padding 16. */
#define RECORD_EXTRA 128

enum phase { NEW, SHAKING, OPEN, CLOSED };

struct tls {
    struct tls_ctx *ctx;
    struct tls_lane *lane; /* whose configuration it uses; NULL before the first step */
    enum phase phase;
    bool holds;       /* the lane's semaphore                                          */
    bool set_up;      /* ssl is initialised                                            */
    bool was_open;    /* a close_notify may be sent                                    */
    bool answered;    /* a handshake record has left                                   */
    bool alerted;     /* an alert record has left                                      */
    bool peer_closed; /* by close_notify                                               */
    uint8_t addr_n;   /* 4 or 16: not a name but this address must be in the certificate */
    uint8_t addr[16];
    size_t in_off, out_off; /* what is used up of in, out */
    struct buf in, out;
    struct tls_hello *hello; /* NULL until it arrived whole */
    char *host;
    char *error;            /* TLS_ERR_MAX; NULL = nothing failed, or no memory to say it */
    const char *last_error; /* error, or a literal                                       */
    char description[72];
    char *psk_identity; /* NULL: no key of psk_file was used */
    mbedtls_ssl_context ssl;
};

/* ---- buffers ---- */

static struct span pending_input(const struct tls *t)
{
    return span_skip(buf_view(&t->in), t->in_off);
}

/* An idle connection holds no buffer, so a drained one is given back. */
static void drop_if_drained(struct buf *b, size_t *off)
{
    if (*off < b->n)
        return;
    buf_free(b);
    *off = 0;
}

static void compact(struct buf *b, size_t *off)
{
    buf_consume(b, *off);
    *off = 0;
}

static int bio_recv(void *ctx, unsigned char *out, size_t n)
{
    struct tls *t = ctx;
    struct span in = pending_input(t);
    if (in.n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (n > in.n)
        n = in.n;
    memcpy(out, in.p, n);
    t->in_off += n;
    return (int)n;
}

/* The library hands over whole records, so the first byte is a record type. */
static int bio_send(void *ctx, const unsigned char *p, size_t n)
{
    struct tls *t = ctx;
    if (n > 0 && p[0] == MBEDTLS_SSL_MSG_ALERT)
        t->alerted = true;
    if (n > 0 && p[0] == MBEDTLS_SSL_MSG_HANDSHAKE)
        t->answered = true;
    int err = buf_put(&t->out, span_of(p, n));
    return err == MD_OK ? (int)n : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

/* ---- failures ---- */

static char *error_text(struct tls *t)
{
    if (t->error == NULL)
        t->error = mem_alloc(TLS_ERR_MAX);
    t->last_error = t->error != NULL ? t->error : "out of memory for a TLS connection";
    return t->error;
}

/* Some refusals of the library go without an alert; the peer shall know anyway. */
static void send_alert(struct tls *t)
{
    if (t->set_up && !t->alerted)
        (void)mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                             t->was_open ? MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR
                                                         : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
}

/* A TLS 1.3 client that dislikes our certificate may send its alert in clear (mbedTLS does), which
 * our library then calls a bad MAC.  -1 = the last record taken was no such alert. */
static int clear_alert(const struct tls *t)
{
    static const uint8_t header[] = {MBEDTLS_SSL_MSG_ALERT, 3, 3, 0, 2, 2};
    if (t->was_open || t->in_off < sizeof header + 1)
        return -1;
    const uint8_t *p = t->in.p + t->in_off - sizeof header - 1;
    return memcmp(p, header, sizeof header) == 0 ? p[sizeof header] : -1;
}

static int fail(struct tls *t, int rc)
{
    struct tls_fault fault = {.ctx = t->ctx,
                              .hello = t->hello,
                              .host = t->host,
                              .answered = t->answered,
                              .rc = rc,
                              .alert = clear_alert(t)};
    if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        fault.alert = tlsc_alert(&t->ssl);
    bool alerted = fault.alert >= 0;
    if (alerted)
        fault.rc = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
    if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        fault.verify = mbedtls_ssl_get_verify_result(&t->ssl);
    char *text = error_text(t);
    if (text != NULL)
        tls_text_fault(&fault, text);
    t->phase = CLOSED;
    if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        t->peer_closed = true;
        return MD_CLOSED;
    }
    if (!alerted) /* an alert is not answered by one */
        send_alert(t);
    return MD_TLS;
}

static int fail_hello(struct tls *t, int err)
{
    char *text = error_text(t);
    if (text != NULL && err == MD_TOOBIG)
        (void)snprintf(text, TLS_ERR_MAX, "its ClientHello is longer than %d bytes", TLS_HELLO_MAX);
    else if (text != NULL)
        tls_text_not_tls(pending_input(t), text);
    t->phase = CLOSED;
    return MD_TLS;
}

void tls_eof(struct tls *t)
{
    if (t->phase == OPEN || t->phase == CLOSED)
        return;
    t->phase = CLOSED;
    t->last_error = "the peer closed before it sent a whole ClientHello";
    if (t->hello != NULL)
        t->last_error = "the peer closed after it saw our certificate; it may not trust our CA: "
                        "give it ca.pem, see `merossd cert`";
    if (!t->ctx->server)
        t->last_error = "the server closed in the middle of the handshake; is this its TLS port?";
}

/* ---- handshake ---- */

/* mbedTLS 2.28 knows only names, so addresses are compared here, for both libraries. */
static int check_address(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    const struct tls *t = ctx;
    if (depth != 0)
        return 0;
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s != NULL; s = s->next)
        if ((s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_IP_ADDRESS &&
            s->buf.len == t->addr_n && memcmp(s->buf.p, t->addr, t->addr_n) == 0)
            return 0;
    *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return 0;
}

static int set_up_client(struct tls *t)
{
    if (t->host != NULL && inet_pton(AF_INET, t->host, t->addr) == 1)
        t->addr_n = 4;
    else if (t->host != NULL && inet_pton(AF_INET6, t->host, t->addr) == 1)
        t->addr_n = 16;
    if (t->addr_n > 0)
        mbedtls_ssl_set_verify(&t->ssl, check_address, t);
    return mbedtls_ssl_set_hostname(&t->ssl, t->addr_n > 0 ? NULL : t->host);
}

/* Waits for the whole ClientHello.  MD_AGAIN, MD_OK, or the result of a failure. */
static int take_hello(struct tls *t)
{
    struct tls_hello hello;
    int err = tls_hello_parse(pending_input(t), &hello);
    if (err == MD_AGAIN)
        return MD_AGAIN;
    if (err != MD_OK)
        return fail_hello(t, err);
    t->hello = mem_dup(&hello, sizeof hello);
    if (t->hello == NULL)
        return fail(t, MBEDTLS_ERR_SSL_ALLOC_FAILED);
    compact(&t->in, &t->in_off);
    t->in.n = tls_hello_join(t->in.p, t->in.n);
    return MD_OK;
}

/* The 33 KB of the library are taken only now, when the peer has shown a whole ClientHello. */
static int set_up(struct tls *t)
{
    int err = t->ctx->server ? take_hello(t) : MD_OK;
    if (err != MD_OK)
        return err;
    bool legacy = t->ctx->server && !t->hello->tls13;
    mbedtls_ssl_init(&t->ssl);
    int rc = mbedtls_ssl_setup(&t->ssl, legacy ? &t->lane->legacy : &t->lane->modern);
    if (rc == 0 && !t->ctx->server)
        rc = set_up_client(t);
    if (rc != 0) {
        mbedtls_ssl_free(&t->ssl);
        return fail(t, rc);
    }
    mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
    t->set_up = true;
    t->phase = SHAKING;
    return MD_OK;
}

static bool verified(const struct tls *t)
{
    return mbedtls_ssl_get_peer_cert(&t->ssl) != NULL &&
           mbedtls_ssl_get_verify_result(&t->ssl) == 0;
}

static int step(struct tls *t)
{
    int err = t->set_up ? MD_OK : set_up(t);
    if (err != MD_OK)
        return err;
    int rc = mbedtls_ssl_handshake(&t->ssl);
    bool again = rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE;
    if (rc != 0 && !again)
        return fail(t, rc);
    drop_if_drained(&t->in, &t->in_off);
    if (again)
        return MD_AGAIN;
    if (t->ctx->verify && !verified(t)) /* the library saw to it; twice is better here */
        return fail(t, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE);
    (void)snprintf(t->description, sizeof t->description, "%s %s", mbedtls_ssl_get_version(&t->ssl),
                   mbedtls_ssl_get_ciphersuite(&t->ssl));
    t->was_open = true;
    t->phase = OPEN;
    return MD_OK;
}

bool tls_lane_acquire(struct tls *t)
{
    for (unsigned i = 0; i < t->ctx->n_lanes && !t->holds; i++) {
        struct tls_lane *lane = t->lane != NULL ? t->lane : &t->ctx->lane[i];
        if (sem_trywait(&lane->free) == 0) {
            t->lane = lane;
            t->holds = true;
        }
    }
    return t->holds;
}

static void lane_wait(struct tls *t)
{
    if (tls_lane_acquire(t))
        return;
    if (t->lane == NULL)
        t->lane = &t->ctx->lane[0];
    while (sem_wait(&t->lane->free) != 0) {
    } /* interrupted by a signal */
    t->holds = true;
}

static void lane_release(struct tls *t)
{
    if (t->holds)
        sem_post(&t->lane->free);
    t->holds = false;
}

int tls_handshake(struct tls *t)
{
    int err = t->phase == OPEN ? MD_OK : t->peer_closed ? MD_CLOSED : MD_TLS;
    if (t->phase == NEW || t->phase == SHAKING) {
        lane_wait(t);
        err = step(t);
    }
    lane_release(t);
    return err;
}

/* ---- data ---- */

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
    lane_release(t);
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
        compact(&t->in, &t->in_off);
    return buf_put(&t->in, cipher);
}

/* Makes the library decrypt the next record, if there is one, without taking any of it. */
static int next_record(struct tls *t)
{
    int rc = 0;
    while (rc == 0 && mbedtls_ssl_get_bytes_avail(&t->ssl) == 0) {
        rc = mbedtls_ssl_read(&t->ssl, NULL, 0);
        if (TLSC_IS_TICKET(rc))
            rc = 0;
    }
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
        return fail(t, rc);
    plain->n += (size_t)rc;
    return MD_OK;
}

static int read_records(struct tls *t, struct buf *plain)
{
    int rc, err = MD_OK;
    while (err == MD_OK && (rc = next_record(t)) == 0)
        err = take_plain(t, plain);
    if (err != MD_OK || rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE)
        return err;
    if (rc != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return fail(t, rc);
    t->phase = CLOSED;
    t->peer_closed = true;
    return MD_CLOSED;
}

int tls_read(struct tls *t, struct buf *plain)
{
    if (t->phase == CLOSED)
        return t->peer_closed ? MD_CLOSED : MD_TLS;
    int err = t->phase == OPEN ? read_records(t, plain) : MD_OK;
    if (t->phase == OPEN)
        drop_if_drained(&t->in, &t->in_off);
    return err;
}

/* The room is reserved first, so that a write is done whole or not at all. */
static int reserve_output(struct tls *t, size_t n)
{
    int payload = mbedtls_ssl_get_max_out_record_payload(&t->ssl);
    if (payload <= 0)
        return MD_TLS;
    compact(&t->out, &t->out_off);
    if (n > TLS_OUT_MAX)
        return MD_TOOBIG;
    return buf_reserve(&t->out, n + (n / (size_t)payload + 2) * RECORD_EXTRA);
}

int tls_write(struct tls *t, struct span plain)
{
    if (t->phase != OPEN)
        return MD_TLS;
    int err = reserve_output(t, plain.n);
    if (err != MD_OK)
        return err;
    while (plain.n > 0) {
        int rc = mbedtls_ssl_write(&t->ssl, plain.p, plain.n);
        if (rc <= 0)
            return fail(t, rc);
        plain = span_skip(plain, (size_t)rc);
    }
    return MD_OK;
}

bool tls_open(const struct tls *t) { return t->phase == OPEN; }

bool tls_begun(const struct tls *t) { return t->phase == SHAKING; }

void tls_close(struct tls *t)
{
    if (t->was_open && !t->alerted)
        (void)mbedtls_ssl_close_notify(&t->ssl);
    t->alerted = true; /* once */
    if (t->phase == OPEN)
        t->phase = CLOSED;
}

struct span tls_output(const struct tls *t) { return span_skip(buf_view(&t->out), t->out_off); }

void tls_sent(struct tls *t, size_t n)
{
    MD_ASSERT(n <= t->out.n - t->out_off);
    t->out_off += n;
    drop_if_drained(&t->out, &t->out_off);
}

bool tls_note_psk(mbedtls_ssl_context *ssl, struct span identity)
{
    struct tls *t = (struct tls *)(void *)((char *)ssl - offsetof(struct tls, ssl));
    if (identity.n >= TLS_CN_MAX)
        return false;
    mem_free(t->psk_identity);
    t->psk_identity = mem_alloc(identity.n + 1);
    return t->psk_identity != NULL && span_to_str(identity, t->psk_identity, identity.n + 1);
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

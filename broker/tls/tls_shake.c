/* tls_shake.c - from the first byte to an open connection, or to a sentence that says why not. */
#include "broker/tls/tls_int.h"

#include "broker/base/mem.h"
#include "broker/tls/tls_text.h"

#include <arpa/inet.h>

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

int tls_fail(struct tls *t, int rc)
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
    t->phase = TLS_CLOSED;
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
        tls_text_not_tls(tls_pending(t), text);
    t->phase = TLS_CLOSED;
    return MD_TLS;
}

void tls_eof(struct tls *t)
{
    if (t->phase == TLS_OPEN || t->phase == TLS_CLOSED)
        return;
    t->phase = TLS_CLOSED;
    t->last_error = "the peer closed before it sent a whole ClientHello";
    if (t->hello != NULL)
        t->last_error = "the peer closed after it saw our certificate; it may not trust our CA: "
                        "give it ca.pem, see `merossd cert`";
    if (!t->ctx->server)
        t->last_error = "the server closed in the middle of the handshake; is this its TLS port?";
}

/* ---- what the library calls ---- */

static int bio_recv(void *ctx, unsigned char *out, size_t n)
{
    struct tls *t = ctx;
    struct span in = tls_pending(t);
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

bool tls_note_psk(mbedtls_ssl_context *ssl, struct span identity)
{
    struct tls *t = (struct tls *)(void *)((char *)ssl - offsetof(struct tls, ssl));
    if (identity.n >= TLS_CN_MAX)
        return false;
    mem_free(t->psk_identity);
    t->psk_identity = mem_alloc(identity.n + 1);
    return t->psk_identity != NULL && span_to_str(identity, t->psk_identity, identity.n + 1);
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
    int err = tls_hello_parse(tls_pending(t), &hello);
    if (err == MD_AGAIN)
        return MD_AGAIN;
    if (err != MD_OK)
        return fail_hello(t, err);
    t->hello = mem_dup(&hello, sizeof hello);
    if (t->hello == NULL)
        return tls_fail(t, MBEDTLS_ERR_SSL_ALLOC_FAILED);
    tls_compact(&t->in, &t->in_off);
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
        return tls_fail(t, rc);
    }
    mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
    t->set_up = true;
    t->phase = TLS_SHAKING;
    return MD_OK;
}

static bool verified(const struct tls *t)
{
    return mbedtls_ssl_get_peer_cert(&t->ssl) != NULL &&
           mbedtls_ssl_get_verify_result(&t->ssl) == 0;
}

/* The library keeps all of a TLS 1.3 handshake as long as the connection, which is more than the
 * connection itself.  A server needs none of it, unlike a client, who gets tickets later.  The
 * library frees it only with a context, so it is given one that has nothing else. */
static void forget_handshake(mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_context heir;
    mbedtls_ssl_init(&heir);
    heir.MBEDTLS_PRIVATE(conf) = ssl->MBEDTLS_PRIVATE(conf);
    tlsc_move_handshake(&heir, ssl);
    mbedtls_ssl_free(&heir);
}

static int step(struct tls *t)
{
    int err = t->set_up ? MD_OK : set_up(t);
    if (err != MD_OK)
        return err;
    int rc = mbedtls_ssl_handshake(&t->ssl);
    bool again = rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE;
    if (rc != 0 && !again)
        return tls_fail(t, rc);
    tls_drop_if_drained(&t->in, &t->in_off);
    if (again)
        return MD_AGAIN;
    if (t->ctx->verify && !verified(t)) /* the library saw to it; twice is better here */
        return tls_fail(t, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE);
    (void)snprintf(t->description, sizeof t->description, "%s %s", mbedtls_ssl_get_version(&t->ssl),
                   mbedtls_ssl_get_ciphersuite(&t->ssl));
    if (t->ctx->server)
        forget_handshake(&t->ssl);
    t->was_open = true;
    t->phase = TLS_OPEN;
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

void tls_lane_release(struct tls *t)
{
    if (t->holds)
        sem_post(&t->lane->free);
    t->holds = false;
}

int tls_handshake(struct tls *t)
{
    int err = t->phase == TLS_OPEN ? MD_OK : t->peer_closed ? MD_CLOSED : MD_TLS;
    if (t->phase == TLS_NEW || t->phase == TLS_SHAKING) {
        lane_wait(t);
        err = step(t);
    }
    tls_lane_release(t);
    return err;
}

bool tls_begun(const struct tls *t) { return t->phase == TLS_SHAKING; }

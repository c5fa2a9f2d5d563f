/* bare.h - a TLS 1.2 client made of the bare library: it resumes, renegotiates, and asks for things
 * that a struct tls never asks for. */
#ifndef TESTS_UNIT_TLS_BARE_H
#define TESTS_UNIT_TLS_BARE_H

#include "broker/tls/tls_compat.h"
#include "tests/unit/tls/peer.h"
#include "tests/unit/tls/renegotiation.h"

struct bare {
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    struct tls *s;
    bool saw_certificate, saw_ticket;
};

static inline int bare_random(void *ctx, unsigned char *out, size_t n)
{
    static unsigned x = 1;
    (void)ctx;
    while (n-- > 0)
        *out++ = (unsigned char)((x = x * 1103515245 + 12345) >> 16);
    return 0;
}

static inline int bare_send(void *ctx, const unsigned char *p, size_t n)
{
    struct bare *b = ctx;
    return tls_input(b->s, span_of(p, n)) == MD_OK ? (int)n : -1;
}

static inline int bare_recv(void *ctx, unsigned char *p, size_t n)
{
    struct bare *b = ctx;
    struct span out = tls_output(b->s);
    if (out.n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (n > out.n)
        n = out.n;
    memcpy(p, out.p, n);
    tls_sent(b->s, n);
    return (int)n;
}

static inline void bare_init(struct bare *b, struct tls_ctx *server, bool tickets)
{
    memset(b, 0, sizeof *b);
    mbedtls_ssl_config_init(&b->conf);
    mbedtls_ssl_init(&b->ssl);
    assert_int_equal(mbedtls_ssl_config_defaults(&b->conf, MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&b->conf, bare_random, NULL);
    mbedtls_ssl_conf_authmode(&b->conf, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_session_tickets(&b->conf, tickets ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                       : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    allow_renegotiation(&b->conf);
    tlsc_set_versions(&b->conf, TLS_1_2, TLS_1_2);
    assert_int_equal(mbedtls_ssl_setup(&b->ssl, &b->conf), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&b->ssl, NULL), 0);
    mbedtls_ssl_set_bio(&b->ssl, b, bare_send, bare_recv, NULL);
    b->s = connection(server, NULL);
}

static inline void bare_free(struct bare *b)
{
    tls_free(b->s);
    mbedtls_ssl_free(&b->ssl);
    mbedtls_ssl_config_free(&b->conf);
}

/* Notes whether a Certificate (11) or a NewSessionTicket (4) is among the records the server sends
 * in clear. */
static inline void bare_watch(struct bare *b)
{
    struct span out = tls_output(b->s);
    for (size_t at = 0; at + 5 < out.n; at += 5 + ((size_t)out.p[at + 3] << 8 | out.p[at + 4])) {
        if (out.p[at] != 22)
            return;
        b->saw_certificate = b->saw_certificate || out.p[at + 5] == 11;
        b->saw_ticket = b->saw_ticket || out.p[at + 5] == 4;
    }
}

static inline void bare_shake(struct bare *b)
{
    int at_c = MBEDTLS_ERR_SSL_WANT_READ, at_s = MD_AGAIN;
    for (int i = 0; i < 20 && (at_c != 0 || at_s != MD_OK); i++) {
        at_c = mbedtls_ssl_handshake(&b->ssl);
        assert_true(at_c == 0 || at_c == MBEDTLS_ERR_SSL_WANT_READ);
        at_s = at_s == MD_OK ? MD_OK : tls_handshake(b->s);
        assert_true(at_s == MD_OK || at_s == MD_AGAIN);
        bare_watch(b);
    }
    assert_int_equal(at_c, 0);
    assert_int_equal(at_s, MD_OK);
}

#endif

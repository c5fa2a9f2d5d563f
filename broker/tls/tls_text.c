#include "broker/tls/tls_text.h"

#include <stdarg.h>
#include <stdio.h>

/* Text that is cut at the end of the array, with "..." as the sign. */
struct text {
    char *p;
    size_t n;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->p + t->n, TLS_ERR_MAX - t->n, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    t->n += (size_t)n;
    if (t->n >= TLS_ERR_MAX) {
        t->n = TLS_ERR_MAX - 1;
        memcpy(t->p + t->n - 3, "...", 3);
    }
}

struct alert {
    int number;
    const char *name;
    const char *advice;
};

/* RFC 8446 section 6.  Advice for a server, whose certificate the client looked at. */
static const struct alert ALERTS[] = {
    {10, "unexpected_message", NULL},
    {20, "bad_record_mac", NULL},
    {22, "record_overflow", NULL},
    {40, "handshake_failure", "it accepts none of what we offer"},
    {42, "bad_certificate",
     "it does not accept our certificate; is it made for the name or "
     "address the client uses? See `merossd cert`"},
    {43, "unsupported_certificate", "it cannot use this type of certificate"},
    {44, "certificate_revoked", NULL},
    {45, "certificate_expired", "to its clock our certificate is out of date; check both clocks"},
    {46, "certificate_unknown",
     "it does not accept our certificate: give it ca.pem, and use a "
     "name or address that is in the certificate; see `merossd cert`"},
    {47, "illegal_parameter", NULL},
    {48, "unknown_ca", "the client does not trust our CA: give it ca.pem, see `merossd cert`"},
    {49, "access_denied", NULL},
    {50, "decode_error", NULL},
    {51, "decrypt_error",
     "it may trust an older CA of the same name: give it the present "
     "ca.pem, see `merossd cert`"},
    {70, "protocol_version", "it does not speak the TLS version we chose"},
    {71, "insufficient_security", "it finds our cipher suites too weak"},
    {80, "internal_error", NULL},
    {86, "inappropriate_fallback", NULL},
    {109, "missing_extension", NULL},
    {112, "unrecognized_name", "it was asked for a name it does not know"},
    {116, "certificate_required", "the server wants a client certificate"},
};

static void put_alert(struct text *t, const struct tls_fault *f)
{
    for (size_t i = 0; i < sizeof ALERTS / sizeof ALERTS[0]; i++) {
        const struct alert *a = &ALERTS[i];
        if (a->number != f->alert)
            continue;
        put(t, "the peer ended it with alert %s", a->name);
        if (a->advice != NULL && (f->ctx->server || a->number >= 70 || a->number == 40))
            put(t, ": %s", a->advice);
        return;
    }
    put(t, "the peer ended it with alert %d", f->alert);
}

static void put_codes(struct text *t, const uint16_t *code, unsigned n, unsigned kept)
{
    for (unsigned i = 0; i < n && i < kept; i++)
        put(t, " 0x%04x", (unsigned)code[i]);
    if (n > kept)
        put(t, " and %u more", n - kept);
    if (n == 0)
        put(t, " none");
}

/* Suites 0x13xx exist in TLS 1.3 alone; 0x00ff is a sign, not a suite. */
static bool only_tls13(const struct tls_hello *h)
{
    for (unsigned i = 0; i < h->n_suites && i < TLS_HELLO_SUITES; i++)
        if (h->suites[i] >> 8 != 0x13 && h->suites[i] != 0x00ff)
            return false;
    return h->tls13;
}

static void put_suites(struct text *t, const struct tls_hello *h)
{
    put(t, "no cipher suite in common; it offered");
    put_codes(t, h->suites, h->n_suites, TLS_HELLO_SUITES);
    for (unsigned i = 0; i < h->n_suites && i < TLS_HELLO_SUITES; i++) {
        const char *name = mbedtls_ssl_get_ciphersuite_name(h->suites[i]);
        if (strcmp(name, "unknown") != 0)
            put(t, " %s", name);
    }
}

static bool shares_suite(const struct tls_fault *f)
{
    for (unsigned i = 0; i < f->hello->n_suites && i < TLS_HELLO_SUITES; i++)
        if (tls_suites_have(f->ctx->suites, f->hello->suites[i]))
            return true;
    return false;
}

/* Legacy versions on the wire count 0x0301 for TLS 1.0, as our enum does in its low byte. */
static bool put_version(struct text *t, const struct tls_fault *f)
{
    int best = f->hello->tls13 ? TLS_1_3 : f->hello->version - 0x0300;
    if (best >= (int)f->ctx->min)
        return false;
    if (best < TLS_1_0)
        put(t, "it speaks at most SSL 3.0");
    else
        put(t, "it speaks at most TLS 1.%d", best - 1);
    put(t, ", this listener starts at TLS 1.%d; ", (int)f->ctx->min - 1);
    if (TLSC_MIN < TLS_1_2)
        put(t, "tls_version lowers that");
    else
        put(t, "%s cannot do less than TLS 1.%d", tls_library(), TLSC_MIN - 1);
    return true;
}

/* The library's own codes for a refused hello differ between versions and say little; what the
 * client offered says more. */
static void put_refused_hello(struct text *t, const struct tls_fault *f)
{
    if (put_version(t, f))
        return;
    if (TLSC_MAX < TLS_1_3 && only_tls13(f->hello)) {
        put(t, "it insists on TLS 1.3, and %s ends at TLS 1.2; allow TLS 1.2 in the client",
            tls_library());
        return;
    }
    if (!shares_suite(f)) {
        put_suites(t, f->hello);
        return;
    }
    put(t, "a cipher suite is in common, but no way to use it; it offered groups");
    put_codes(t, f->hello->groups, f->hello->n_groups, TLS_HELLO_GROUPS);
    put(t, ", signatures");
    put_codes(t, f->hello->sigalgs, f->hello->n_sigalgs, TLS_HELLO_SIGALGS);
    put(t, ", suites");
    put_codes(t, f->hello->suites, f->hello->n_suites, TLS_HELLO_SUITES);
}

static void put_verify(struct text *t, const struct tls_fault *f)
{
    const char *whose = f->ctx->server ? "the client's" : "the server's";
    if (f->verify & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        put(t,
            "%s certificate is not signed by a CA in our CA file; give the ca.pem of that "
            "broker",
            whose);
    else if (f->verify & MBEDTLS_X509_BADCERT_CN_MISMATCH)
        put(t, "%s certificate is not made for %s; use a name or address that is in it", whose,
            f->host != NULL ? f->host : "this name");
    else if (f->verify & MBEDTLS_X509_BADCERT_EXPIRED)
        put(t, "%s certificate has expired, or our clock is wrong", whose);
    else if (f->verify & MBEDTLS_X509_BADCERT_FUTURE)
        put(t, "%s certificate is not valid yet: our clock is wrong", whose);
    else if (f->verify & MBEDTLS_X509_BADCERT_REVOKED)
        put(t, "%s certificate is revoked by our crlfile", whose);
    else if (f->verify & (MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE |
                          MBEDTLS_X509_BADCRL_NOT_TRUSTED))
        put(t, "our crlfile is out of date, or is not signed by the CA of %s certificate", whose);
    else
        put(t, "%s certificate is refused (flags 0x%x)", whose, (unsigned)f->verify);
}

void tls_text_fault(const struct tls_fault *f, char out[TLS_ERR_MAX])
{
    struct text t = {out, 0};
    char native[96];
    out[0] = '\0';
    switch (f->rc) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        put_alert(&t, f);
        return;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        put_verify(&t, f);
        return;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        put(&t, "the peer closed in the middle of the handshake");
        return;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
        put(&t, "out of memory for a TLS connection");
        return;
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
        put(&t, "the client sent no certificate, and this listener's CA file makes it ask for one");
        return;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        put(&t, "a record was damaged on the way or forged (bad MAC)");
        return;
    default:
        break;
    }
    if (f->hello != NULL && !f->answered) {
        put_refused_hello(&t, f);
        return;
    }
    tlsc_strerror(f->rc, native, sizeof native);
    put(&t, "%s", native);
}

void tls_text_not_tls(struct span in, char out[TLS_ERR_MAX])
{
    struct text t = {out, 0};
    uint8_t first = in.n > 0 ? in.p[0] : 0;
    out[0] = '\0';
    if (first == 0x10)
        put(&t, "it speaks MQTT without TLS; switch TLS on in the client or use the plain port");
    else if (first >= 'A' && first <= 'Z')
        put(&t, "it speaks HTTP or other text without TLS");
    else
        put(&t, "it does not speak TLS; it begins with");
    for (size_t i = 0; first != 0x10 && (first < 'A' || first > 'Z') && i < in.n && i < 8; i++)
        put(&t, " %02x", (unsigned)in.p[i]);
}

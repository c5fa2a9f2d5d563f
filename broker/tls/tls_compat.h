/* tls_compat.h - everything in which mbedTLS 2.28 and 3.6, and builds with less compiled in,
 * differ.  Included by this room only; the rest of the room has no #if. */
#ifndef BROKER_TLS_TLS_COMPAT_H
#define BROKER_TLS_TLS_COMPAT_H

#include <mbedtls/version.h> /* pulls in the library's configuration */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#if MBEDTLS_VERSION_NUMBER >= 0x04000000
#error "mbedTLS 4 has no RSA key exchange and no RNG callbacks; use 3.6 or 2.28"
#endif
#if defined(MBEDTLS_USE_PSA_CRYPTO) && !defined(MBEDTLS_THREADING_C)
#error "MBEDTLS_USE_PSA_CRYPTO needs MBEDTLS_THREADING_C: handshakes run in parallel"
#endif

typedef int tlsc_rng(void *ctx, unsigned char *out, size_t n);

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

#if defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#endif

/* TLS 1.3 keeps its keys in the process-wide PSA key store, which has locks only with
 * MBEDTLS_THREADING_C. */
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_THREADING_C)
#define TLSC_MAX 4
#else
#define TLSC_MAX 3
#endif
#define TLSC_MIN 3

/* P-256 comes with a table for the multiplication that a key needs. */
#define TLSC_CHEAPEST_GROUPS MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519

/* The session cache looks a session up by arguments in 3.6, by the session in 2.28. */
#define TLSC_ID_PARAMS , const unsigned char *id, size_t id_len
#define TLSC_ID_ARGS   , id, id_len

/* Call once before anything else; again is harmless.  0 or an error of the library. */
#if defined(MBEDTLS_PSA_CRYPTO_C)
static inline int tlsc_init(void) { return psa_crypto_init() == PSA_SUCCESS ? 0 : -1; }
#else
static inline int tlsc_init(void) { return 0; }
#endif

static inline void tlsc_set_versions(mbedtls_ssl_config *c, int min, int max)
{
    mbedtls_ssl_conf_min_tls_version(c, min > 3 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(c, max > 3 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                : MBEDTLS_SSL_VERSION_TLS1_2);
}

typedef uint16_t tlsc_group;
#define TLSC_GROUP(info)             ((info)->tls_id)
#define tlsc_conf_groups(conf, list) mbedtls_ssl_conf_groups(conf, list)

/* Neither library lists SHA-1 by default, and both then refuse clients that sign with nothing
 * else, even for the plain RSA key exchange, in which the server signs nothing. */
static inline void tlsc_allow_sha1(mbedtls_ssl_config *c)
{
    static const uint16_t algorithms[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                          MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                          MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
                                          MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
                                          MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
                                          MBEDTLS_TLS1_3_SIG_ECDSA_SHA1,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA1,
                                          MBEDTLS_TLS1_3_SIG_NONE};
    mbedtls_ssl_conf_sig_algs(c, algorithms);
}

static inline int tlsc_parse_key(mbedtls_pk_context *pk, const unsigned char *p, size_t n,
                                 tlsc_rng *rng, void *rng_ctx)
{
    return mbedtls_pk_parse_key(pk, p, n, NULL, 0, rng, rng_ctx);
}

static inline int tlsc_check_pair(const mbedtls_pk_context *public_key,
                                  const mbedtls_pk_context *key, tlsc_rng *rng, void *rng_ctx)
{
    return mbedtls_pk_check_pair(public_key, key, rng, rng_ctx);
}

#else /* 2.28 */

#define TLSC_MAX 3
#if defined(MBEDTLS_SSL_PROTO_TLS1)
#define TLSC_MIN 1
#elif defined(MBEDTLS_SSL_PROTO_TLS1_1)
#define TLSC_MIN 2
#else
#define TLSC_MIN 3
#endif

#define TLSC_ID_PARAMS
#define TLSC_ID_ARGS

/* The table for P-256 is computed anew for each handshake. */
#define TLSC_CHEAPEST_GROUPS         MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1

static inline int tlsc_init(void) { return 0; }

/* enum tls_version counts like the minor version on the wire: TLS 1.0 is 3.1. */
static inline void tlsc_set_versions(mbedtls_ssl_config *c, int min, int max)
{
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, min);
    mbedtls_ssl_conf_max_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, max);
}

typedef mbedtls_ecp_group_id tlsc_group;
#define TLSC_GROUP(info)             ((info)->grp_id)
#define tlsc_conf_groups(conf, list) mbedtls_ssl_conf_curves(conf, list)

static inline void tlsc_allow_sha1(mbedtls_ssl_config *c)
{
    static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                                 MBEDTLS_MD_SHA224, MBEDTLS_MD_SHA1,   MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_sig_hashes(c, hashes);
}

static inline int tlsc_parse_key(mbedtls_pk_context *pk, const unsigned char *p, size_t n,
                                 tlsc_rng *rng, void *rng_ctx)
{
    (void)rng;
    (void)rng_ctx;
    return mbedtls_pk_parse_key(pk, p, n, NULL, 0);
}

static inline int tlsc_check_pair(const mbedtls_pk_context *public_key,
                                  const mbedtls_pk_context *key, tlsc_rng *rng, void *rng_ctx)
{
    (void)rng;
    (void)rng_ctx;
    return mbedtls_pk_check_pair(public_key, key);
}

#endif

#if TLSC_MAX > 3
/* Resumption by ticket is a PSK handshake in TLS 1.3; a fresh key exchange goes with each. */
static inline void tlsc_set_tls13(mbedtls_ssl_config *c)
{
    mbedtls_ssl_conf_tls13_key_exchange_modes(c,
                                              MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
}
#define TLSC_SUITES_13                                                                             \
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS1_3_AES_128_GCM_SHA256,                    \
        MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#define TLSC_IS_TICKET(rc) ((rc) == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#else
static inline void tlsc_set_tls13(mbedtls_ssl_config *c) { (void)c; }
#define TLSC_SUITES_13
#define TLSC_IS_TICKET(rc) ((rc) != (rc))
#endif

#if defined(MBEDTLS_SSL_RENEGOTIATION)
static inline void tlsc_no_renegotiation(mbedtls_ssl_config *c)
{
    mbedtls_ssl_conf_renegotiation(c, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
}
#else
static inline void tlsc_no_renegotiation(mbedtls_ssl_config *c) { (void)c; }
#endif

#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

/* The fields of a context that point into the buffer for records that come in, and into that for
 * those that leave, but for the buffer itself. */
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
#define TLSC_RECORD_POINTERS 6
#define TLSC_POINTER_CID(f)  , f
#else
#define TLSC_RECORD_POINTERS 5
#define TLSC_POINTER_CID(f)
#endif
#define TLSC_POINTERS_IN(ssl)                                                                      \
    {                                                                                              \
        &(ssl)->MBEDTLS_PRIVATE(in_ctr), &(ssl)->MBEDTLS_PRIVATE(in_hdr),                          \
            &(ssl)->MBEDTLS_PRIVATE(in_len), &(ssl)->MBEDTLS_PRIVATE(in_iv),                       \
            &(ssl)->MBEDTLS_PRIVATE(in_msg) TLSC_POINTER_CID(&(ssl)->MBEDTLS_PRIVATE(in_cid))      \
    }
#define TLSC_POINTERS_OUT(ssl)                                                                     \
    {                                                                                              \
        &(ssl)->MBEDTLS_PRIVATE(out_ctr), &(ssl)->MBEDTLS_PRIVATE(out_hdr),                        \
            &(ssl)->MBEDTLS_PRIVATE(out_len), &(ssl)->MBEDTLS_PRIVATE(out_iv),                     \
            &(ssl)->MBEDTLS_PRIVATE(out_msg) TLSC_POINTER_CID(&(ssl)->MBEDTLS_PRIVATE(out_cid))    \
    }

/* What a handshake leaves changes hands; builds without TLS 1.2 keep it. */
#if defined(MBEDTLS_SSL_PROTO_TLS1_2)
static inline void tlsc_move_handshake(mbedtls_ssl_context *to, mbedtls_ssl_context *from)
{
    to->MBEDTLS_PRIVATE(handshake) = from->MBEDTLS_PRIVATE(handshake);
    to->MBEDTLS_PRIVATE(session_negotiate) = from->MBEDTLS_PRIVATE(session_negotiate);
    to->MBEDTLS_PRIVATE(transform_negotiate) = from->MBEDTLS_PRIVATE(transform_negotiate);
    from->MBEDTLS_PRIVATE(handshake) = NULL;
    from->MBEDTLS_PRIVATE(session_negotiate) = NULL;
    from->MBEDTLS_PRIVATE(transform_negotiate) = NULL;
}
#else
static inline void tlsc_move_handshake(mbedtls_ssl_context *to, mbedtls_ssl_context *from)
{
    (void)to, (void)from;
}
#endif

/* Are the buffers of all connections of one size? */
#if defined(MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH) || defined(MBEDTLS_SSL_HW_RECORD_ACCEL)
#define TLSC_BUFFERS_ALIKE false
#else
#define TLSC_BUFFERS_ALIKE true
#endif

/* The description of the alert that just arrived (after MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE): an
 * alert under TLS 1.3 is encrypted, and without its number nobody learns that the client lacks our
 * CA. */
static inline int tlsc_alert(const mbedtls_ssl_context *ssl)
{
    return ssl->MBEDTLS_PRIVATE(in_msg) == NULL ? -1 : ssl->MBEDTLS_PRIVATE(in_msg)[1];
}

/* Keys that both sides know. */
#if defined(MBEDTLS_KEY_EXCHANGE_PSK_ENABLED) || defined(MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED)
#define TLSC_HAS_PSK true
#define TLSC_PSK_MAX MBEDTLS_PSK_MAX_LEN
typedef int tlsc_psk_cb(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *id, size_t n);
static inline void tlsc_conf_psk(mbedtls_ssl_config *c, tlsc_psk_cb *cb, void *ctx)
{
    mbedtls_ssl_conf_psk_cb(c, cb, ctx);
}
static inline int tlsc_use_psk(mbedtls_ssl_context *ssl, const unsigned char *key, size_t n)
{
    return mbedtls_ssl_set_hs_psk(ssl, key, n);
}
#else
#define TLSC_HAS_PSK false
#define TLSC_PSK_MAX 32
typedef int tlsc_psk_cb(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *id, size_t n);
static inline void tlsc_conf_psk(mbedtls_ssl_config *c, tlsc_psk_cb *cb, void *ctx)
{
    (void)c, (void)cb, (void)ctx;
}
static inline int tlsc_use_psk(mbedtls_ssl_context *ssl, const unsigned char *key, size_t n)
{
    (void)ssl, (void)key, (void)n;
    return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
}
#endif

/* A folder of CAs, and lists of revoked certificates. */
#if defined(MBEDTLS_FS_IO)
static inline int tlsc_parse_folder(mbedtls_x509_crt *crt, const char *path)
{
    return mbedtls_x509_crt_parse_path(crt, path);
}
#else
static inline int tlsc_parse_folder(mbedtls_x509_crt *crt, const char *path)
{
    (void)crt, (void)path;
    return MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE;
}
#endif

/* Is this attribute part of the same component as the next (CN=a+UID=b)? */
static inline bool tlsc_merged(const mbedtls_x509_name *name)
{
    return name->MBEDTLS_PRIVATE(next_merged) != 0;
}

#if defined(MBEDTLS_ERROR_C)
static inline void tlsc_strerror(int rc, char *out, size_t cap) { mbedtls_strerror(rc, out, cap); }
#else
static inline void tlsc_strerror(int rc, char *out, size_t cap)
{
    (void)snprintf(out, cap, "mbedTLS error -0x%04x", (unsigned)-rc);
}
#endif

/* Session tickets, which some builds leave out. */
#if defined(MBEDTLS_SSL_TICKET_C) && defined(MBEDTLS_SSL_SESSION_TICKETS)
struct tlsc_tickets {
    mbedtls_ssl_ticket_context c;
};
static inline void tlsc_tickets_init(struct tlsc_tickets *t) { mbedtls_ssl_ticket_init(&t->c); }
static inline void tlsc_tickets_free(struct tlsc_tickets *t) { mbedtls_ssl_ticket_free(&t->c); }
static inline int tlsc_tickets_setup(struct tlsc_tickets *t, tlsc_rng *rng, void *rng_ctx,
                                     uint32_t lifetime)
{
    return mbedtls_ssl_ticket_setup(&t->c, rng, rng_ctx, MBEDTLS_CIPHER_AES_256_GCM, lifetime);
}
static inline int tlsc_ticket_write(struct tlsc_tickets *t, const mbedtls_ssl_session *session,
                                    unsigned char *start, const unsigned char *end, size_t *n,
                                    uint32_t *lifetime)
{
    return mbedtls_ssl_ticket_write(&t->c, session, start, end, n, lifetime);
}
static inline int tlsc_ticket_parse(struct tlsc_tickets *t, mbedtls_ssl_session *session,
                                    unsigned char *p, size_t n)
{
    return mbedtls_ssl_ticket_parse(&t->c, session, p, n);
}
#define tlsc_conf_tickets(conf, write, parse, ctx)                                                 \
    mbedtls_ssl_conf_session_tickets_cb(conf, write, parse, ctx)
#else
struct tlsc_tickets {
    char none;
};
static inline void tlsc_tickets_init(struct tlsc_tickets *t) { (void)t; }
static inline void tlsc_tickets_free(struct tlsc_tickets *t) { (void)t; }
static inline int tlsc_tickets_setup(struct tlsc_tickets *t, tlsc_rng *rng, void *rng_ctx,
                                     uint32_t lifetime)
{
    (void)t, (void)rng, (void)rng_ctx, (void)lifetime;
    return 0;
}
static inline int tlsc_ticket_write(struct tlsc_tickets *t, const mbedtls_ssl_session *session,
                                    unsigned char *start, const unsigned char *end, size_t *n,
                                    uint32_t *lifetime)
{
    (void)t, (void)session, (void)start, (void)end, (void)n, (void)lifetime;
    return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
}
static inline int tlsc_ticket_parse(struct tlsc_tickets *t, mbedtls_ssl_session *session,
                                    unsigned char *p, size_t n)
{
    (void)t, (void)session, (void)p, (void)n;
    return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
}
#define tlsc_conf_tickets(conf, write, parse, ctx) ((void)(write), (void)(parse), (void)(ctx))
#endif

#endif

/* renegotiation.h - a client that asks for a second handshake.  The library of the static files is
 * built without that; its server half refuses what e2e/40-tls lets OpenSSL ask for. */
#ifndef TESTS_UNIT_TLS_RENEGOTIATION_H
#define TESTS_UNIT_TLS_RENEGOTIATION_H

#include <mbedtls/ssl.h>
#include <stdbool.h>

#if defined(MBEDTLS_SSL_RENEGOTIATION)
#define CAN_RENEGOTIATE true
static inline void allow_renegotiation(mbedtls_ssl_config *c)
{
    mbedtls_ssl_conf_renegotiation(c, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
}
static inline int renegotiate(mbedtls_ssl_context *ssl) { return mbedtls_ssl_renegotiate(ssl); }
#else
#define CAN_RENEGOTIATE false
static inline void allow_renegotiation(mbedtls_ssl_config *c) { (void)c; }
static inline int renegotiate(mbedtls_ssl_context *ssl)
{
    (void)ssl;
    return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
}
#endif

#endif

/* tls_text.h - failures of TLS as one sentence for people: cause and next step.  Pure, private to
 * this room. */
#ifndef BROKER_TLS_TLS_TEXT_H
#define BROKER_TLS_TLS_TEXT_H

#include "broker/tls/tls_ctx.h"

struct tls_fault {
    const struct tls_ctx *ctx;
    const struct tls_hello *hello; /* NULL: none, or client role                          */
    const char *host;              /* client: the name that was asked for; may be NULL     */
    bool answered;                 /* server: a ServerHello had left before it failed      */
    int rc;                        /* of mbedTLS                                           */
    int alert;                     /* with MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: its number */
    uint32_t verify;               /* with MBEDTLS_ERR_X509_CERT_VERIFY_FAILED: its flags  */
};

void tls_text_fault(const struct tls_fault *f, char out[TLS_ERR_MAX]);

/* What a peer talks whose first bytes are no ClientHello.  Its bytes appear as hex only. */
void tls_text_not_tls(struct span in, char out[TLS_ERR_MAX]);

#endif

/* tls_ctx.h - the inside of a struct tls_ctx, for this room only.
 *
 * mbedTLS writes into a private key while it uses it (blinding values, cached Montgomery
 * constants), and into a CA's public key while it verifies, so each lane has its own copy of
 * them, and its semaphore lets one handshake step at a time near them.  After the handshake
 * a connection only reads the lane's configuration (versions, the random callback), which never
 * changes, so it needs no lane any more. */
#ifndef BROKER_TLS_TLS_CTX_H
#define BROKER_TLS_TLS_CTX_H

#include "broker/tls/tls.h"
#include "broker/tls/tls_shared.h"
#include "broker/tls/tls_window.h"

#include <semaphore.h>

#define TLS_LANES_MAX 16
#define TLS_CERTS     2
#define TLS_SUITES    40 /* room for all that are listed in tls_suites.c, and the end mark */
#define TLS_GROUPS    24 /* room for all curves of the library, and the end mark */

struct tls_lane {
    sem_t free; /* 1 = nobody is in a handshake step here */
    /* legacy: TLS 1.2 at most, SHA-1 signatures allowed; for hellos without TLS 1.3.
     * modern: all the library can do; for the others, and for the client role. */
    mbedtls_ssl_config legacy, modern;
    mbedtls_x509_crt chain[TLS_CERTS], ca;
    mbedtls_x509_crl crl;
    mbedtls_pk_context key[TLS_CERTS];
};

struct tls_psk; /* identities and keys */

struct tls_ctx {
    bool server, verify; /* verify: there is a CA      */
    struct tls_psk *psk; /* NULL: no psk_file           */
    enum tls_version min;
    int suites[TLS_SUITES];        /* in our order; ends with 0 */
    tlsc_group groups[TLS_GROUPS]; /* likewise                  */
    unsigned n_lanes;
    struct tls_windows windows; /* loop thread */
    struct tls_shared shared;
    struct tls_lane lane[];
};

/* Fills in the suites that the linked library has, best first, ending with 0: those that need
 * certificates, those that need keys both sides know, or both. */
void tls_suites(int out[TLS_SUITES], bool certificates, bool keys);

/* tls_ciphers.c: leaves those that tls_config.ciphers names, in our order.  False: nothing is left
 * but TLS 1.3. */
bool tls_suites_choose(int list[TLS_SUITES], const char *ciphers);

/* tls_psk.c: reads `text`, the contents of a psk_file, NUL included.  *out given: tls_psk_free().
 * Errors: MD_TLS with err set (bad line, or a library without), MD_NOMEM. */
MD_MUST_USE int tls_psk_new(struct tls_psk **out, const char *name, const char *text,
                            char err[TLS_ERR_MAX]);
void tls_psk_free(struct tls_psk *p);
void tls_psk_attach(struct tls_psk *p, mbedtls_ssl_config *conf); /* p: kept */

/* tls.c: the identity by which the client of `ssl` named its key; copied.  False: too long. */
bool tls_note_psk(mbedtls_ssl_context *ssl, struct span identity);

/* tls_peer.c */
/* Common Name (the first; "" = none) and subject (RFC 2253) of a certificate.
 * Errors: MD_PROTO (a NUL or bad UTF-8 in the Common Name), MD_TOOBIG. */
MD_MUST_USE int tls_peer_names(const mbedtls_x509_name *subject, char cn[TLS_CN_MAX],
                               char text[TLS_SUBJECT_MAX]);
void tls_groups(tlsc_group out[TLS_GROUPS]);
bool tls_suites_have(const int *list, unsigned suite);

#endif

/* tls_shared.h - what all lanes of a tls_ctx use together: random numbers, the session cache and
 * session tickets.  Private to this room.
 *
 * Each is behind a mutex of ours, so nothing depends on the library having been built with
 * MBEDTLS_THREADING_C.  A ticket operation draws random numbers: the order of locks is ticket,
 * then random. */
#ifndef BROKER_TLS_TLS_SHARED_H
#define BROKER_TLS_TLS_SHARED_H

#include "broker/base/err.h"
#include "broker/tls/tls_compat.h"

#include <pthread.h>

#define TLS_SESSIONS_MAX 512   /* in the cache; a few hundred bytes each */
#define TLS_SESSION_LIFE 86400 /* seconds, of tickets; the library's default for the cache */

struct tls_shared {
    pthread_mutex_t rng_lock, cache_lock, ticket_lock;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_cache_context cache;
    struct tlsc_tickets tickets;
};

/* Seeds the generator.  Also makes the library fill its lazily built tables (AES, lists of
 * suites) while there is only one thread.  s may not move afterwards; tls_shared_free() also after
 * a failure.  Errors: MD_TLS. */
MD_MUST_USE int tls_shared_init(struct tls_shared *s);
void tls_shared_free(struct tls_shared *s);

/* Server: lets connections of this configuration resume.  s: kept. */
void tls_shared_attach(struct tls_shared *s, mbedtls_ssl_config *conf);

int tls_shared_random(void *shared, unsigned char *out, size_t n); /* a tlsc_rng; any thread */

#endif

/* issue.h - makes keys and certificates as PEM text.  No files, no policy. */
#ifndef CERTS_ISSUE_H
#define CERTS_ISSUE_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "broker/base/err.h"
#include "certs/compat.h"
#include "certs/dates.h"

#define ISSUE_PEM_MAX 8192
#define ISSUE_DN_MAX  256

enum issue_key { ISSUE_RSA, ISSUE_EC };

struct issue_source { /* randomness that can be cut off */
    const struct env *env;
    bool (*stop)(void *ctx); /* NULL = never */
    void *ctx;
};

/* Makes a key: RSA-2048 (a few hundred milliseconds, seconds on a router) or P-256.
 * key     initialised and empty.
 * random  asked every few milliseconds; when it stops, so does the making.
 * *native the library's code when it fails, for the message; likewise below.
 * Errors: MD_TLS, MD_NOMEM, MD_CLOSED (stopped). */
MD_MUST_USE int issue_make_key(mbedtls_pk_context *key, enum issue_key type,
                               const struct issue_source *random, int *native);

struct issue_request {
    mbedtls_pk_context *key;      /* of the subject */
    mbedtls_pk_context *ca_key;   /* signs          */
    const char *subject, *issuer; /* "CN=..."     */
    bool ca;                      /* make a CA; then names is not used */
    struct span names;            /* the subjectAltName extension      */
    struct dates end;             /* last day                          */
};

/* Signs a certificate that is valid from 1970-01-01 and appends it to `pem` with its NUL.
 * Errors: MD_TLS, MD_NOMEM. */
MD_MUST_USE int issue_certificate(const struct issue_request *r, const struct env *env,
                                  struct buf *pem, int *native);

/* Appends the private key with its NUL.  Errors: MD_TLS, MD_NOMEM. */
MD_MUST_USE int issue_key_pem(mbedtls_pk_context *key, struct buf *pem, int *native);

/* "CN=merossd CA 1a2b3c4d": eight digits of the key's digest, so that the same key always gives
 * the same name and two CAs of one house have different ones.  Errors: MD_TLS. */
MD_MUST_USE int issue_ca_name(mbedtls_pk_context *key, char out[ISSUE_DN_MAX], int *native);

/* A compat_rng; env is a const struct env *. */
int issue_random(void *env, unsigned char *out, size_t n);

#endif

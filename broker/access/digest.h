/* digest.h - the digests of password files, from mbedTLS; digest.c is the only file of this room
 * that includes it.  Pure; may run in the thread pool. */
#ifndef BROKER_ACCESS_DIGEST_H
#define BROKER_ACCESS_DIGEST_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define DIGEST_SHA512 64 /* bytes */
#define DIGEST_SHA256 32

/* SHA512(password || salt), mosquitto's `$6$`.  Errors: MD_NOMEM. */
MD_MUST_USE int digest_sha512(uint8_t out[DIGEST_SHA512], struct span password, struct span salt);

/* PBKDF2 with HMAC-SHA512, mosquitto's `$7$` [RFC 8018 5.2].  iterations  at least 1.
 * Errors: MD_NOMEM. */
MD_MUST_USE int digest_pbkdf2(uint8_t out[DIGEST_SHA512], struct span password, struct span salt,
                              unsigned iterations);

/* HMAC-SHA256 over the parts, one after the other.  Errors: MD_NOMEM. */
MD_MUST_USE int digest_keyed(uint8_t out[DIGEST_SHA256], const uint8_t secret[DIGEST_SHA256],
                             const struct span *part, size_t n);

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t n); /* in constant time */

/* Base64 with padding [RFC 4648 4].  *n  bytes written.  Errors: MD_INVAL (not base64, or more
 * than `cap` bytes). */
MD_MUST_USE int digest_from_base64(uint8_t *out, size_t cap, size_t *n, struct span text);
/* A C string.  Errors: MD_TOOBIG. */
MD_MUST_USE int digest_to_base64(char *out, size_t cap, struct span bytes);

#endif

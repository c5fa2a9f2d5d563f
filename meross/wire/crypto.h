/* crypto.h - the digest, the cipher and the curve Meross uses, from mbedTLS; crypto.c is the only
 * file of this room that includes it.  Pure. */
#ifndef MEROSS_CRYPTO_H
#define MEROSS_CRYPTO_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/span.h"

#define CRYPTO_MD5_HEX     33 /* 32 lower-case hexadecimal digits and a NUL */
#define CRYPTO_AES_BLOCK   16
#define CRYPTO_AES_KEY     32
#define CRYPTO_P256_SECRET 32
#define CRYPTO_P256_POINT  65 /* uncompressed: 4, x, y */

/* MD5, because the plugs say so: it guards nothing against an attacker on the path; TLS
 * does.  Allocates nothing and cannot fail; a library built without MD5 is a packaging mistake
 * and stops the program at the first call.  The same is true of AES below. */
void crypto_md5(uint8_t out[16], struct span data);
void crypto_md5_hex(char out[CRYPTO_MD5_HEX], struct span data);

/* AES-256-CBC in place; n is a multiple of CRYPTO_AES_BLOCK. */
void crypto_aes256_cbc(const uint8_t key[CRYPTO_AES_KEY], const uint8_t iv[CRYPTO_AES_BLOCK],
                       bool encrypt, uint8_t *p, size_t n);

/* A fresh secret on the curve P-256 and its point.  Errors: MD_TLS, MD_NOMEM. */
MD_MUST_USE int crypto_p256_new(const struct env *env, uint8_t secret[CRYPTO_P256_SECRET],
                                uint8_t point[CRYPTO_P256_POINT]);

/* The x-coordinate both sides arrive at.
 * Errors: MD_PROTO the point is none of the curve; MD_TLS, MD_NOMEM. */
MD_MUST_USE int crypto_p256_shared(const struct env *env, const uint8_t secret[CRYPTO_P256_SECRET],
                                   const uint8_t point[CRYPTO_P256_POINT],
                                   uint8_t out[CRYPTO_P256_SECRET]);

#endif

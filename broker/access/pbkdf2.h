/* pbkdf2.h - PBKDF2 of both mbedTLS: 2.28 wants a context, which is deprecated from 3.3 on. */
#ifndef BROKER_ACCESS_PBKDF2_H
#define BROKER_ACCESS_PBKDF2_H

#include "broker/base/span.h"

#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/version.h>

/* mbedTLS wants a pointer for no bytes, too. */
static inline const uint8_t *pbkdf2_bytes(struct span s)
{
    return s.n > 0 ? s.p : (const uint8_t *)"";
}

/* n bytes from a password, with HMAC of the digest `type`.  Returns 0 or an error of mbedTLS: no
 * memory, or no such digest. */
#if MBEDTLS_VERSION_NUMBER >= 0x03030000
static inline int pbkdf2(mbedtls_md_type_t type, struct span password, struct span salt,
                         unsigned iterations, uint8_t *out, uint32_t n)
{
    return mbedtls_pkcs5_pbkdf2_hmac_ext(type, pbkdf2_bytes(password), password.n,
                                         pbkdf2_bytes(salt), salt.n, iterations, n, out);
}
#else
static inline int pbkdf2(mbedtls_md_type_t type, struct span password, struct span salt,
                         unsigned iterations, uint8_t *out, uint32_t n)
{
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int rc = mbedtls_md_setup(&md, mbedtls_md_info_from_type(type), 1);
    if (rc == 0)
        rc = mbedtls_pkcs5_pbkdf2_hmac(&md, pbkdf2_bytes(password), password.n, pbkdf2_bytes(salt),
                                       salt.n, iterations, n, out);
    mbedtls_md_free(&md);
    return rc;
}
#endif

#endif

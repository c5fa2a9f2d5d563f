/* compat.h - where mbedTLS 2.28 and 3.6 differ for making certificates.  The rest of this room has
 * no #if. */
#ifndef CERTS_COMPAT_H
#define CERTS_COMPAT_H

#include <mbedtls/version.h> /* pulls in the library's configuration */
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stddef.h>
#include <stdio.h>

typedef int compat_rng(void *ctx, unsigned char *out, size_t n);

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

static inline int compat_parse_key(mbedtls_pk_context *pk, const unsigned char *p, size_t n,
                                   compat_rng *rng, void *ctx)
{
    return mbedtls_pk_parse_key(pk, p, n, NULL, 0, rng, ctx);
}

static inline int compat_check_pair(const mbedtls_pk_context *public_key,
                                    const mbedtls_pk_context *key, compat_rng *rng, void *ctx)
{
    return mbedtls_pk_check_pair(public_key, key, rng, ctx);
}

static inline int compat_set_serial(mbedtls_x509write_cert *w, unsigned char *p, size_t n)
{
    return mbedtls_x509write_crt_set_serial_raw(w, p, n);
}

static inline int compat_is_ca(const mbedtls_x509_crt *crt)
{
    return mbedtls_x509_crt_get_ca_istrue(crt) > 0;
}

static inline mbedtls_ecp_group_id compat_group(const mbedtls_pk_context *pk)
{
    return mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk));
}

#else /* 2.28 */

static inline int compat_parse_key(mbedtls_pk_context *pk, const unsigned char *p, size_t n,
                                   compat_rng *rng, void *ctx)
{
    (void)rng;
    (void)ctx;
    return mbedtls_pk_parse_key(pk, p, n, NULL, 0);
}

static inline int compat_check_pair(const mbedtls_pk_context *public_key,
                                    const mbedtls_pk_context *key, compat_rng *rng, void *ctx)
{
    (void)rng;
    (void)ctx;
    return mbedtls_pk_check_pair(public_key, key);
}

static inline int compat_set_serial(mbedtls_x509write_cert *w, unsigned char *p, size_t n)
{
    mbedtls_mpi serial;
    mbedtls_mpi_init(&serial);
    int rc = mbedtls_mpi_read_binary(&serial, p, n);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_serial(w, &serial);
    mbedtls_mpi_free(&serial);
    return rc;
}

static inline int compat_is_ca(const mbedtls_x509_crt *crt) { return crt->ca_istrue; }

static inline mbedtls_ecp_group_id compat_group(const mbedtls_pk_context *pk)
{
    return mbedtls_pk_ec(*pk)->grp.id;
}

#endif

#if defined(MBEDTLS_ERROR_C)
static inline void compat_strerror(int rc, char *out, size_t cap)
{
    mbedtls_strerror(rc, out, cap);
}
#else
static inline void compat_strerror(int rc, char *out, size_t cap)
{
    (void)snprintf(out, cap, "mbedTLS error -0x%04x", (unsigned)-rc);
}
#endif

#endif

#include "certs/issue.h"

#include "broker/base/mem.h"

#define RSA_BITS     2048 /* what every plug of record accepts */
#define RSA_EXPONENT 65537
#define SERIAL_BYTES 16

/* A plug believes it is 1970 until we tell it the time, and so may a router.  Both libraries write
 * it as UTCTime, as RFC 5280 wants it for years before 2050. */
#define NOT_BEFORE "19700101000000"

int issue_random(void *env, unsigned char *out, size_t n)
{
    env_random(env, out, n);
    return 0;
}

static void *rng_ctx(const struct env *env) { return (void *)(uintptr_t)env; }

static int result(int rc, int *native)
{
    *native = rc;
    if (rc >= 0)
        return MD_OK;
    return rc == MBEDTLS_ERR_MPI_ALLOC_FAILED || rc == MBEDTLS_ERR_PK_ALLOC_FAILED ||
                   rc == MBEDTLS_ERR_X509_ALLOC_FAILED
               ? MD_NOMEM
               : MD_TLS;
}

static bool stopped(const struct issue_source *r) { return r->stop != NULL && r->stop(r->ctx); }

/* Searching a prime asks for random bytes again and again, so here it can be ended. */
static int random_or_stop(void *ctx, unsigned char *out, size_t n)
{
    const struct issue_source *r = ctx;
    env_random(r->env, out, n);
    return stopped(r) ? MBEDTLS_ERR_MPI_BAD_INPUT_DATA : 0;
}

int issue_make_key(mbedtls_pk_context *key, enum issue_key type, const struct issue_source *random,
                   int *native)
{
    void *ctx = (void *)(uintptr_t)random;
    mbedtls_pk_type_t kind = type == ISSUE_RSA ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY;
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(kind));
    if (rc == 0 && type == ISSUE_RSA)
        rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), random_or_stop, ctx, RSA_BITS, RSA_EXPONENT);
    else if (rc == 0)
        rc =
            mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), random_or_stop, ctx);
    int err = result(rc, native);
    return err == MD_TLS && stopped(random) ? MD_CLOSED : err;
}

static int set_usage(mbedtls_x509write_cert *w, const struct issue_request *r)
{
    static const unsigned char server_auth[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                                0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    if (r->ca)
        return mbedtls_x509write_crt_set_key_usage(w, MBEDTLS_X509_KU_KEY_CERT_SIGN |
                                                          MBEDTLS_X509_KU_CRL_SIGN);
    unsigned usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    if (mbedtls_pk_can_do(r->key, MBEDTLS_PK_RSA)) /* the RSA key exchange encrypts to the key */
        usage |= MBEDTLS_X509_KU_KEY_ENCIPHERMENT;
    int rc = mbedtls_x509write_crt_set_key_usage(w, usage);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
                                                 0, server_auth, sizeof server_auth);
    /* Written as bytes of ours: the library has a function for it only from 3.5 on. */
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                                 r->names.p, r->names.n);
    return rc;
}

static int fill_in(mbedtls_x509write_cert *w, const struct issue_request *r, const struct env *env)
{
    unsigned char serial[SERIAL_BYTES];
    char end[32];
    env_random(env, serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive, no leading zero */
    (void)snprintf(end, sizeof end, "%04u%02u%02u235959", (unsigned)(r->end.year % 10000),
                   r->end.month % 100, r->end.day % 100);
    mbedtls_x509write_crt_set_version(w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(w, r->key);
    mbedtls_x509write_crt_set_issuer_key(w, r->ca_key);
    int rc = compat_set_serial(w, serial, sizeof serial);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_subject_name(w, r->subject);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_issuer_name(w, r->issuer);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_validity(w, NOT_BEFORE, end);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_basic_constraints(w, r->ca, r->ca ? 0 : -1);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_subject_key_identifier(w);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_authority_key_identifier(w);
    return rc == 0 ? set_usage(w, r) : rc;
}

int issue_certificate(const struct issue_request *r, const struct env *env, struct buf *pem,
                      int *native)
{
    mbedtls_x509write_cert w;
    int err = buf_reserve(pem, ISSUE_PEM_MAX);
    if (err != MD_OK)
        return err;
    mbedtls_x509write_crt_init(&w);
    int rc = fill_in(&w, r, env);
    if (rc == 0)
        rc = mbedtls_x509write_crt_pem(&w, pem->p + pem->n, ISSUE_PEM_MAX, issue_random,
                                       rng_ctx(env));
    mbedtls_x509write_crt_free(&w);
    if (rc == 0)
        pem->n += strlen((const char *)pem->p + pem->n) + 1;
    return result(rc, native);
}

int issue_key_pem(mbedtls_pk_context *key, struct buf *pem, int *native)
{
    int err = buf_reserve(pem, ISSUE_PEM_MAX);
    if (err != MD_OK)
        return err;
    int rc = mbedtls_pk_write_key_pem(key, pem->p + pem->n, ISSUE_PEM_MAX);
    if (rc == 0)
        pem->n += strlen((const char *)pem->p + pem->n) + 1;
    return result(rc, native);
}

int issue_ca_name(mbedtls_pk_context *key, char out[ISSUE_DN_MAX], int *native)
{
    unsigned char der[600], digest[32];
    int n = mbedtls_pk_write_pubkey_der(key, der, sizeof der); /* at the end of der */
    int rc = n < 0 ? n
                   : mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
                                der + sizeof der - (size_t)n, (size_t)n, digest);
    if (rc == 0)
        (void)snprintf(out, ISSUE_DN_MAX, "CN=merossd CA %02x%02x%02x%02x", digest[0], digest[1],
                       digest[2], digest[3]);
    return result(rc, native);
}

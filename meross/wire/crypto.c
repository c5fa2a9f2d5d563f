#include "meross/wire/crypto.h"

#include "broker/base/check.h"
#include "meross/wire/text.h"

#include <mbedtls/aes.h>
#include <mbedtls/ecdh.h>
#include <mbedtls/md.h>

void crypto_md5(uint8_t out[16], struct span data)
{
    const mbedtls_md_info_t *md5 = mbedtls_md_info_from_type(MBEDTLS_MD_MD5);
    MD_ASSERT(md5 != NULL);
    const uint8_t *p = data.n > 0 ? data.p : (const uint8_t *)"";
    int err = mbedtls_md(md5, p, data.n, out);
    MD_ASSERT(err == 0);
}

void crypto_md5_hex(char out[CRYPTO_MD5_HEX], struct span data)
{
    uint8_t digest[16];
    crypto_md5(digest, data);
    text_hex(out, span_of(digest, sizeof digest));
}

void crypto_aes256_cbc(const uint8_t key[CRYPTO_AES_KEY], const uint8_t iv[CRYPTO_AES_BLOCK],
                       bool encrypt, uint8_t *p, size_t n)
{
    mbedtls_aes_context aes;
    uint8_t chain[CRYPTO_AES_BLOCK];
    memcpy(chain, iv, sizeof chain);
    mbedtls_aes_init(&aes);
    int err = encrypt ? mbedtls_aes_setkey_enc(&aes, key, CRYPTO_AES_KEY * 8)
                      : mbedtls_aes_setkey_dec(&aes, key, CRYPTO_AES_KEY * 8);
    MD_ASSERT(err == 0);
    err = mbedtls_aes_crypt_cbc(&aes, encrypt ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT, n, chain,
                                p, p);
    MD_ASSERT(err == 0);
    mbedtls_aes_free(&aes);
}

static int random_bytes(void *env, unsigned char *out, size_t n)
{
    env_random(env, out, n);
    return 0;
}

/* mbedTLS wants the context without const; it is only handed back to random_bytes(). */
static void *rng(const struct env *env)
{
    union {
        const struct env *in;
        void *out;
    } u = {env};
    return u.out;
}

static int translate(int err)
{
    if (err == 0)
        return MD_OK;
    if (err == MBEDTLS_ERR_ECP_INVALID_KEY || err == MBEDTLS_ERR_ECP_BAD_INPUT_DATA ||
        err == MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE) /* a point of another form */
        return MD_PROTO;
    return err == MBEDTLS_ERR_ECP_ALLOC_FAILED || err == MBEDTLS_ERR_MPI_ALLOC_FAILED ? MD_NOMEM
                                                                                      : MD_TLS;
}

struct curve {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi secret, shared;
};

static int curve_init(struct curve *c)
{
    mbedtls_ecp_group_init(&c->group);
    mbedtls_ecp_point_init(&c->point);
    mbedtls_mpi_init(&c->secret);
    mbedtls_mpi_init(&c->shared);
    return mbedtls_ecp_group_load(&c->group, MBEDTLS_ECP_DP_SECP256R1);
}

static void curve_free(struct curve *c)
{
    mbedtls_ecp_group_free(&c->group);
    mbedtls_ecp_point_free(&c->point);
    mbedtls_mpi_free(&c->secret);
    mbedtls_mpi_free(&c->shared);
}

int crypto_p256_new(const struct env *env, uint8_t secret[CRYPTO_P256_SECRET],
                    uint8_t point[CRYPTO_P256_POINT])
{
    struct curve c;
    size_t n = 0;
    int err = curve_init(&c);
    if (err == 0)
        err = mbedtls_ecdh_gen_public(&c.group, &c.secret, &c.point, random_bytes, rng(env));
    if (err == 0)
        err = mbedtls_mpi_write_binary(&c.secret, secret, CRYPTO_P256_SECRET);
    if (err == 0)
        err = mbedtls_ecp_point_write_binary(&c.group, &c.point, MBEDTLS_ECP_PF_UNCOMPRESSED, &n,
                                             point, CRYPTO_P256_POINT);
    curve_free(&c);
    return translate(err);
}

int crypto_p256_shared(const struct env *env, const uint8_t secret[CRYPTO_P256_SECRET],
                       const uint8_t point[CRYPTO_P256_POINT], uint8_t out[CRYPTO_P256_SECRET])
{
    struct curve c;
    int err = curve_init(&c);
    if (err == 0)
        err = mbedtls_mpi_read_binary(&c.secret, secret, CRYPTO_P256_SECRET);
    if (err == 0)
        err = mbedtls_ecp_point_read_binary(&c.group, &c.point, point, CRYPTO_P256_POINT);
    if (err == 0)
        err = mbedtls_ecp_check_pubkey(&c.group, &c.point);
    if (err == 0)
        err = mbedtls_ecdh_compute_shared(&c.group, &c.shared, &c.point, &c.secret, random_bytes,
                                          rng(env));
    if (err == 0)
        err = mbedtls_mpi_write_binary(&c.shared, out, CRYPTO_P256_SECRET);
    curve_free(&c);
    return translate(err);
}

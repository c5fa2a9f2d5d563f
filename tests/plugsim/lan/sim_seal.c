#include "tests/plugsim/lan/sim_seal.h"

#include <mbedtls/aes.h>
#include <mbedtls/base64.h>
#include <mbedtls/ecdh.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <stdio.h>

#define BLOCK 16u
#define POINT 65u

static void md5_text(const unsigned char *text, size_t n, char out[33])
{
    unsigned char digest[16] = {0};
    (void)mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_MD5), text, n, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* Characters from..to-1 of a text, as far as it has them (trap 48). */
static int put_slice(char *to, size_t cap, const char *text, size_t from, size_t end)
{
    size_t n = strlen(text);
    end = end < n ? end : n;
    from = from < end ? from : end;
    return snprintf(to, cap, "%.*s", (int)(end - from), text + from);
}

void sim_seal_lan_key(const char *uuid, const char *key, const char *mac, char out[33])
{
    char text[128];
    size_t n = 0;
    n += (size_t)put_slice(text + n, sizeof text - n, uuid, 3, 22);
    n += (size_t)put_slice(text + n, sizeof text - n, key, 1, 9);
    n += (size_t)put_slice(text + n, sizeof text - n, mac, 0, 17);
    n += (size_t)put_slice(text + n, sizeof text - n, key, 10, 28);
    md5_text((const unsigned char *)text, n, out);
}

void sim_seal_wifi_key(const char *type, const char *uuid, const char *mac, char out[33])
{
    char text[128];
    int n = snprintf(text, sizeof text, "%s%s%s", type, uuid, mac);
    md5_text((const unsigned char *)text, (size_t)n, out);
}

/* One pass over whole blocks, in place. */
static void cbc(const char key[33], int mode, uint8_t *bytes, size_t n)
{
    mbedtls_aes_context aes;
    unsigned char iv[BLOCK];
    const unsigned char *raw = (const unsigned char *)key;
    memset(iv, '0', sizeof iv);
    mbedtls_aes_init(&aes);
    if (mode == MBEDTLS_AES_ENCRYPT)
        (void)mbedtls_aes_setkey_enc(&aes, raw, 256);
    else
        (void)mbedtls_aes_setkey_dec(&aes, raw, 256);
    (void)mbedtls_aes_crypt_cbc(&aes, mode, n, iv, bytes, bytes);
    mbedtls_aes_free(&aes);
}

int sim_base64(struct span bytes, struct buf *out)
{
    size_t n = 0, need = bytes.n * 4 / 3 + 8;
    int err = buf_reserve(out, need);
    if (err != MD_OK)
        return err;
    if (mbedtls_base64_encode(out->p + out->n, need, &n, bytes.p, bytes.n) != 0)
        return MD_TOOBIG;
    out->n += n;
    return MD_OK;
}

int sim_unbase64(struct span base64, struct buf *out)
{
    size_t n = 0;
    int err = buf_reserve(out, base64.n + 1);
    if (err != MD_OK)
        return err;
    if (mbedtls_base64_decode(out->p + out->n, base64.n + 1, &n, base64.p, base64.n) != 0)
        return MD_PROTO;
    out->n += n;
    return MD_OK;
}

int sim_seal(const char key[33], struct span plain, struct buf *out)
{
    static const uint8_t zeros[BLOCK] = {0};
    struct buf padded;
    buf_init(&padded, plain.n + BLOCK);
    int err = buf_put(&padded, plain);
    if (err == MD_OK)
        err = buf_put(&padded, span_of(zeros, BLOCK - plain.n % BLOCK));
    if (err == MD_OK) {
        cbc(key, MBEDTLS_AES_ENCRYPT, padded.p, padded.n);
        err = sim_base64(buf_view(&padded), out);
    }
    buf_free(&padded);
    return err;
}

int sim_unseal(const char key[33], struct span base64, struct buf *out)
{
    size_t before = out->n;
    int err = sim_unbase64(base64, out);
    size_t n = out->n - before;
    if (err == MD_OK && (n == 0 || n % BLOCK != 0))
        err = MD_PROTO;
    if (err != MD_OK) {
        out->n = before;
        return err;
    }
    cbc(key, MBEDTLS_AES_DECRYPT, out->p + before, n);
    while (out->n > before && out->p[out->n - 1] == 0)
        out->n--;
    return MD_OK;
}

struct pair {
    mbedtls_ecp_group group;
    mbedtls_ecp_point own, peer;
    mbedtls_mpi secret, shared;
};

static int write_point(struct pair *e, char own[SIM_SEAL_POINT_MAX])
{
    unsigned char raw[POINT];
    size_t n = 0, text = 0;
    if (mbedtls_ecp_point_write_binary(&e->group, &e->own, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, raw,
                                       sizeof raw) != 0)
        return MD_PROTO;
    return mbedtls_base64_encode((unsigned char *)own, SIM_SEAL_POINT_MAX, &text, raw, n) == 0
               ? MD_OK
               : MD_PROTO;
}

static int agree(struct pair *e, sim_seal_random random, void *ctx, struct span peer,
                 char own[SIM_SEAL_POINT_MAX], char session[33])
{
    unsigned char raw[POINT + 1], x[32];
    size_t n = 0;
    if (mbedtls_base64_decode(raw, sizeof raw, &n, peer.p, peer.n) != 0 || n != POINT ||
        mbedtls_ecp_group_load(&e->group, MBEDTLS_ECP_DP_SECP256R1) != 0 ||
        mbedtls_ecp_point_read_binary(&e->group, &e->peer, raw, n) != 0 ||
        mbedtls_ecp_check_pubkey(&e->group, &e->peer) != 0 ||
        mbedtls_ecdh_gen_public(&e->group, &e->secret, &e->own, random, ctx) != 0 ||
        mbedtls_ecdh_compute_shared(&e->group, &e->shared, &e->peer, &e->secret, random, ctx) !=
            0 ||
        mbedtls_mpi_write_binary(&e->shared, x, sizeof x) != 0)
        return MD_PROTO;
    md5_text(x, sizeof x, session);
    return write_point(e, own);
}

int sim_seal_exchange(sim_seal_random random, void *ctx, struct span peer,
                      char own[SIM_SEAL_POINT_MAX], char session[33])
{
    struct pair e;
    mbedtls_ecp_group_init(&e.group);
    mbedtls_ecp_point_init(&e.own);
    mbedtls_ecp_point_init(&e.peer);
    mbedtls_mpi_init(&e.secret);
    mbedtls_mpi_init(&e.shared);
    int err = agree(&e, random, ctx, peer, own, session);
    mbedtls_mpi_free(&e.shared);
    mbedtls_mpi_free(&e.secret);
    mbedtls_ecp_point_free(&e.peer);
    mbedtls_ecp_point_free(&e.own);
    mbedtls_ecp_group_free(&e.group);
    return err;
}

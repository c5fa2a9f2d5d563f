#include "tools/backup/vault.h"

#include "broker/access/pbkdf2.h"
#include "broker/base/mem.h"
#include "broker/base/rd.h"

#include <mbedtls/gcm.h>
#include <mbedtls/md.h>

#define MAGIC   "MDBACKUP"
#define MAGIC_N 8u
#define SALT_N  16u
#define NONCE_N 12u
#define PROOF_N 8u
#define SUM_N   4u
#define KEY_N   32u

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static const mbedtls_md_info_t *sha256(void)
{
    return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
}

/* The library fails in all of these only for want of memory, or when it was built without them. */
static int translate(int rc)
{
    if (rc == 0)
        return MD_OK;
    return rc == MBEDTLS_ERR_MD_ALLOC_FAILED ? MD_NOMEM : MD_TLS;
}

static int head_sum(const uint8_t *head, uint8_t out[32])
{
    return translate(mbedtls_md(sha256(), head, VAULT_HEAD - SUM_N, out));
}

static int make_key(struct span passphrase, const uint8_t *salt, uint32_t iterations,
                    uint8_t key[KEY_N])
{
    return translate(
        pbkdf2(MBEDTLS_MD_SHA256, passphrase, span_of(salt, SALT_N), iterations, key, KEY_N));
}

static int make_proof(const uint8_t key[KEY_N], uint8_t out[32])
{
    static const char text[] = "merossd backup";
    return translate(
        mbedtls_md_hmac(sha256(), key, KEY_N, (const uint8_t *)text, sizeof text - 1, out));
}

static int gcm_start(mbedtls_gcm_context *gcm, const uint8_t key[KEY_N])
{
    mbedtls_gcm_init(gcm);
    return translate(mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key, KEY_N * 8));
}

int vault_look(struct span file, struct vault_head *out)
{
    uint8_t sum[32];
    struct rd r = rd_of(file);
    bool ours = span_starts(file, MAGIC);
    if (file.n < MAGIC_N)
        return file.n > 0 && memcmp(file.p, MAGIC, file.n) == 0 ? MD_AGAIN : MD_PROTO;
    if (!ours)
        return MD_PROTO;
    (void)rd_take(&r, MAGIC_N);
    out->format = rd_u32(&r);
    if (rd_ok(&r) && out->format > VAULT_FORMAT)
        return MD_INVAL;
    out->iterations = rd_u32(&r);
    out->salt = rd_take(&r, SALT_N).p;
    out->nonce = rd_take(&r, NONCE_N).p;
    out->proof = rd_take(&r, PROOF_N).p;
    out->length = rd_u64(&r);
    struct span said = rd_take(&r, SUM_N);
    if (!rd_ok(&r))
        return MD_AGAIN;
    int err = head_sum(file.p, sum);
    if (err != MD_OK)
        return err;
    if (!span_eq(said, span_of(sum, SUM_N)) || out->format == 0 || out->iterations == 0 ||
        out->iterations > VAULT_ITER_MAX)
        return MD_CORRUPT;
    if (rd_left(&r) < VAULT_TAG || rd_left(&r) - VAULT_TAG < out->length)
        return MD_AGAIN;
    return rd_left(&r) - VAULT_TAG == out->length ? MD_OK : MD_CORRUPT;
}

static int write_head(const struct env *env, uint32_t iterations, size_t length, uint8_t *head)
{
    uint8_t sum[32];
    memcpy(head, MAGIC, MAGIC_N);
    put_be(head + 8, VAULT_FORMAT, 4);
    put_be(head + 12, iterations, 4);
    env_random(env, head + 16, SALT_N + NONCE_N);
    put_be(head + 52, length, 8);
    int err = head_sum(head, sum);
    memcpy(head + VAULT_HEAD - SUM_N, sum, SUM_N);
    return err;
}

/* The head is complete but for the proof and the sum over it. */
static int seal(const struct env *env, struct span passphrase, uint32_t iterations,
                struct span contents, uint8_t *file)
{
    mbedtls_gcm_context gcm;
    uint8_t key[KEY_N], proof[32], sum[32];
    int err = write_head(env, iterations, contents.n, file);
    if (err == MD_OK)
        err = make_key(passphrase, file + 16, iterations, key);
    if (err == MD_OK)
        err = make_proof(key, proof);
    if (err == MD_OK) {
        memcpy(file + 44, proof, PROOF_N);
        err = head_sum(file, sum);
    }
    if (err != MD_OK)
        return err;
    memcpy(file + VAULT_HEAD - SUM_N, sum, SUM_N);
    err = gcm_start(&gcm, key);
    if (err == MD_OK)
        err = translate(mbedtls_gcm_crypt_and_tag(
            &gcm, MBEDTLS_GCM_ENCRYPT, contents.n, file + 32, NONCE_N, file, VAULT_HEAD, contents.p,
            file + VAULT_HEAD, VAULT_TAG, file + VAULT_HEAD + contents.n));
    mbedtls_gcm_free(&gcm);
    mem_wipe(key, sizeof key);
    return err;
}

int vault_seal(const struct env *env, struct span passphrase, uint32_t iterations,
               struct span contents, struct buf *out)
{
    size_t n = VAULT_HEAD + contents.n + VAULT_TAG;
    int err = buf_reserve(out, n);
    if (err == MD_OK)
        err = seal(env, passphrase, iterations, contents, out->p + out->n);
    if (err == MD_OK)
        out->n += n;
    return err;
}

static int open_sealed(const uint8_t key[KEY_N], const struct vault_head *h, struct span file,
                       uint8_t *out)
{
    mbedtls_gcm_context gcm;
    const uint8_t *sealed = file.p + VAULT_HEAD;
    size_t n = (size_t)h->length;
    int err = gcm_start(&gcm, key);
    if (err == MD_OK) {
        int rc = mbedtls_gcm_auth_decrypt(&gcm, n, h->nonce, NONCE_N, file.p, VAULT_HEAD,
                                          sealed + n, VAULT_TAG, sealed, out);
        err = rc == MBEDTLS_ERR_GCM_AUTH_FAILED ? MD_CORRUPT : translate(rc);
    }
    mbedtls_gcm_free(&gcm);
    return err;
}

int vault_open(struct span passphrase, struct span file, struct buf *out)
{
    struct vault_head h;
    uint8_t key[KEY_N], proof[32];
    int err = vault_look(file, &h);
    if (err == MD_OK)
        err = buf_reserve(out, (size_t)h.length + 1);
    if (err == MD_OK)
        err = make_key(passphrase, h.salt, h.iterations, key);
    if (err != MD_OK)
        return err;
    err = make_proof(key, proof);
    if (err == MD_OK && memcmp(proof, h.proof, PROOF_N) != 0)
        err = MD_DENIED;
    if (err == MD_OK)
        err = open_sealed(key, &h, file, out->p + out->n);
    if (err == MD_OK)
        out->n += (size_t)h.length;
    mem_wipe(key, sizeof key);
    return err;
}

#include "broker/access/digest.h"

#include "broker/access/pbkdf2.h"

#include <mbedtls/base64.h>
#include <mbedtls/md.h>

/* The library fails here only for want of memory: the digests are part of every build of it. */
static int start(mbedtls_md_context_t *ctx, mbedtls_md_type_t type, bool hmac)
{
    mbedtls_md_init(ctx);
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(type);
    return info != NULL && mbedtls_md_setup(ctx, info, hmac) == 0 ? MD_OK : MD_NOMEM;
}

static int finish(mbedtls_md_context_t *ctx, bool ok)
{
    mbedtls_md_free(ctx);
    return ok ? MD_OK : MD_NOMEM;
}

int digest_sha512(uint8_t out[DIGEST_SHA512], struct span password, struct span salt)
{
    mbedtls_md_context_t ctx;
    bool ok = start(&ctx, MBEDTLS_MD_SHA512, false) == MD_OK && mbedtls_md_starts(&ctx) == 0 &&
              mbedtls_md_update(&ctx, pbkdf2_bytes(password), password.n) == 0 &&
              mbedtls_md_update(&ctx, pbkdf2_bytes(salt), salt.n) == 0 &&
              mbedtls_md_finish(&ctx, out) == 0;
    return finish(&ctx, ok);
}

int digest_pbkdf2(uint8_t out[DIGEST_SHA512], struct span password, struct span salt,
                  unsigned iterations)
{
    int rc = pbkdf2(MBEDTLS_MD_SHA512, password, salt, iterations, out, DIGEST_SHA512);
    return rc == 0 ? MD_OK : MD_NOMEM;
}

int digest_keyed(uint8_t out[DIGEST_SHA256], const uint8_t secret[DIGEST_SHA256],
                 const struct span *part, size_t n)
{
    mbedtls_md_context_t ctx;
    bool ok = start(&ctx, MBEDTLS_MD_SHA256, true) == MD_OK &&
              mbedtls_md_hmac_starts(&ctx, secret, DIGEST_SHA256) == 0;
    for (size_t i = 0; i < n && ok; i++)
        ok = mbedtls_md_hmac_update(&ctx, pbkdf2_bytes(part[i]), part[i].n) == 0;
    ok = ok && mbedtls_md_hmac_finish(&ctx, out) == 0;
    return finish(&ctx, ok);
}

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    volatile uint8_t differs = 0; /* volatile: the loop must not end at the first difference */
    for (size_t i = 0; i < n; i++)
        differs = (uint8_t)(differs | (a[i] ^ b[i]));
    return differs == 0;
}

int digest_from_base64(uint8_t *out, size_t cap, size_t *n, struct span text)
{
    return mbedtls_base64_decode(out, cap, n, pbkdf2_bytes(text), text.n) == 0 ? MD_OK : MD_INVAL;
}

int digest_to_base64(char *out, size_t cap, struct span data)
{
    size_t n;
    int err = mbedtls_base64_encode((unsigned char *)out, cap, &n, pbkdf2_bytes(data), data.n);
    return err == 0 ? MD_OK : MD_TOOBIG;
}

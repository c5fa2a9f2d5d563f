#include "meross/wire/crypto.h"

#include "broker/base/check.h"

#include <mbedtls/md.h>

void crypto_md5(uint8_t out[16], struct span data)
{
    const mbedtls_md_info_t *md5 = mbedtls_md_info_from_type(MBEDTLS_MD_MD5);
    MD_ASSERT(md5 != NULL);
    const uint8_t *p = data.n > 0 ? data.p : (const uint8_t *)"";
    int err = mbedtls_md(md5, p, data.n, out);
    MD_ASSERT(err == 0);
}

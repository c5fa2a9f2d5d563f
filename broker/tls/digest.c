#include "broker/tls/digest.h"

#include <mbedtls/md.h>

int tls_sha1(struct span in, uint8_t out[TLS_SHA1_BYTES])
{
    const mbedtls_md_info_t *sha1 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA1);
    return sha1 != NULL && mbedtls_md(sha1, in.p, in.n, out) == 0 ? MD_OK : MD_TLS;
}

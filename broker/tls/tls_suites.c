#include "broker/tls/tls_ctx.h"

/* Our order decides, not the client's.  ECDHE-RSA first, then ECDHE-ECDSA (the second
 * certificate), then the RSA key exchange that old plugs may be limited to.  ChaCha20 before AES:
 * in this library it is the cheaper even beside AES instructions, and routers have none.  Left out
 * on purpose: DHE (three times the work of ECDHE), PSK, CCM, 3DES, RC4. */
static const int WANTED[] = {
    TLSC_SUITES_13 MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
    MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA,
};

/* Only with a psk_file.  Without DHE and RSA there are few left. */
static const int PSK[] = {
    MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384,
    MBEDTLS_TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA,
    MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_PSK_WITH_AES_256_CBC_SHA,
};

#define N_WANTED (sizeof WANTED / sizeof WANTED[0])
#define N_PSK    (sizeof PSK / sizeof PSK[0])

_Static_assert(N_WANTED + N_PSK < TLS_SUITES, "TLS_SUITES is too small");

static unsigned add_suites(int out[TLS_SUITES], unsigned n, const int *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mbedtls_ssl_ciphersuite_from_id(list[i]) != NULL)
            out[n++] = list[i];
    return n;
}

/* A suite that is listed but not compiled in is an internal error to the library, hence the
 * filter. */
void tls_suites(int out[TLS_SUITES], bool certificates, bool keys)
{
    unsigned n = 0;
    if (certificates)
        n = add_suites(out, n, WANTED, N_WANTED);
    if (keys)
        n = add_suites(out, n, PSK, N_PSK);
    out[n] = 0;
}

static unsigned add_group(tlsc_group out[TLS_GROUPS], unsigned n,
                          const mbedtls_ecp_curve_info *info)
{
    if (info == NULL || n + 1 >= TLS_GROUPS)
        return n;
    for (unsigned i = 0; i < n; i++)
        if (out[i] == TLSC_GROUP(info))
            return n;
    out[n] = TLSC_GROUP(info);
    return n + 1;
}

/* The cheapest first; the library's own order starts with P-521, which costs several times as
 * much.  All other curves stay in the list: the library picks an ECDHE suite as soon as
 * it knows one of the client's curves, and then fails if that curve is not listed, instead of
 * taking the RSA key exchange. */
void tls_groups(tlsc_group out[TLS_GROUPS])
{
    static const mbedtls_ecp_group_id best[] = {TLSC_CHEAPEST_GROUPS, MBEDTLS_ECP_DP_SECP384R1,
                                                MBEDTLS_ECP_DP_SECP521R1};
    unsigned n = 0;
    for (size_t i = 0; i < sizeof best / sizeof best[0]; i++)
        n = add_group(out, n, mbedtls_ecp_curve_info_from_grp_id(best[i]));
    for (const mbedtls_ecp_curve_info *c = mbedtls_ecp_curve_list();
         c->grp_id != MBEDTLS_ECP_DP_NONE; c++)
        n = add_group(out, n, c);
    out[n] = 0; /* the end mark of both libraries */
}

bool tls_suites_have(const int *list, unsigned suite)
{
    while (*list != 0)
        if ((unsigned)*list++ == suite)
            return true;
    return false;
}

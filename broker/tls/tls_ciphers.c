/* tls_ciphers.c - the option `ciphers`: OpenSSL's language, as far as home configurations use it.
 *
 * It only takes away from our list; the order stays ours.  Names of suites that we do not have are
 * passed over, as OpenSSL does, as long as something is left. */
#include "broker/tls/tls_ctx.h"

struct name {
    int id;
    const char *openssl;
};

static const struct name NAMES[] = {
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, "ECDHE-RSA-AES256-SHA384"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA"},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA"},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA"},
    {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256"},
    {MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384"},
    {MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256"},
    {MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA256, "AES256-SHA256"},
    {MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA"},
    {MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA"},
    {MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-PSK-CHACHA20-POLY1305"},
    {MBEDTLS_TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256, "ECDHE-PSK-AES128-CBC-SHA256"},
    {MBEDTLS_TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384, "ECDHE-PSK-AES256-CBC-SHA384"},
    {MBEDTLS_TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA, "ECDHE-PSK-AES128-CBC-SHA"},
    {MBEDTLS_TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA, "ECDHE-PSK-AES256-CBC-SHA"},
    {MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, "PSK-AES128-GCM-SHA256"},
    {MBEDTLS_TLS_PSK_WITH_AES_256_GCM_SHA384, "PSK-AES256-GCM-SHA384"},
    {MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, "PSK-CHACHA20-POLY1305"},
    {MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA256, "PSK-AES128-CBC-SHA256"},
    {MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA, "PSK-AES128-CBC-SHA"},
    {MBEDTLS_TLS_PSK_WITH_AES_256_CBC_SHA, "PSK-AES256-CBC-SHA"},
};

static const char *openssl_name(int id)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (NAMES[i].id == id)
            return NAMES[i].openssl;
    return "";
}

/* Cuts the first part off *rest, at any of `ends`. */
static struct span take(struct span *rest, const char *ends)
{
    size_t n = 0;
    while (n < rest->n && strchr(ends, rest->p[n]) == NULL)
        n++;
    struct span s = span_of(rest->p, n);
    *rest = span_skip(*rest, n + 1);
    return s;
}

/* The library's name has dashes where IANA's has underscores. */
static bool is_library_name(struct span word, int id)
{
    const char *name = mbedtls_ssl_get_ciphersuite_name(id);
    if (strlen(name) != word.n)
        return false;
    for (size_t i = 0; i < word.n; i++)
        if ((word.p[i] == '_' ? '-' : (char)word.p[i]) != name[i])
            return false;
    return true;
}

static bool has_part(struct span part, const char *name)
{
    struct span rest = span_str(name);
    while (rest.n > 0)
        if (span_eq(take(&rest, "-"), part))
            return true;
    return false;
}

/* One of OpenSSL's words for many suites. */
static bool in_group(struct span word, const char *name)
{
    static const char *const all[] = {"ALL", "DEFAULT", "HIGH", "SECURE"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (span_is(word, all[i]))
            return true;
    if (span_is(word, "AESGCM"))
        return strstr(name, "AES") != NULL && strstr(name, "GCM") != NULL;
    if (span_is(word, "AES"))
        return strstr(name, "AES") != NULL;
    if (span_is(word, "EECDH") || span_is(word, "kECDHE"))
        return has_part(span_str("ECDHE"), name);
    if (span_is(word, "SHA1"))
        return has_part(span_str("SHA"), name);
    if (span_is(word, "kRSA"))
        return strstr(name, "ECDHE") == NULL && strstr(name, "PSK") == NULL;
    return has_part(word, name);
}

/* `word` is a name, or words for groups with + between, which must all fit. */
static bool fits(struct span word, int id)
{
    const char *name = openssl_name(id);
    if (span_is(word, name) || is_library_name(word, id))
        return true;
    if (word.n == 0)
        return false;
    while (word.n > 0)
        if (!in_group(take(&word, "+"), name))
            return false;
    return true;
}

static bool chosen(struct span list, int id)
{
    bool in = false;
    while (list.n > 0) {
        struct span word = take(&list, ":, ");
        bool out = word.n > 0 && (word.p[0] == '!' || word.p[0] == '-');
        if (out && fits(span_skip(word, 1), id))
            return false; /* for good, wherever it stands */
        in |= !out && fits(word, id);
    }
    return in;
}

bool tls_suites_choose(int list[TLS_SUITES], const char *ciphers)
{
    unsigned n = 0, kept = 0;
    if (ciphers == NULL)
        return true;
    for (unsigned i = 0; list[i] != 0; i++) {
        bool tls13 = list[i] >> 8 == 0x13;
        if (!tls13 && !chosen(span_str(ciphers), list[i]))
            continue;
        kept += !tls13;
        list[n++] = list[i];
    }
    list[n] = 0;
    return kept > 0;
}

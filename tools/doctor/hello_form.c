#include "tools/doctor/hello_form.h"

#include <string.h>

struct name {
    unsigned number;
    const char *name;
};

#define LOOK_UP(table, number) look_up(table, sizeof(table) / sizeof(table)[0], number)

static const char *look_up(const struct name *table, size_t n, unsigned number)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].number == number)
            return table[i].name;
    return NULL;
}

const char *hello_form_suite(unsigned number)
{
    static const struct name t[] = {
        {0x0004, "TLS_RSA_WITH_RC4_128_MD5"},
        {0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
        {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
        {0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
        {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
        {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
        {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
        {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
        {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
        {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
        {0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"},
        {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
        {0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
        {0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"},
        {0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA"},
        {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
        {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
        {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
        {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
        {0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
        {0x1301, "TLS_AES_128_GCM_SHA256"},
        {0x1302, "TLS_AES_256_GCM_SHA384"},
        {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
        {0x1304, "TLS_AES_128_CCM_SHA256"},
        {0x5600, "TLS_FALLBACK_SCSV"},
        {0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"},
        {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
        {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
        {0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
        {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
        {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
        {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
        {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
        {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
        {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
        {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
        {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
        {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
        {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
        {0xc09c, "TLS_RSA_WITH_AES_128_CCM"},
        {0xc09d, "TLS_RSA_WITH_AES_256_CCM"},
        {0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8"},
        {0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8"},
        {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
        {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    };
    return LOOK_UP(t, number);
}

const char *hello_form_group(unsigned number)
{
    static const struct name t[] = {
        {19, "secp192r1"},
        {21, "secp224r1"},
        {22, "secp256k1"},
        {23, "secp256r1"},
        {24, "secp384r1"},
        {25, "secp521r1"},
        {26, "brainpoolP256r1"},
        {27, "brainpoolP384r1"},
        {28, "brainpoolP512r1"},
        {29, "x25519"},
        {30, "x448"},
        {256, "ffdhe2048"},
        {257, "ffdhe3072"},
        {258, "ffdhe4096"},
    };
    return LOOK_UP(t, number);
}

const char *hello_form_sigalg(unsigned number)
{
    static const struct name t[] = {
        {0x0101, "rsa_md5"},
        {0x0201, "rsa_pkcs1_sha1"},
        {0x0203, "ecdsa_sha1"},
        {0x0301, "rsa_pkcs1_sha224"},
        {0x0303, "ecdsa_sha224"},
        {0x0401, "rsa_pkcs1_sha256"},
        {0x0403, "ecdsa_secp256r1_sha256"},
        {0x0501, "rsa_pkcs1_sha384"},
        {0x0503, "ecdsa_secp384r1_sha384"},
        {0x0601, "rsa_pkcs1_sha512"},
        {0x0603, "ecdsa_secp521r1_sha512"},
        {0x0804, "rsa_pss_rsae_sha256"},
        {0x0805, "rsa_pss_rsae_sha384"},
        {0x0806, "rsa_pss_rsae_sha512"},
        {0x0807, "ed25519"},
    };
    return LOOK_UP(t, number);
}

const char *hello_form_extension(unsigned number)
{
    static const struct name t[] = {
        {0, "server_name"},
        {1, "max_fragment_length"},
        {5, "status_request"},
        {10, "supported_groups"},
        {11, "ec_point_formats"},
        {13, "signature_algorithms"},
        {16, "alpn"},
        {18, "signed_certificate_timestamp"},
        {21, "padding"},
        {22, "encrypt_then_mac"},
        {23, "extended_master_secret"},
        {28, "record_size_limit"},
        {35, "session_ticket"},
        {41, "pre_shared_key"},
        {42, "early_data"},
        {43, "supported_versions"},
        {45, "psk_key_exchange_modes"},
        {49, "post_handshake_auth"},
        {50, "signature_algorithms_cert"},
        {51, "key_share"},
        {65281, "renegotiation_info"},
    };
    return LOOK_UP(t, number);
}

const char *hello_form_version(unsigned number)
{
    static const struct name t[] = {{0x0300, "SSL 3.0"},
                                    {0x0301, "TLS 1.0"},
                                    {0x0302, "TLS 1.1"},
                                    {0x0303, "TLS 1.2"},
                                    {0x0304, "TLS 1.3"}};
    return LOOK_UP(t, number);
}

/* --- the parts of the line ------------------------------------------------------------------- */

struct part {
    const char *name; /* in JSON, and "name=" in the line */
    const char *(*word)(unsigned number);
    const char *ends;  /* the character behind it */
    bool labelled;     /* "name=" stands before it */
    bool number, text; /* not a list */
};

static const struct part parts[] = {
    {"version", hello_form_version, ",", false, true, false},
    {"suites", hello_form_suite, ",", false, false, false},
    {"extensions", hello_form_extension, ",", false, false, false},
    {"groups", hello_form_group, ",", false, false, false},
    {"formats", NULL, " ", false, false, false},
    {"sigalgs", hello_form_sigalg, " ", true, false, false},
    {"versions", hello_form_version, " ", true, false, false},
    {"fragment", NULL, " ", true, true, false},
    {"alpn", NULL, " ", true, false, true},
    {"sni", NULL, " ", true, false, true},
};

#define N_PARTS (sizeof parts / sizeof parts[0])

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return true;
}

/* "47-53-255", or nothing; numbers of at most five digits. */
static bool is_list(struct span s, bool one)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (!digit && (s.p[i] != '-' || one || digits == 0 || i + 1 == s.n))
            return false;
        digits = digit ? digits + 1 : 0;
        if (digits > 5)
            return false;
    }
    return s.n > 0 || !one;
}

/* Cuts a line into its parts. */
static bool cut(const char *line, struct span out[N_PARTS])
{
    for (size_t i = 0; i < N_PARTS; i++) {
        const struct part *p = &parts[i];
        size_t label = p->labelled ? strlen(p->name) : 0;
        if (p->labelled && (strncmp(line, p->name, label) != 0 || line[label] != '='))
            return false;
        line += p->labelled ? label + 1 : 0;
        size_t n = strcspn(line, p->ends);
        out[i] = span_of(line, n);
        bool last = i + 1 == N_PARTS;
        if (line[n] == '\0' && !last)
            return false;
        if (p->text ? !is_text(out[i]) : !is_list(out[i], p->number))
            return false;
        line += n + (line[n] != '\0');
    }
    return true;
}

/* Takes the next number off a list. */
static bool next(struct span *rest, unsigned *out)
{
    size_t i = 0;
    if (rest->n == 0)
        return false;
    for (*out = 0; i < rest->n && rest->p[i] != '-'; i++)
        *out = *out * 10 + (unsigned)(rest->p[i] - '0');
    *rest = span_skip(*rest, i + 1);
    return true;
}

static void print_list(FILE *out, const struct part *p, struct span list)
{
    unsigned number;
    bool any = false;
    fprintf(out, "  %-11s", p->name);
    while (next(&list, &number)) {
        const char *word = p->word != NULL ? p->word(number) : NULL;
        fprintf(out, "%s%u", any ? (p->word != NULL ? "\n              " : " ") : " ", number);
        if (word != NULL)
            fprintf(out, " %s", word);
        any = true;
    }
    fprintf(out, "%s\n", any ? "" : " none");
}

bool hello_form_print(FILE *out, const char *line)
{
    struct span s[N_PARTS];
    if (!cut(line, s))
        return false;
    for (size_t i = 0; i < N_PARTS; i++) {
        if (parts[i].text)
            fprintf(out, "  %-11s %.*s\n", parts[i].name,
                    SPAN_ARG(s[i].n > 0 ? s[i] : span_str("none")));
        else
            print_list(out, &parts[i], s[i]);
    }
    return true;
}

bool hello_form_brief(const char *line, char *out, size_t cap)
{
    enum { VERSION, SUITES, VERSIONS = 6 }; /* as in parts[] */
    struct span s[N_PARTS];
    unsigned number, highest = 0, suites = 0;
    out[0] = '\0';
    if (!cut(line, s) || !next(&s[VERSION], &highest))
        return false;
    while (next(&s[VERSIONS], &number))
        if (number > highest && hello_form_version(number) != NULL)
            highest = number;
    while (next(&s[SUITES], &number))
        suites++;
    const char *version = hello_form_version(highest);
    int n = snprintf(out, cap, "%s, %u suite%s", version != NULL ? version : "an unknown version",
                     suites, suites == 1 ? "" : "s");
    if (n > 0 && (size_t)n < cap)
        return true;
    out[0] = '\0';
    return false;
}

bool hello_form_write(struct json_writer *w, const char *line)
{
    struct span s[N_PARTS];
    unsigned number;
    if (!cut(line, s))
        return false;
    json_write_open(w, '{');
    for (size_t i = 0; i < N_PARTS; i++) {
        json_write_name(w, parts[i].name);
        if (parts[i].text)
            json_write_span(w, s[i]);
        else if (!parts[i].number)
            json_write_open(w, '[');
        while (!parts[i].text && next(&s[i], &number))
            json_write_int(w, number);
        if (!parts[i].text && !parts[i].number)
            json_write_close(w, ']');
    }
    json_write_close(w, '}');
    return true;
}

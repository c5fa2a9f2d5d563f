#include "certs/names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#define TAG_DNS        0x82
#define TAG_IP         0x87
#define TAG_SEQUENCE   0x30
#define SEQUENCE_HEAD  4 /* at most: tag, 0x82, two bytes of length */
#define LONG_FORM      128
#define NAME_HEAD(len) ((size_t)((len) < LONG_FORM ? 2 : 3))

static bool is_host_name(const char *s, size_t n)
{
    if (n == 0 || n > sizeof((struct names_one *)NULL)->bytes || s[0] == '.' || s[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good)
            return false;
    }
    return true;
}

static bool parse_one(const char *text, struct names_one *out)
{
    size_t n = strlen(text);
    out->tag = TAG_IP;
    if (inet_pton(AF_INET, text, out->bytes) == 1) {
        out->n = 4;
        return true;
    }
    if (inet_pton(AF_INET6, text, out->bytes) == 1) {
        out->n = 16;
        return true;
    }
    if (!is_host_name(text, n))
        return false;
    out->tag = TAG_DNS;
    out->n = (uint8_t)n;
    memcpy(out->bytes, text, n);
    return true;
}

static bool same(const struct names_one *a, unsigned tag, struct span b)
{
    if (a->tag != tag || a->n != b.n)
        return false;
    if (tag == TAG_DNS)
        return strncasecmp((const char *)a->bytes, (const char *)b.p, b.n) == 0;
    return memcmp(a->bytes, b.p, b.n) == 0;
}

static bool known(const struct names *names, const struct names_one *x)
{
    for (unsigned i = 0; i < names->n; i++)
        if (same(&names->one[i], x->tag, span_of(x->bytes, x->n)))
            return true;
    return false;
}

int names_parse(const char *const *text, struct names *out)
{
    out->n = 0;
    out->der = 0;
    for (; *text != NULL && out->n < NAMES_MAX; text++) {
        struct names_one *x = &out->one[out->n];
        if (!parse_one(*text, x) || known(out, x))
            continue;
        size_t size = NAME_HEAD(x->n) + x->n;
        if (out->der + size > NAMES_DER_MAX - SEQUENCE_HEAD)
            continue;
        out->der += size;
        out->n++;
    }
    return out->n > 0 ? MD_OK : MD_INVAL;
}

static size_t put_head(uint8_t *p, uint8_t tag, size_t n)
{
    size_t i = 0;
    p[i++] = tag;
    if (n >= 256)
        p[i++] = 0x82;
    else if (n >= LONG_FORM)
        p[i++] = 0x81;
    if (n >= 256)
        p[i++] = (uint8_t)(n >> 8);
    p[i++] = (uint8_t)n;
    return i;
}

struct span names_encode(const struct names *names, uint8_t out[NAMES_DER_MAX])
{
    size_t n = put_head(out, TAG_SEQUENCE, names->der);
    for (unsigned i = 0; i < names->n; i++) {
        const struct names_one *x = &names->one[i];
        n += put_head(out + n, x->tag, x->n);
        memcpy(out + n, x->bytes, x->n);
        n += x->n;
    }
    return span_of(out, n);
}

const struct names_one *names_missing(const struct names *names, const mbedtls_x509_crt *crt)
{
    for (unsigned i = 0; i < names->n; i++) {
        const mbedtls_x509_sequence *s = &crt->subject_alt_names;
        while (s != NULL && !(s->buf.p != NULL && same(&names->one[i], (unsigned)s->buf.tag & 0xff,
                                                       span_of(s->buf.p, s->buf.len))))
            s = s->next;
        if (s == NULL)
            return &names->one[i];
    }
    return NULL;
}

void names_text(unsigned tag, struct span bytes, char out[NAMES_TEXT])
{
    (void)snprintf(out, NAMES_TEXT, "?");
    if (tag == TAG_DNS && is_host_name((const char *)bytes.p, bytes.n))
        (void)span_to_str(bytes, out, NAMES_TEXT);
    if (tag == TAG_IP && (bytes.n == 4 || bytes.n == 16))
        (void)inet_ntop(bytes.n == 4 ? AF_INET : AF_INET6, bytes.p, out, NAMES_TEXT);
}

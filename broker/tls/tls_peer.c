/* tls_peer.c - the names in a client certificate, as text that rights can be given to. */
#include "broker/tls/tls_ctx.h"

#include <mbedtls/oid.h>

#define PARTS_MAX 32 /* attributes of a subject */

struct text {
    char *p;
    size_t n, cap;
    bool full;
};

static void put(struct text *t, char c)
{
    if (t->n + 1 >= t->cap) {
        t->full = true;
        return;
    }
    t->p[t->n++] = c;
    t->p[t->n] = '\0';
}

static void put_str(struct text *t, const char *s)
{
    while (*s != '\0')
        put(t, *s++);
}

static void put_hex(struct text *t, uint8_t c)
{
    static const char digits[] = "0123456789ABCDEF";
    put(t, digits[c >> 4]);
    put(t, digits[c & 15]);
}

/* RFC 2253 2.4; what is not ASCII goes as hex, as OpenSSL (and so mosquitto) writes it. */
static void put_value(struct text *t, struct span v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool edge = (c == ' ' && (i == 0 || i + 1 == v.n)) || (c == '#' && i == 0);
        if (c < 0x20 || c >= 0x7f) {
            put(t, '\\');
            put_hex(t, c);
            continue;
        }
        if (edge || strchr(",+\"\\<>;", c) != NULL)
            put(t, '\\');
        put(t, (char)c);
    }
}

static void put_part(struct text *t, const mbedtls_x509_name *n)
{
    const char *word = NULL;
    char oid[64];
    if (mbedtls_oid_get_attr_short_name(&n->oid, &word) != 0) {
        if (mbedtls_oid_get_numeric_string(oid, sizeof oid, &n->oid) < 0)
            t->full = true;
        word = oid;
    }
    put_str(t, word);
    put(t, '=');
    put_value(t, span_of(n->val.p, n->val.len));
}

/* No byte below U+0020, no surrogate, nothing overlong; the mqtt codec's rules are not ours to
 * know, and a name is short. */
static bool good_utf8(struct span s)
{
    for (size_t i = 0; i < s.n;) {
        uint8_t c = s.p[i++];
        unsigned more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint32_t v = more == 0 ? c : c & (0x3fu >> more);
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4 || s.n - i < more)
            return false;
        for (unsigned k = 0; k < more; k++, i++) {
            if ((s.p[i] & 0xc0) != 0x80)
                return false;
            v = v << 6 | (s.p[i] & 0x3fu);
        }
        if ((more == 2 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
            (more == 3 && (v < 0x10000 || v > 0x10ffff)))
            return false;
    }
    return true;
}

static bool is_cn(const mbedtls_x509_name *n)
{
    struct span oid = span_of(n->oid.p, n->oid.len);
    return span_eq(oid, span_of(MBEDTLS_OID_AT_CN, sizeof MBEDTLS_OID_AT_CN - 1));
}

static int first_cn(const mbedtls_x509_name *n, char cn[TLS_CN_MAX])
{
    while (n != NULL && !is_cn(n))
        n = n->next;
    if (n == NULL)
        return MD_OK;
    struct span v = span_of(n->val.p, n->val.len);
    if (!good_utf8(v))
        return MD_PROTO;
    return span_to_str(v, cn, TLS_CN_MAX) ? MD_OK : MD_TOOBIG;
}

int tls_peer_names(const mbedtls_x509_name *subject, char cn[TLS_CN_MAX],
                   char text[TLS_SUBJECT_MAX])
{
    const mbedtls_x509_name *part[PARTS_MAX];
    struct text t = {text, 0, TLS_SUBJECT_MAX, false};
    unsigned n = 0;
    cn[0] = text[0] = '\0';
    for (const mbedtls_x509_name *p = subject; p != NULL && p->val.p != NULL; p = p->next) {
        if (n == PARTS_MAX)
            return MD_TOOBIG;
        part[n++] = p;
    }
    while (n-- > 0) { /* the last comes first [RFC 2253 2.1] */
        put_part(&t, part[n]);
        if (n > 0)
            put(&t, tlsc_merged(part[n - 1]) ? '+' : ',');
    }
    return t.full ? MD_TOOBIG : first_cn(subject, cn);
}

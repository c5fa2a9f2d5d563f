#include "broker/tls/hello_text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

struct line {
    char *out;
    size_t n;
    bool full;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->out + l->n, TLS_HELLO_TEXT_MAX - l->n, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= TLS_HELLO_TEXT_MAX - l->n)
        l->full = true;
    else
        l->n += (size_t)n;
}

/* 0x0a0a, 0x1a1a, ... 0xfafa: values that mean nothing and change each time (RFC 8701). */
static bool is_grease(uint16_t v) { return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff); }

static void put_list(struct line *l, const uint16_t *v, unsigned n, unsigned kept)
{
    const char *between = "";
    for (unsigned i = 0; i < n && i < kept; i++) {
        if (is_grease(v[i]))
            continue;
        put(l, "%s%u", between, (unsigned)v[i]);
        between = "-";
    }
}

static void put_formats(struct line *l, const struct tls_hello *h)
{
    for (unsigned i = 0; i < h->n_formats && i < TLS_HELLO_FORMATS; i++)
        put(l, "%s%u", i > 0 ? "-" : "", (unsigned)h->formats[i]);
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr(",.-/_", c) != NULL);
}

static void put_plain(struct line *l, const char *peer)
{
    for (; *peer != '\0'; peer++)
        put(l, "%c", is_plain(*peer) ? *peer : '?');
}

static const char *kind_of_name(const char *sni)
{
    uint8_t address[16];
    if (sni[0] == '\0')
        return "none";
    if (inet_pton(AF_INET, sni, address) == 1 || inet_pton(AF_INET6, sni, address) == 1)
        return "address";
    return "name";
}

bool tls_hello_text(const struct tls_hello *h, char out[TLS_HELLO_TEXT_MAX])
{
    struct line l = {out, 0, false};
    put(&l, "%u,", (unsigned)h->version);
    put_list(&l, h->suites, h->n_suites, TLS_HELLO_SUITES);
    put(&l, ",");
    put_list(&l, h->extension, h->n_extensions, TLS_HELLO_EXTENSIONS);
    put(&l, ",");
    put_list(&l, h->groups, h->n_groups, TLS_HELLO_GROUPS);
    put(&l, ",");
    put_formats(&l, h);
    put(&l, " sigalgs=");
    put_list(&l, h->sigalgs, h->n_sigalgs, TLS_HELLO_SIGALGS);
    put(&l, " versions=");
    put_list(&l, h->versions, h->n_versions, TLS_HELLO_VERSIONS);
    put(&l, " fragment=%u alpn=", (unsigned)h->max_fragment);
    put_plain(&l, h->alpn);
    put(&l, " sni=%s # %ux%u %u", kind_of_name(h->sni), (unsigned)h->record_version,
        (unsigned)h->records, (unsigned)h->size);
    if (l.full)
        out[0] = '\0';
    return !l.full;
}

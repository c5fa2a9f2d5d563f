/* tls_psk.c - keys that a client and we know already, from a psk_file of mosquitto's form. */
#include "broker/tls/tls_ctx.h"

#include "broker/base/mem.h"

#define PSK_MAX 4096 /* lines */

struct entry {
    char *identity;
    size_t n;
    uint8_t key[TLSC_PSK_MAX];
};

struct tls_psk {
    size_t n;
    struct entry *entry;
};

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Leading zeros are part of the key. */
static bool parse_key(struct span hex, struct entry *e)
{
    if (hex.n == 0 || hex.n % 2 != 0 || hex.n / 2 > sizeof e->key)
        return false;
    for (size_t i = 0; i < hex.n; i += 2) {
        int hi = digit(hex.p[i]), lo = digit(hex.p[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        e->key[e->n++] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static int add(struct tls_psk *p, struct span line, bool *bad)
{
    const uint8_t *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
    struct entry e = {.n = 0};
    size_t id_n = colon == NULL ? 0 : (size_t)(colon - line.p);
    *bad = id_n == 0 || id_n >= TLS_CN_MAX || p->n >= PSK_MAX ||
           !parse_key(span_skip(line, id_n + 1), &e);
    if (*bad)
        return MD_TLS;
    struct entry *grown = mem_realloc(p->entry, (p->n + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    p->entry = grown;
    e.identity = mem_alloc(id_n + 1);
    if (e.identity == NULL)
        return MD_NOMEM;
    memcpy(e.identity, line.p, id_n);
    grown[p->n++] = e;
    mem_wipe(&e, sizeof e);
    return MD_OK;
}

void tls_psk_free(struct tls_psk *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->entry[i].identity);
    mem_wipe(p->entry, p->n * sizeof *p->entry);
    mem_free(p->entry);
    mem_free(p);
}

int tls_psk_new(struct tls_psk **out, const char *name, const char *text, char err[TLS_ERR_MAX])
{
    struct tls_psk *p = mem_alloc(sizeof *p);
    int rc = p == NULL ? MD_NOMEM : MD_OK;
    for (unsigned number = 1; rc == MD_OK && *text != '\0'; number++) {
        bool bad;
        size_t n = strcspn(text, "\n");
        struct span line = span_of(text, n > 0 && text[n - 1] == '\r' ? n - 1 : n);
        text += text[n] == '\n' ? n + 1 : n;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        rc = add(p, line, &bad);
        if (rc == MD_TLS)
            (void)snprintf(err, TLS_ERR_MAX,
                           "%s:%u: a line is `identity:key`, the key 1 to %d bytes in hex", name,
                           number, (int)TLSC_PSK_MAX);
    }
    if (rc != MD_OK)
        tls_psk_free(p);
    else
        *out = p;
    return rc;
}

static int on_identity(void *ctx, mbedtls_ssl_context *ssl, const unsigned char *id, size_t n)
{
    const struct tls_psk *p = ctx;
    struct span identity = span_of(id, n);
    for (size_t i = 0; i < p->n; i++) {
        const struct entry *e = &p->entry[i];
        if (!span_is(identity, e->identity))
            continue;
        return tls_note_psk(ssl, identity) ? tlsc_use_psk(ssl, e->key, e->n)
                                           : MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    return MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;
}

void tls_psk_attach(struct tls_psk *p, mbedtls_ssl_config *conf)
{
    tlsc_conf_psk(conf, on_identity, p);
}

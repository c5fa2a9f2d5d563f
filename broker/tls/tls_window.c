#include "broker/tls/tls_window.h"

#include "broker/base/mem.h"

#include <string.h>

#define COUNTER 8 /* bytes; where each buffer begins, and a record's header is behind it */

struct places { /* the fields of a context that point into one of its buffers */
    unsigned char **base, **header, **at[TLSC_RECORD_POINTERS];
};

static struct places places_in(mbedtls_ssl_context *ssl)
{
    return (struct places){&ssl->MBEDTLS_PRIVATE(in_buf), &ssl->MBEDTLS_PRIVATE(in_hdr),
                           TLSC_POINTERS_IN(ssl)};
}

static struct places places_out(mbedtls_ssl_context *ssl)
{
    return (struct places){&ssl->MBEDTLS_PRIVATE(out_buf), &ssl->MBEDTLS_PRIVATE(out_hdr),
                           TLSC_POINTERS_OUT(ssl)};
}

static void point(const struct places *p, unsigned char *base, const uint8_t *offset)
{
    *p->base = base;
    for (unsigned i = 0; i < TLSC_RECORD_POINTERS; i++)
        *p->at[i] = base + offset[i];
}

/* False: they are not as they are between two records. */
static bool measure(const struct places *p, uint8_t *offset)
{
    const unsigned char *base = *p->base;
    if (base == NULL || *p->header != base + COUNTER)
        return false;
    for (unsigned i = 0; i < TLSC_RECORD_POINTERS; i++) {
        if (*p->at[i] < base || *p->at[i] > base + UINT8_MAX)
            return false;
        offset[i] = (uint8_t)(*p->at[i] - base);
    }
    return true;
}

static void forget(const struct places *p)
{
    *p->base = NULL;
    for (unsigned i = 0; i < TLSC_RECORD_POINTERS; i++)
        *p->at[i] = NULL;
}

/* No part of a record or of a handshake message, no plain text that was not fetched, nothing that
 * is still to be written. */
static bool empty(const mbedtls_ssl_context *ssl)
{
    return ssl->MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_HANDSHAKE_OVER &&
           ssl->MBEDTLS_PRIVATE(in_left) == 0 && ssl->MBEDTLS_PRIVATE(in_offt) == NULL &&
           ssl->MBEDTLS_PRIVATE(in_hslen) == 0 && ssl->MBEDTLS_PRIVATE(keep_current_message) == 0 &&
           ssl->MBEDTLS_PRIVATE(out_left) == 0;
}

/* The library makes its buffers, so that it alone knows how large they are. */
static int window_new(struct tls_window *out, const mbedtls_ssl_config *conf)
{
    mbedtls_ssl_context *donor = mem_alloc(sizeof *donor);
    if (donor == NULL)
        return MD_NOMEM;
    mbedtls_ssl_init(donor);
    int err = mbedtls_ssl_setup(donor, conf) == 0 ? MD_OK : MD_NOMEM;
    if (err == MD_OK) {
        *out = (struct tls_window){donor->MBEDTLS_PRIVATE(in_buf), donor->MBEDTLS_PRIVATE(out_buf)};
        donor->MBEDTLS_PRIVATE(in_buf) = donor->MBEDTLS_PRIVATE(out_buf) = NULL;
    }
    mbedtls_ssl_free(donor);
    mem_free(donor);
    return err;
}

/* And it frees them, for the same reason; that wipes them, too. */
static void window_free(struct tls_window w)
{
    mbedtls_ssl_context heir;
    mbedtls_ssl_init(&heir);
    heir.MBEDTLS_PRIVATE(in_buf) = w.in;
    heir.MBEDTLS_PRIVATE(out_buf) = w.out;
    mbedtls_ssl_free(&heir);
}

void tls_windows_shrink(struct tls_windows *w, unsigned most)
{
    while (w->n > most)
        window_free(w->spare[--w->n]);
}

int tls_window_open(struct tls_windows *w, struct tls_bookmark *mark, mbedtls_ssl_context *ssl,
                    const mbedtls_ssl_config *conf)
{
    struct tls_window window;
    struct places in = places_in(ssl), out = places_out(ssl);
    if (!mark->away)
        return MD_OK;
    if (w->n > 0)
        window = w->spare[--w->n];
    else if (window_new(&window, conf) != MD_OK)
        return MD_NOMEM;
    memcpy(window.in, mark->counter, COUNTER);
    point(&in, window.in, mark->in);
    point(&out, window.out, mark->out);
    mark->away = false;
    return MD_OK;
}

void tls_window_close(struct tls_windows *w, struct tls_bookmark *mark, mbedtls_ssl_context *ssl)
{
    struct places in = places_in(ssl), out = places_out(ssl);
    if (!TLSC_BUFFERS_ALIKE || mark->away || !empty(ssl) || !measure(&in, mark->in) ||
        !measure(&out, mark->out))
        return;
    struct tls_window window = {*in.base, *out.base};
    memcpy(mark->counter, window.in, COUNTER);
    forget(&in);
    forget(&out);
    mark->away = true;
    if (w->n < TLS_WINDOWS_SPARE)
        w->spare[w->n++] = window;
    else
        window_free(window);
}

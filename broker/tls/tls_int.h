/* tls_int.h - struct tls, for tls.c and tls_shake.c. */
#ifndef BROKER_TLS_TLS_INT_H
#define BROKER_TLS_TLS_INT_H

#include "broker/tls/tls_ctx.h"

enum tls_phase { TLS_NEW, TLS_SHAKING, TLS_OPEN, TLS_CLOSED };

struct tls {
    struct tls_ctx *ctx;
    struct tls_lane *lane; /* whose configuration it uses; NULL before the first step */
    enum tls_phase phase;
    bool holds;       /* the lane's semaphore                                          */
    bool set_up;      /* ssl is initialised                                            */
    bool was_open;    /* a close_notify may be sent                                    */
    bool answered;    /* a handshake record has left                                   */
    bool alerted;     /* an alert record has left                                      */
    bool peer_closed; /* by close_notify                                               */
    uint8_t addr_n;   /* 4 or 16: not a name but this address must be in the certificate */
    uint8_t addr[16];
    size_t in_off, out_off; /* what is used up of in, out */
    struct buf in, out;
    struct tls_hello *hello; /* NULL until it arrived whole */
    char *host;
    char *error;            /* TLS_ERR_MAX; NULL = nothing failed, or no memory to say it */
    const char *last_error; /* error, or a literal                                       */
    char description[72];
    char *psk_identity;       /* NULL: no key of psk_file was used */
    struct tls_bookmark mark; /* while ssl has no buffers */
    mbedtls_ssl_context ssl;
};

static inline struct span tls_pending(const struct tls *t)
{
    return span_skip(buf_view(&t->in), t->in_off);
}

/* An idle connection holds no buffer, so a drained one is given back. */
static inline void tls_drop_if_drained(struct buf *b, size_t *off)
{
    if (*off < b->n)
        return;
    buf_free(b);
    *off = 0;
}

static inline void tls_compact(struct buf *b, size_t *off)
{
    buf_consume(b, *off);
    *off = 0;
}

/* The result `rc` of the library ends the connection: notes why, and queues an alert.
 * Returns MD_TLS, or MD_CLOSED where `rc` is the peer's close_notify. */
int tls_fail(struct tls *t, int rc);

void tls_lane_release(struct tls *t); /* nothing unless it has one */

#endif

/* buf.h - owned, growable bytes with a hard ceiling.
 *
 * A buf never grows past `max`: a peer can make us refuse, not make us
 * swell.  All growth is checked; nothing else in the program calls realloc
 * on byte data. */
#ifndef BROKER_BASE_BUF_H
#define BROKER_BASE_BUF_H

#include "broker/base/err.h"
#include "broker/base/span.h"

struct buf {
    uint8_t *p;
    size_t n;   /* bytes in use    */
    size_t cap; /* bytes allocated */
    size_t max; /* bytes allowed   */
};

void buf_init(struct buf *b, size_t max); /* allocates nothing             */
void buf_free(struct buf *b);             /* safe on an empty or freed buf */

/* Makes room for `more` further bytes.  MD_TOOBIG past `max`, MD_NOMEM; the
 * buf is unchanged on failure, so a packet is appended whole or not at all. */
MD_MUST_USE int buf_reserve(struct buf *b, size_t more);

/* Appends.  Errors as buf_reserve(). */
MD_MUST_USE int buf_put(struct buf *b, struct span s);
MD_MUST_USE int buf_put_str(struct buf *b, const char *s);
MD_MUST_USE int buf_putf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For what may hold a password: buf_put() that leaves no copy behind where the bytes were before
 * they grew, and buf_free() that overwrites them.  Errors as buf_reserve(). */
MD_MUST_USE int buf_put_secret(struct buf *b, struct span s);
void buf_wipe(struct buf *b);

/* Drops the first n bytes (n <= b->n); the allocation stays. */
void buf_consume(struct buf *b, size_t n);

static inline struct span buf_view(const struct buf *b) /* lent until the next buf_* call */
{
    return (struct span){b->p, b->n};
}

#endif

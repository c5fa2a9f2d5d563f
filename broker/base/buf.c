#include "broker/base/buf.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#define BUF_FIRST 64 /* bytes of the first allocation */

void buf_init(struct buf *b, size_t max) { *b = (struct buf){.max = max}; }

void buf_free(struct buf *b)
{
    mem_free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
}

int buf_reserve(struct buf *b, size_t more)
{
    MD_ASSERT(b->n <= b->cap);
    if (more <= b->cap - b->n)
        return MD_OK;
    if (b->n > b->max || more > b->max - b->n)
        return MD_TOOBIG;
    size_t need = b->n + more;
    size_t cap = b->cap ? b->cap : BUF_FIRST;
    while (cap < need)
        cap = cap > b->max / 2 ? need : cap * 2;
    if (cap > b->max)
        cap = b->max;
    uint8_t *p = mem_realloc(b->p, cap);
    if (p == NULL)
        return MD_NOMEM;
    b->p = p;
    b->cap = cap;
    return MD_OK;
}

int buf_put(struct buf *b, struct span s)
{
    int err = buf_reserve(b, s.n);
    if (err != MD_OK)
        return err;
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return MD_OK;
}

void buf_wipe(struct buf *b)
{
    if (b->p != NULL)
        mem_wipe(b->p, b->cap);
    buf_free(b);
}

int buf_put_secret(struct buf *b, struct span s)
{
    struct buf grown;
    if (s.n <= b->cap - b->n)
        return buf_put(b, s);
    if (b->n > b->max || s.n > b->max - b->n)
        return MD_TOOBIG;
    buf_init(&grown, b->max);
    int err = buf_reserve(&grown, b->n + s.n);
    if (err != MD_OK)
        return err;
    err = buf_put(&grown, buf_view(b));
    if (err == MD_OK)
        err = buf_put(&grown, s);
    MD_ASSERT(err == MD_OK); /* the room is there */
    buf_wipe(b);
    *b = grown;
    return MD_OK;
}

int buf_put_str(struct buf *b, const char *s) { return buf_put(b, span_str(s)); }

int buf_putf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int err = n < 0 ? MD_INVAL : buf_reserve(b, (size_t)n + 1);
    if (err == MD_OK) {
        (void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    return err;
}

void buf_consume(struct buf *b, size_t n)
{
    MD_ASSERT(n <= b->n);
    b->n -= n;
    if (b->n > 0 && n > 0)
        memmove(b->p, b->p + n, b->n);
}

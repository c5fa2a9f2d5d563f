/* rd.h - big-endian reader over a span, with a sticky failure flag.
 *
 * A read past the end returns zero and sets `bad`; later reads return zero
 * too.  A decoder therefore reads all its fields in wire order, straight
 * down, and asks once at the end:
 *
 *     id    = rd_u16(&r);
 *     topic = rd_bin16(&r);
 *     if (!rd_ok(&r)) return MD_PROTO;
 */
#ifndef BROKER_BASE_RD_H
#define BROKER_BASE_RD_H

#include "broker/base/span.h"

struct rd {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct rd rd_of(struct span s)
{
    return (struct rd){s.p, s.n == 0 ? s.p : s.p + s.n, false};
}

static inline size_t rd_left(const struct rd *r) { return r->bad ? 0 : (size_t)(r->end - r->p); }

/* The next n bytes, or an empty span and `bad` when fewer are left. */
static inline struct span rd_take(struct rd *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return (struct span){NULL, 0};
    }
    struct span s = {r->p, n};
    if (n > 0)
        r->p += n;
    return s;
}

static inline uint8_t rd_u8(struct rd *r)
{
    struct span s = rd_take(r, 1);
    return s.n ? s.p[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
    struct span s = rd_take(r, 2);
    if (s.n == 0)
        return 0;
    return (uint16_t)((unsigned)s.p[0] << 8 | s.p[1]);
}

static inline uint32_t rd_u24(struct rd *r)
{
    struct span s = rd_take(r, 3);
    return s.n ? (uint32_t)s.p[0] << 16 | (uint32_t)s.p[1] << 8 | s.p[2] : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
    uint32_t hi = rd_u16(r);
    return hi << 16 | rd_u16(r);
}

static inline uint64_t rd_u64(struct rd *r)
{
    uint64_t hi = rd_u32(r);
    return hi << 32 | rd_u32(r);
}

/* Two-byte length, then that many bytes  [MQTT 1.5.3]. */
static inline struct span rd_bin16(struct rd *r)
{
    size_t n = rd_u16(r);
    return rd_take(r, n);
}

static inline struct span rd_rest(struct rd *r) { return rd_take(r, rd_left(r)); }

static inline bool rd_ok(const struct rd *r) { return !r->bad; }
static inline bool rd_done(const struct rd *r) { return !r->bad && r->p == r->end; }

#endif

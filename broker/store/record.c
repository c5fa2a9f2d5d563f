#include "broker/store/record.h"

#include "broker/base/rd.h"
#include "broker/store/store.h"

#define MARK0 0xD5
#define MARK1 0x4D
#define HEAD  10u /* mark, length, crc                  */
#define FIXED 3u  /* namespace and key length behind it */

/* Four bits at a time: small, and fast enough for what a house stores. */
uint32_t record_crc(struct span s)
{
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                       0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                       0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= s.p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

/* Of everything behind the crc, with the length in front: a wrong length is damage too. */
static uint32_t crc_of(const uint8_t *record, size_t body)
{
    uint32_t length_crc = record_crc(span_of(record + 2, 4));
    return record_crc(span_of(record + HEAD, body)) ^ (length_crc << 1 | length_crc >> 31);
}

int record_put(struct buf *out, const struct record *r)
{
    if (r->key.n > STORE_KEY_MAX || r->value.n > STORE_VALUE_MAX)
        return MD_TOOBIG;
    size_t body = FIXED + r->key.n + r->value.n;
    int err = buf_reserve(out, HEAD + body);
    if (err != MD_OK)
        return err;
    uint8_t *p = out->p + out->n;
    p[0] = MARK0;
    p[1] = MARK1;
    put_be(p + 2, body, 4);
    p[HEAD] = r->ns;
    put_be(p + HEAD + 1, r->key.n, 2);
    if (r->key.n > 0)
        memcpy(p + HEAD + FIXED, r->key.p, r->key.n);
    if (r->value.n > 0)
        memcpy(p + HEAD + FIXED + r->key.n, r->value.p, r->value.n);
    put_be(p + 6, crc_of(p, body), 4);
    out->n += HEAD + body;
    return MD_OK;
}

/* A whole and undamaged record at the head of `in`; returns its length, 0 when there is none. */
static size_t parse(struct span in, struct record *r)
{
    struct rd rd = rd_of(in);
    if (rd_u8(&rd) != MARK0 || rd_u8(&rd) != MARK1)
        return 0;
    size_t body = rd_u32(&rd);
    uint32_t crc = rd_u32(&rd);
    struct span rest = rd_take(&rd, body);
    if (!rd_ok(&rd) || body < FIXED || crc != crc_of(in.p, body))
        return 0;
    rd = rd_of(rest);
    r->ns = rd_u8(&rd);
    r->key = rd_bin16(&rd);
    r->value = rd_rest(&rd);
    return rd_ok(&rd) ? HEAD + body : 0;
}

int record_next(struct span *in, struct record *r, size_t *skipped)
{
    *skipped = 0;
    while (in->n > 0) {
        size_t n = parse(*in, r);
        *in = span_skip(*in, n > 0 ? n : 1);
        if (n > 0)
            return MD_OK;
        ++*skipped;
    }
    return MD_NOENT;
}

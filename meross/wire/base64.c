#include "meross/wire/base64.h"

#include "meross/wire/text.h"

int base64_write(struct buf *out, struct span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int err = buf_reserve(out, BASE64_SIZE(bytes.n));
    if (err != MD_OK)
        return err;
    for (; bytes.n > 0; bytes = span_skip(bytes, 3)) {
        uint32_t v = (uint32_t)bytes.p[0] << 16 | (bytes.n > 1 ? (uint32_t)bytes.p[1] << 8 : 0) |
                     (bytes.n > 2 ? bytes.p[2] : 0u);
        uint8_t *to = out->p + out->n;
        to[0] = (uint8_t)digits[v >> 18];
        to[1] = (uint8_t)digits[v >> 12 & 63];
        to[2] = bytes.n > 1 ? (uint8_t)digits[v >> 6 & 63] : (uint8_t)'=';
        to[3] = bytes.n > 2 ? (uint8_t)digits[v & 63] : (uint8_t)'=';
        out->n += 4;
    }
    return MD_OK;
}

static int value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

static struct span without_padding(struct span text)
{
    text = text_trim(text);
    for (unsigned i = 0; i < 2 && text.n > 0 && text.p[text.n - 1] == '='; i++)
        text.n--;
    return text;
}

int base64_read(struct buf *out, struct span text)
{
    text = without_padding(text);
    if (text.n % 4 == 1)
        return MD_PROTO;
    int err = buf_reserve(out, text.n / 4 * 3 + 3);
    if (err != MD_OK)
        return err;
    size_t before = out->n;
    uint32_t bits = 0;
    unsigned n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int v = value(text.p[i]);
        if (v < 0) {
            out->n = before;
            return MD_PROTO;
        }
        bits = bits << 6 | (uint32_t)v;
        n += 6;
        if (n < 8)
            continue;
        n -= 8;
        out->p[out->n++] = (uint8_t)(bits >> n);
    }
    return MD_OK;
}

#include "broker/codec/utf8.h"

/* Neither a control character nor one of Unicode's 66 non-characters: U+FDD0-FDEF and the last
 * two of each plane. */
static bool allowed(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return false;
    return (c & 0xfffe) != 0xfffe && (c < 0xfdd0 || c > 0xfdef);
}

static bool is_tail(uint8_t c) { return (c & 0xc0) == 0x80; }

static size_t two(const uint8_t *p)
{
    uint32_t c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    return is_tail(p[1]) && c >= 0x80 && allowed(c) ? 2 : 0;
}

static size_t three(const uint8_t *p)
{
    uint32_t c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    bool surrogate = c >= 0xd800 && c <= 0xdfff; /* [MQTT-1.5.3-1] */
    return is_tail(p[1]) && is_tail(p[2]) && c >= 0x800 && !surrogate && allowed(c) ? 3 : 0;
}

static size_t four(const uint8_t *p)
{
    uint32_t c = (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    bool formed = is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3]);
    return formed && c >= 0x10000 && c <= 0x10ffff && allowed(c) ? 4 : 0;
}

size_t utf8_char(struct span s)
{
    if (s.n == 0)
        return 0;
    uint8_t first = s.p[0];
    if (first < 0x80)
        return allowed(first) ? 1 : 0; /* U+0000 is below 0x20 [MQTT-1.5.3-2] */
    if ((first & 0xe0) == 0xc0)
        return s.n >= 2 ? two(s.p) : 0;
    if ((first & 0xf0) == 0xe0)
        return s.n >= 3 ? three(s.p) : 0;
    if ((first & 0xf8) == 0xf0)
        return s.n >= 4 ? four(s.p) : 0;
    return 0; /* a tail byte without a head, or F8-FF */
}

bool utf8_valid(struct span s)
{
    size_t i = 0;
    while (i < s.n) {
        if (s.n >= 8) {
            /* The last word may begin before i; what it repeats has been seen to be valid. */
            size_t at = s.n - i >= 8 ? i : s.n - 8;
            uint64_t w;
            memcpy(&w, s.p + at, sizeof w);
            if (utf8_word_printable(w)) {
                i = at + 8;
                continue;
            }
        }
        size_t n = utf8_char((struct span){s.p + i, s.n - i});
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

#include "meross/wire/text.h"

#include "broker/base/mem.h"

#include <endian.h>

static bool is_cont(uint8_t c) { return (c & 0xc0) == 0x80; }

/* Length that the first byte announces; 0 = it cannot be a first byte. */
static size_t announced(uint8_t c)
{
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef)
        return 3;
    return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

static uint32_t assemble(const uint8_t *p, size_t n)
{
    static const uint8_t first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t cp = p[0] & first_mask[n];
    for (size_t i = 1; i < n; i++)
        cp = cp << 6 | (p[i] & 0x3fu);
    return cp;
}

/* The code point at the front and its length, or 0 when it is not valid. */
static size_t decode(struct span s, uint32_t *cp)
{
    size_t n = announced(s.p[0]);
    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (!is_cont(s.p[i]))
            return 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    *cp = assemble(s.p, n);
    bool surrogate = *cp >= 0xd800 && *cp <= 0xdfff;
    return *cp < least[n] || *cp > 0x10ffff || surrogate ? 0 : n;
}

uint32_t text_next(struct span *s)
{
    uint32_t cp = 0;
    size_t n = decode(*s, &cp);
    if (n == 0) {
        n = 1;
        cp = TEXT_REPLACEMENT;
    }
    *s = span_skip(*s, n);
    return cp;
}

size_t text_put(uint8_t out[4], uint32_t cp)
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    out[0] = (uint8_t)(lead[n] | cp);
    return n;
}

/* --- eight bytes at a time ----------------------------------------------------------------- */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH       EACH(0x80)

/* The first byte is the lowest. */
static uint64_t eight(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return le64toh(w);
}

/* The high bit of each byte that is zero; above the lowest such byte the result is not exact. */
static uint64_t zeros(uint64_t w) { return (w - EACH(1)) & ~w & HIGH; }

/* The high bit of each byte that does not stand for itself, exact up to the lowest. */
static uint64_t specials(uint64_t w)
{
    uint64_t range = w | (w + EACH(1)) | (w - EACH(' ')); /* from 0x7f on, and below a blank */
    return (range & HIGH) | zeros(w ^ EACH('"')) | zeros(w ^ EACH('\\'));
}

static size_t lowest(uint64_t marks) { return (size_t)__builtin_ctzll(marks) / 8; }

static bool is_special(uint8_t c) { return c < ' ' || c >= 0x7f || c == '"' || c == '\\'; }

size_t text_plain(struct span s)
{
    size_t n = 0;
    uint64_t marks = 0;
    for (; s.n - n >= 8 && marks == 0; n += 8)
        marks = specials(eight(s.p + n));
    if (marks == 0 && n > 0 && n < s.n) { /* the last eight, some of them once more */
        n = s.n;
        marks = specials(eight(s.p + n - 8));
    }
    if (marks != 0)
        return n - 8 + lowest(marks);
    while (n < s.n && !is_special(s.p[n]))
        n++;
    return n;
}

static size_t ascii(struct span s)
{
    size_t n = 0;
    while (s.n - n >= 8 && (eight(s.p + n) & HIGH) == 0)
        n += 8;
    return n;
}

bool text_utf8_valid(struct span s)
{
    uint32_t cp;
    for (s = span_skip(s, ascii(s)); s.n > 0; s = span_skip(s, ascii(s))) {
        size_t n = decode(s, &cp);
        if (n == 0)
            return false;
        s = span_skip(s, n);
    }
    return true;
}

uint32_t text_lower(uint32_t cp)
{
    if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0xde && cp != 0xd7))
        return cp + 32;
    if ((cp >= 0x100 && cp <= 0x12f) || (cp >= 0x132 && cp <= 0x137) ||
        (cp >= 0x14a && cp <= 0x177))
        return cp | 1;
    if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e))
        return cp + (cp & 1);
    if ((cp >= 0x391 && cp <= 0x3a9 && cp != 0x3a2) || (cp >= 0x410 && cp <= 0x42f))
        return cp + 32;
    return cp >= 0x400 && cp <= 0x40f ? cp + 80 : cp;
}

bool text_fold(struct span s, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    if (s.n >= cap)
        return false;
    while (s.n > 0) {
        uint8_t bytes[4];
        size_t len = text_put(bytes, text_lower(text_next(&s)));
        if (n + len >= cap) {
            out[0] = '\0';
            return false;
        }
        memcpy(out + n, bytes, len);
        n += len;
    }
    out[n] = '\0';
    return true;
}

bool text_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        uint8_t x = a.p[i], y = b.p[i];
        if (x >= 'A' && x <= 'Z')
            x = (uint8_t)(x | 0x20);
        if (y >= 'A' && y <= 'Z')
            y = (uint8_t)(y | 0x20);
        if (x != y)
            return false;
    }
    return true;
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct span text_trim(struct span s)
{
    while (s.n > 0 && is_space(s.p[0]))
        s = span_skip(s, 1);
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool text_is_unseen(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || (cp >= 0x200b && cp <= 0x200f) ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x2064) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0x061c || cp == 0xfeff;
}

void text_tame(char *text)
{
    char *to = text;
    for (struct span rest = span_str(text); rest.n > 0;) {
        struct span from = rest;
        uint32_t cp = text_next(&rest);
        size_t n = from.n - rest.n;
        if (text_is_unseen(cp) || (cp == TEXT_REPLACEMENT && n == 1)) {
            *to++ = '?';
            continue;
        }
        memmove(to, from.p, n);
        to += n;
    }
    *to = '\0';
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_alpha(uint8_t c, uint8_t last) { return (c | 0x20) >= 'a' && (c | 0x20) <= last; }

bool text_is_uuid(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && !is_alpha(s.p[i], 'z'))
            return false;
    return s.n == 32;
}

bool text_is_mac(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool ok = i % 3 == 2 ? s.p[i] == ':' : is_digit(s.p[i]) || is_alpha(s.p[i], 'f');
        if (!ok)
            return false;
    }
    return s.n == 17;
}

bool text_mac_digits(struct span s, char out[TEXT_MAC_DIGITS])
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == ':' || c == '-' || c == '.' || c == ' ')
            continue;
        if (n == TEXT_MAC_DIGITS - 1 || !(is_digit(c) || is_alpha(c, 'f')))
            return false;
        out[n++] = (char)(is_digit(c) ? c : c | 0x20);
    }
    out[n] = '\0';
    return n == TEXT_MAC_DIGITS - 1;
}

void text_hex(char *out, struct span s)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        out[2 * i] = digits[s.p[i] >> 4];
        out[2 * i + 1] = digits[s.p[i] & 15];
    }
    out[2 * s.n] = '\0';
}

void text_peer_address(const char *peer, char *out, size_t cap)
{
    struct span s = span_str(peer != NULL ? peer : "");
    while (s.n > 0 && s.p[s.n - 1] != ':')
        s.n--;
    s.n -= s.n > 0;
    if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = span_of(s.p + 1, s.n - 2);
    s.n = s.n < cap ? s.n : cap - 1;
    (void)span_to_str(s, out, cap);
}

char *text_dup(const char *s, size_t max)
{
    size_t n = strnlen(s, max);
    char *copy = mem_dup(s, n + 1);
    if (copy != NULL)
        copy[n] = '\0';
    return copy;
}

uint64_t text_mark(struct span s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ s.p[i]) * 0x100000001b3u;
    return h;
}

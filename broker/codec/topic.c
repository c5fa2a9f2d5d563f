#include "broker/codec/topic.h"

#include "broker/codec/utf8.h"

#define TOPIC_MAX 65535 /* bytes [MQTT-4.7.3-3] */

/* True when one of the eight bytes of w is c; never true when none is. */
static bool word_has(uint64_t w, uint8_t c)
{
    uint64_t x = w ^ c * UTF8_EACH_BYTE;
    return ((x - UTF8_EACH_BYTE) & ~x & 0x80 * UTF8_EACH_BYTE) != 0;
}

static bool is_wildcard(uint8_t c) { return c == '+' || c == '#'; }

bool topic_name_valid(struct span s)
{
    if (s.n == 0 || s.n > TOPIC_MAX)
        return false;
    size_t i = 0;
    while (i < s.n) {
        if (s.n >= 8) {
            /* The last word may begin before i; what it repeats has been seen to be valid. */
            size_t at = s.n - i >= 8 ? i : s.n - 8;
            uint64_t w;
            memcpy(&w, s.p + at, sizeof w);
            if (utf8_word_printable(w) && !word_has(w, '+') && !word_has(w, '#')) {
                i = at + 8;
                continue;
            }
        }
        size_t n = utf8_char((struct span){s.p + i, s.n - i});
        if (n == 0 || is_wildcard(s.p[i]))
            return false;
        i += n;
    }
    return true;
}

/* Whether the byte at i has its level to itself [MQTT-4.7.1-2] [MQTT-4.7.1-3]. */
static bool alone(struct span s, size_t i)
{
    return (i == 0 || s.p[i - 1] == '/') && (i + 1 == s.n || s.p[i + 1] == '/');
}

bool topic_filter_valid(struct span s)
{
    if (s.n == 0 || s.n > TOPIC_MAX || !utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (is_wildcard(s.p[i]) && !alone(s, i))
            return false;
        if (s.p[i] == '#' && i + 1 != s.n)
            return false;
    }
    return true;
}

size_t topic_levels(struct span s)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '/';
    return n;
}

bool topic_deeper(struct span s, size_t max) { return s.n >= max && topic_levels(s) > max; }

bool topic_next_level(struct span *rest, bool *more, struct span *level)
{
    if (!*more)
        return false;
    const uint8_t *slash = rest->n > 0 ? memchr(rest->p, '/', rest->n) : NULL;
    if (slash == NULL) {
        *level = *rest;
        *rest = (struct span){NULL, 0};
        *more = false;
        return true;
    }
    size_t n = (size_t)(slash - rest->p);
    *level = (struct span){rest->p, n};
    *rest = (struct span){slash + 1, rest->n - n - 1};
    return true;
}

bool topic_match(struct span filter, struct span name)
{
    /* [MQTT-4.7.2-1] */
    if (span_starts(name, "$") && filter.n > 0 && is_wildcard(filter.p[0]))
        return false;
    bool more_filter = true, more_name = true;
    struct span want, have;
    while (topic_next_level(&filter, &more_filter, &want)) {
        if (span_is(want, "#")) /* also the parent: "sport/#" matches "sport" [MQTT 4.7.1.2] */
            return true;
        if (!topic_next_level(&name, &more_name, &have))
            return false;
        if (!span_is(want, "+") && !span_eq(want, have))
            return false;
    }
    return !more_name;
}

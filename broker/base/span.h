/* span.h - borrowed bytes: a pointer and a length, never owned, never
 * NUL-terminated by assumption.  Pass by value.  An empty span may have a NULL
 * pointer. */
#ifndef BROKER_BASE_SPAN_H
#define BROKER_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *p;
    size_t n;
};

static inline struct span span_of(const void *p, size_t n) { return (struct span){p, n}; }

static inline struct span span_str(const char *s)
{
    return (struct span){(const uint8_t *)s, strlen(s)};
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *text) { return span_eq(a, span_str(text)); }

static inline bool span_starts(struct span s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

/* Everything after the first n bytes; empty when there are fewer. */
static inline struct span span_skip(struct span s, size_t n)
{
    return n >= s.n ? (struct span){NULL, 0} : (struct span){s.p + n, s.n - n};
}

/* Copies s as a C string into a buffer of `cap` bytes; false (and an empty
 * string) when it does not fit or holds a NUL: text is rejected, never cut. */
static inline bool span_to_str(struct span s, char *out, size_t cap)
{
    out[0] = '\0';
    if (s.n >= cap || (s.n > 0 && memchr(s.p, 0, s.n) != NULL))
        return false;
    if (s.n > 0)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

/* printf("%.*s", SPAN_ARG(s)) - only for text that has been validated. */
#define SPAN_ARG(s) (int)(s).n, (const char *)(s).p

#endif

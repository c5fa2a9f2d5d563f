/* hello_bytes.h - hand-made ClientHellos, as old embedded stacks send them. */
#ifndef TESTS_UNIT_TLS_HELLO_BYTES_H
#define TESTS_UNIT_TLS_HELLO_BYTES_H

#include "broker/base/span.h"

#define HELLO_BYTES_MAX 20000

struct hello_spec {
    uint16_t version;
    const uint16_t *suites;
    size_t n_suites;
    const uint8_t *ext; /* NULL: no extensions block at all */
    size_t n_ext;
};

#define SUITES(list) (list), sizeof(list) / sizeof(list)[0]
#define EXT(list)    (list), sizeof(list)

static const uint16_t OLD_SUITES[] = {0x0035, 0x002f, 0x003d, 0x003c, 0x000a, 0x00ff};
static const uint16_t MIXED_SUITES[] = {0x0035, 0x002f, 0x003d, 0x003c, 0x000a,
                                        0xc014, 0xc013, 0xc028, 0xc027, 0x00ff};
static const uint8_t EXT_SHA1[] = {0, 13, 0, 4, 0, 2, 2, 1};
static const uint8_t EXT_SHA256[] = {0, 13, 0, 6, 0, 4, 4, 1, 2, 1};
static const uint8_t EXT_CURVE[] = {0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0};
static const uint8_t EXT_CURVE_SHA1[] = {0, 10, 0, 4, 0,  2, 0, 23, 0, 11, 0,
                                         2, 1,  0, 0, 13, 0, 4, 0,  2, 2,  1};

static inline size_t hello_u16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return 2;
}

/* One record with one ClientHello; returns its size. */
static inline size_t hello_bytes(uint8_t out[HELLO_BYTES_MAX], struct hello_spec s)
{
    size_t n = 9;
    n += hello_u16(out + n, s.version);
    memset(out + n, 0x5a, 32);
    n += 32;
    out[n++] = 0; /* session id */
    n += hello_u16(out + n, 2 * s.n_suites);
    for (size_t i = 0; i < s.n_suites; i++)
        n += hello_u16(out + n, s.suites[i]);
    out[n++] = 1; /* compression: none */
    out[n++] = 0;
    if (s.ext != NULL) {
        n += hello_u16(out + n, s.n_ext);
        memcpy(out + n, s.ext, s.n_ext);
        n += s.n_ext;
    }
    out[0] = 22;
    hello_u16(out + 1, 0x0301);
    hello_u16(out + 3, n - 5);
    out[5] = 1;
    out[6] = 0;
    hello_u16(out + 7, n - 9);
    return n;
}

/* Cuts the record `in` into records of at most `piece` bytes of payload; returns the new size. */
static inline size_t hello_split(const uint8_t *in, size_t n, size_t piece, uint8_t *out)
{
    size_t to = 0;
    for (size_t at = 5; at < n; at += piece) {
        size_t part = n - at < piece ? n - at : piece;
        memcpy(out + to, in, 3);
        hello_u16(out + to + 3, part);
        memcpy(out + to + 5, in + at, part);
        to += 5 + part;
    }
    return to;
}

#endif

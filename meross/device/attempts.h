/* attempts.h - connections that came to nothing, by address: who could not, when, how often, why.
 * A plug that fails before its CONNECT has no name yet; its address is all there is.
 *
 * A few places; the same failure of the same address counts up, and the one that is longest ago
 * makes room.  Not kept over a restart. */
#ifndef MEROSS_ATTEMPTS_H
#define MEROSS_ATTEMPTS_H

#include "broker/base/env.h"
#include "meross/wire/json_write.h"

#define ATTEMPTS_MAX         24
#define ATTEMPTS_ADDRESS_MAX 45
#define ATTEMPTS_UUID_MAX    32
#define ATTEMPTS_WHY_MAX     255

enum attempt_step { ATTEMPT_TCP, ATTEMPT_TLS, ATTEMPT_CONNECT }; /* where it failed */

struct attempt {
    unsigned n;                 /* 0: a free place */
    uint64_t first_ms, last_ms; /* monotonic */
    enum attempt_step at;
    char address[ATTEMPTS_ADDRESS_MAX + 1]; /* without port */
    char uuid[ATTEMPTS_UUID_MAX + 1];       /* it said so in its CONNECT; "" = unknown */
    char why[ATTEMPTS_WHY_MAX + 1];
    char *hello; /* what it offered; NULL: nothing is known */
};

struct attempts { /* a zeroed one is empty */
    struct attempt v[ATTEMPTS_MAX];
    unsigned total; /* since the beginning */
};

struct attempt_news { /* spans and strings are copied */
    enum attempt_step at;
    const char *address;
    struct span uuid;
    const char *why;
    const char *hello; /* or NULL */
    uint64_t now_ms;
};

void attempts_note(struct attempts *a, const struct attempt_news *news);

/* The latest failure of this plug, by uuid, or of this address when it named no uuid; NULL: none.
 * address, uuid  "" = not known. */
const struct attempt *attempts_of(const struct attempts *a, const char *address, const char *uuid);

/* Is it a failure of this plug? */
bool attempts_is_of(const struct attempt *it, const char *address, const char *uuid);

/* An object, still open. */
void attempts_write(struct json_writer *w, const struct attempt *it, const struct env *env);

void attempts_clear(struct attempts *a);

#endif

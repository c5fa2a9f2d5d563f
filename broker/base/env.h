/* env.h - what the program may not take from the outside world by itself:
 * time and randomness.  One env is made by broker/net/server.c (or by a
 * client verb) and handed down; tests hand down a fake one and step the clock
 * by hand. */
#ifndef BROKER_BASE_ENV_H
#define BROKER_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct env {
    uint64_t (*mono_ms)(void *ctx); /* monotonic milliseconds; only differences mean anything */
    int64_t (*wall_s)(void *ctx);   /* seconds since 1970-01-01 UTC; may jump                 */
    void (*random)(void *ctx, void *out, size_t n); /* cryptographic quality; cannot fail     */
    void *ctx;
};

static inline uint64_t env_mono_ms(const struct env *e) { return e->mono_ms(e->ctx); }
static inline int64_t env_wall_s(const struct env *e) { return e->wall_s(e->ctx); }

/* What the wall clock would have shown at mono_ms, a moment of this run, as it goes now: a host
 * that began in 1970 did not begin long ago once NTP has told it the time. */
static inline int64_t env_wall_of(const struct env *e, uint64_t mono_ms)
{
    uint64_t now = env_mono_ms(e);
    return env_wall_s(e) - (int64_t)((now > mono_ms ? now - mono_ms : 0) / 1000);
}

static inline void env_random(const struct env *e, void *out, size_t n)
{
    e->random(e->ctx, out, n);
}

#endif

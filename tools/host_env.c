#include "tools/host_env.h"

#include "broker/base/check.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static uint64_t mono_ms(void *ctx)
{
    struct timespec t;
    (void)ctx;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int64_t wall_s(void *ctx)
{
    struct timespec t;
    (void)ctx;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec;
}

static void random_bytes(void *ctx, void *out, size_t n)
{
    uint8_t *p = out;
    (void)ctx;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        MD_ASSERT(got >= 0 || errno == EINTR);
        if (got < 0)
            continue;
        p += got;
        n -= (size_t)got;
    }
}

const struct env *host_env(void)
{
    static const struct env env = {mono_ms, wall_s, random_bytes, NULL};
    return &env;
}

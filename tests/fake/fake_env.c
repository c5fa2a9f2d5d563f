#include "tests/fake/fake_env.h"

static uint64_t mono_ms(void *ctx) { return ((struct fake_env *)ctx)->mono_ms; }

static int64_t wall_s(void *ctx) { return ((struct fake_env *)ctx)->wall_ms / 1000; }

/* xorshift64*: the same bytes in every run. */
static void random_bytes(void *ctx, void *out, size_t n)
{
    struct fake_env *f = ctx;
    unsigned char *p = out;
    for (size_t i = 0; i < n; i++) {
        f->rng ^= f->rng >> 12;
        f->rng ^= f->rng << 25;
        f->rng ^= f->rng >> 27;
        p[i] = (unsigned char)((f->rng * 0x2545F4914F6CDD1DULL) >> 56);
    }
}

void fake_env_init(struct fake_env *f)
{
    *f = (struct fake_env){.mono_ms = 1000000, .wall_ms = 1700000000000, .rng = 88172645463325252};
    f->env = (struct env){mono_ms, wall_s, random_bytes, f};
}

void fake_env_step(struct fake_env *f, uint64_t ms)
{
    f->mono_ms += ms;
    f->wall_ms += (int64_t)ms;
}

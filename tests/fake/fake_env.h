/* fake_env.h - a clock that only moves when told, and reproducible randomness. */
#ifndef TESTS_FAKE_FAKE_ENV_H
#define TESTS_FAKE_FAKE_ENV_H

#include "broker/base/env.h"

struct fake_env {
    struct env env;
    uint64_t mono_ms;
    int64_t wall_ms; /* milliseconds since 1970; env_wall_s() gives whole seconds */
    uint64_t rng;
};

/* Starts at monotonic 1,000,000 ms and wall 1,700,000,000 s; f->env.ctx points at f, so f may
 * not move. */
void fake_env_init(struct fake_env *f);
void fake_env_step(struct fake_env *f, uint64_t ms); /* both clocks */

#endif

#include "broker/core/takeover.h"

unsigned takeover_count(struct takeovers *t, uint64_t now_ms)
{
    unsigned tell = 0;
    uint32_t past_ms = (uint32_t)now_ms - t->since_ms;
    if (t->n == 0 || past_ms >= TAKEOVER_MS) {
        /* It goes on, unless it paused for as long again. */
        t->quiet = t->n > TAKEOVER_TIMES && past_ms < 2 * TAKEOVER_MS;
        tell = t->quiet ? t->n : 0;
        t->since_ms = (uint32_t)now_ms;
        t->n = 0;
    }
    if (t->n < UINT16_MAX)
        t->n++;
    if (!t->quiet && t->n > TAKEOVER_TIMES) {
        t->quiet = true;
        tell = t->n;
    }
    return tell;
}

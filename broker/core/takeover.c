#include "broker/core/takeover.h"

unsigned takeover_count(struct takeovers *t, uint64_t now_ms)
{
    unsigned tell = 0;
    if (t->n == 0 || now_ms - t->since_ms >= TAKEOVER_MS) {
        /* It goes on, unless it paused for as long again. */
        t->quiet = t->n > TAKEOVER_TIMES && now_ms - t->since_ms < 2 * (uint64_t)TAKEOVER_MS;
        tell = t->quiet ? t->n : 0;
        t->since_ms = now_ms;
        t->n = 0;
    }
    t->n++;
    if (!t->quiet && t->n > TAKEOVER_TIMES) {
        t->quiet = true;
        tell = t->n;
    }
    return tell;
}

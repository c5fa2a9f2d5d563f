#include "meross/session/quiet.h"

#include <stdio.h>

bool quiet_may_say(struct quiet *q, uint64_t now_ms, unsigned *unsaid)
{
    if (now_ms - q->since_ms >= QUIET_WINDOW_MS) {
        q->since_ms = now_ms;
        q->said = 0;
    }
    if (q->said == QUIET_LINES) {
        q->unsaid++;
        return false;
    }
    q->said++;
    *unsaid = q->unsaid;
    q->unsaid = 0;
    return true;
}

const char *quiet_more(char out[QUIET_MORE_MAX], unsigned unsaid)
{
    out[0] = '\0';
    if (unsaid > 0)
        (void)snprintf(out, QUIET_MORE_MAX, " (%u more since the last line)", unsaid);
    return out;
}

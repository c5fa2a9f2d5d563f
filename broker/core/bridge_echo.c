#include "broker/core/bridge_echo.h"

static uint64_t hash(uint64_t h, struct span s) /* FNV-1a */
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ s.p[i]) * 1099511628211u;
    return h;
}

bool bridge_echo_seen(struct bridge_echo table[BRIDGE_ECHOES], const struct message *m,
                      uint64_t now_ms)
{
    uint64_t h = hash(hash(14695981039346656037u, message_wire_topic(m)), message_payload(m));
    struct bridge_echo *e = &table[(h >> 32) & (BRIDGE_ECHOES - 1)];
    if (e->hash != h || now_ms - e->since_ms >= BRIDGE_ECHO_MS)
        *e = (struct bridge_echo){.hash = h, .since_ms = now_ms};
    if (e->times >= BRIDGE_ECHO_TIMES)
        return true;
    e->times++;
    return false;
}

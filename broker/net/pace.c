#include "broker/net/pace.h"

/* The place of the address, or the one of its row that was used longest ago. */
static unsigned place(const struct pace *p, uint32_t hash)
{
    unsigned row = hash % (PACE_SLOTS / PACE_WAYS) * PACE_WAYS, oldest = row;
    for (unsigned i = row; i < row + PACE_WAYS; i++) {
        if (p->slot[i].paid_ms != 0 && p->slot[i].hash == hash)
            return i;
        if (p->slot[i].paid_ms < p->slot[oldest].paid_ms)
            oldest = i;
    }
    return oldest;
}

bool pace_allows(struct pace *p, struct span address, uint64_t now_ms)
{
    uint32_t hash = map_hash(&p->seed, address);
    unsigned i = place(p, hash);
    uint64_t paid = p->slot[i].hash == hash ? p->slot[i].paid_ms : 0;
    uint64_t next = (paid > now_ms ? paid : now_ms) + PACE_EACH;
    if (next > now_ms + PACE_BURST * PACE_EACH)
        return false;
    p->slot[i].hash = hash;
    p->slot[i].paid_ms = next;
    return true;
}

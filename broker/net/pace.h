/* pace.h - how often one address is answered by a socket that has no connections.  Pure.
 *
 * Bounded memory: the busiest PACE_SLOTS addresses are told apart.  One that pushes another out
 * gains nothing: an answer is never longer than its request. */
#ifndef BROKER_NET_PACE_H
#define BROKER_NET_PACE_H

#include "broker/base/map.h"

#define PACE_SLOTS 256u
#define PACE_WAYS  4u    /* places an address may have                          */
#define PACE_EACH  2000u /* milliseconds that an answer costs                   */
#define PACE_BURST 8u    /* answers at once to an address that was quiet before */

struct pace { /* zeroed but for the seed */
    struct map_seed seed;
    struct {
        uint32_t hash;
        uint64_t paid_ms; /* until then its answers are paid for; 0: free */
    } slot[PACE_SLOTS];
};

/* May this address be answered now?  Counts the answer.
 * now_ms  monotonic */
bool pace_allows(struct pace *p, struct span address, uint64_t now_ms);

#endif

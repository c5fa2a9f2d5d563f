/* shrink.c - broker_shrink(): an idle broker holds what it needs, not what it needed. */
#include "broker/core/broker_int.h"
#include "broker/core/session.h"

static void shrink_session(void *ctx, struct map_node *node)
{
    (void)ctx;
    outq_shrink(&MAP_OF(node, struct session, by_id)->out);
}

void broker_shrink(struct broker *b)
{
    uint64_t packets = b->stats.packets_in + b->stats.packets_out;
    if (packets == b->shrunk_packets)
        return;
    b->shrunk_packets = packets;
    map_each(&b->sessions, shrink_session, NULL);
    map_shrink(&b->sessions);
    subs_shrink(b->subs);
    retain_shrink(b->retain);
    timers_shrink(&b->timers);
}

/* bridge_echo.h - messages that go round in a loop of bridges.
 *
 * MQTT 3.1.1 has no counter of hops, and two brokers that have a bridge to each other cannot know.
 * What comes in over a bridge is remembered for a while; the same topic and payload very often in
 * that time is a loop.  Pure. */
#ifndef BROKER_CORE_BRIDGE_ECHO_H
#define BROKER_CORE_BRIDGE_ECHO_H

#include "broker/core/message.h"

#define BRIDGE_ECHOES     64     /* messages that are watched; a power of two */
#define BRIDGE_ECHO_TIMES 100u   /* so often one may come in                  */
#define BRIDGE_ECHO_MS    10000u /* in this time                              */

struct bridge_echo {
    uint64_t hash, since_ms;
    unsigned times;
};

/* Counts the message; true: it came in BRIDGE_ECHO_TIMES times already. */
bool bridge_echo_seen(struct bridge_echo table[BRIDGE_ECHOES], const struct message *m,
                      uint64_t now_ms);

#endif

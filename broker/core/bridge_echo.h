/* bridge_echo.h - messages that go round in a loop of bridges.
 *
 * MQTT 3.1.1 has no counter of hops.  What came in over one bridge and wants to leave over another
 * is remembered for a while; the same topic and payload too often in that time is a loop.  Pure. */
#ifndef BROKER_CORE_BRIDGE_ECHO_H
#define BROKER_CORE_BRIDGE_ECHO_H

#include "broker/core/bridge_int.h"

#define BRIDGE_ECHO_TIMES 10u    /* so often it may pass             */
#define BRIDGE_ECHO_MS    10000u /* in this time                     */

/* Counts the message; true: it passed BRIDGE_ECHO_TIMES times already. */
bool bridge_echo_seen(struct bridge_echo table[BRIDGE_ECHOES], const struct message *m,
                      uint64_t now_ms);

#endif

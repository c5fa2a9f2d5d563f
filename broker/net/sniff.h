/* sniff.h - what the first bytes of a connection really are.  Pure.
 *
 * The commonest fault of all is the wrong port; mosquitto's "protocol error" has cost
 * its users days.  One look at the first bytes can say it plainly. */
#ifndef BROKER_NET_SNIFF_H
#define BROKER_NET_SNIFF_H

#include "broker/base/span.h"

enum sniff_port { SNIFF_MQTT, SNIFF_WEBSOCKETS, SNIFF_TLS };

/* The sentence for the log when `first`, the first bytes from a peer, cannot be what is expected
 * there; NULL when they may be.  Static. */
const char *sniff_fault(struct span first, enum sniff_port port);

#endif

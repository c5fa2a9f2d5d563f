/* peer.h - who is at the other end of a socket, as a text for people. */
#ifndef BROKER_NET_PEER_H
#define BROKER_NET_PEER_H

#include "broker/net/server_int.h"

/* text: "192.0.2.7:51234", "[2001:db8::7]:51234" (the text ends in the port), or
 * "unix:pid4711,uid1000"; "?:0" when the socket does not know any more.
 * True: the peer is this host. */
bool peer_learn(const union socket *h, char text[PEER_MAX]);

#endif

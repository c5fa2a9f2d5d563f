/* dial.h - the connections that we open: bridges.  Private to broker/net.
 *
 *     WAIT --timer--> RESOLVE --addresses--> CONNECT --TCP--> RUN --end--> WAIT
 *
 * One attempt at a time, whatever happens: names are looked up in the thread pool, the waiting time
 * between rounds grows and is random, and a round tries every address once. */
#ifndef BROKER_NET_DIAL_H
#define BROKER_NET_DIAL_H

#include "broker/core/bridge.h"
#include "broker/net/server_int.h"

struct dial;

struct bridge *dial_bridge(const struct dial *d);

void dials_look(struct server *s); /* lazy ones; about every second          */
void dials_stop(struct server *s); /* say goodbye, and connect no more       */
void dials_free(struct server *s); /* before the loop runs for the last time */

#endif

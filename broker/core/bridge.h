/* bridge.h - the core's half of a bridge: its Session, what goes over it and under which name, and
 * the client's half of MQTT on the connection that net/dial.c opens.
 *
 * Its Session (Client Identifier local_id) is stored like any other, with its queue, its window and
 * the QoS 2 state of both directions.  Messages get the other side's topic when they are queued.
 *
 * No loops: a message knows over which connection it came in (message->origin) and does not leave
 * over the same one; and one that comes round again and again is stopped.
 * The other broker is a stranger: what it sends must match a topic that comes in. */
#ifndef BROKER_CORE_BRIDGE_H
#define BROKER_CORE_BRIDGE_H

#include "broker/bridge.h"
#include "broker/core/conn.h"

struct bridge;
struct mqtt_publish;
struct session;

struct bridge_io {
    /* A connection of bridge_connect() ended; `why` is for the log.  `at_once`: the other side may
     * like the next attempt better.  Called from inside conn.c: start a timer, nothing else. */
    void (*down)(void *ctx, const char *why, bool at_once);
    void (*up)(void *ctx); /* it was accepted */
    void *ctx;
};

/* Makes the bridge and its Session, after broker_restore().
 *
 * cfg   kept until broker_free(), which frees the bridge.
 * *out  lent.
 * Errors: MD_INVAL (a topic that makes no Topic Filter), MD_EXIST (local_id is another bridge's or
 * in use), MD_NOMEM. */
MD_MUST_USE int bridge_new(struct bridge **out, struct broker *b, const struct bridge_config *cfg,
                           struct bridge_io io);

/* A transport to the other broker is there: *out is its conn, whose first output is CONNECT.  At
 * most one at a time.  Errors: MD_NOMEM. */
MD_MUST_USE int bridge_connect(struct bridge *g, const struct conn_peer *peer, struct conn_io io,
                               struct conn **out);
/* Says goodbye to the other side and ends the connection, if there is one. */
void bridge_disconnect(struct bridge *g, const char *why);

unsigned bridge_waiting(const struct bridge *g); /* messages that wait for a connection       */
uint64_t bridge_idle_ms(const struct bridge *g); /* since the last message either way         */

#endif

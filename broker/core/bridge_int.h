/* bridge_int.h - struct bridge, for bridge.c, the c_*.c and the few places of the core that have to
 * know about bridges. */
#ifndef BROKER_CORE_BRIDGE_INT_H
#define BROKER_CORE_BRIDGE_INT_H

#include "broker/base/buf.h"
#include "broker/core/bridge.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"

struct bridge {
    struct list link; /* in broker->bridges */
    struct broker *broker;
    const struct bridge_config *cfg;
    struct bridge_io io;
    struct session *session; /* NULL: local_clean and away */
    struct conn *conn;       /* NULL: away                 */
    char *state_topic;       /* NULL: no notifications     */
    uint32_t origin;         /* message->origin of what comes in over it */
    uint64_t busy_ms;        /* when the last message went either way    */
    uint64_t said_ms;        /* when a loss was last logged; 0 = never */
    struct buf name;         /* scratch: the other name of a topic */
    bool plain;              /* the next CONNECT goes without the private bit */
    bool refused;            /* for another reason than that bit */
    bool pinged;             /* PINGREQ is unanswered */
};

/* bridge.c, for conn.c: the connection is closing, and before that was open or not. */
void bridge_closed(struct conn *c, bool was_open, const char *why);
void bridges_free(struct broker *b); /* no conn is left */
/* Does the Client Identifier belong to a bridge? */
bool bridge_has_id(const struct broker *b, struct span client_id);
/* With the private bit the client is a bridge of somebody else's: it gets RETAIN as published, and
 * nothing that it sent itself. */
void bridge_serve_peer(struct session *s, bool private_bit);
/* A message of the Session is about to be routed: where it came in, and whether it goes round. */
void bridge_mark(const struct session *s, struct message *m);
/* The Session is a bridge's, and the message came in over it or goes round. */
static inline bool bridge_echoes(const struct session *s, const struct message *m)
{
    return s->origin != 0 && (s->origin == m->origin || m->loops);
}

/* c_packets.c: one packet of the other broker; as the h_*.c. */
int bridge_handle(struct conn *c, struct span packet, const char **why);
/* c_connect.c */
int bridge_send_connect(struct conn *c);
int bridge_on_connack(struct conn *c, const struct mqtt_connack_packet *p, const char **why);

/* bridge.c: opens the Session for a connection, subscribes it here. */
MD_MUST_USE int bridge_attach(struct bridge *g, struct conn *c);
/* Retained Messages go out again: the other side may have lost them. */
MD_MUST_USE int bridge_replay(struct bridge *g);
/* bridge_notify.c: "1" or "0". */
int bridge_notify_topic(struct bridge *g);
void bridge_notify(struct bridge *g, bool up);
int bridge_notify_remote(struct conn *c, bool up);

#endif

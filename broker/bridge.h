/* bridge.h - what a bridge is, in mosquitto.conf's words: for tools/, broker/core and broker/net.
 *
 * A bridge is a Session of this broker whose network connection we open ourselves, to another
 * broker, as its client.  Data only. */
#ifndef BROKER_BRIDGE_H
#define BROKER_BRIDGE_H

#include "broker/broker.h"

enum bridge_direction { BRIDGE_OUT = 1, BRIDGE_IN = 2, BRIDGE_BOTH = 3 };

struct bridge_topic {
    const char *pattern; /* a Topic Filter without its prefixes; NULL or "": the prefixes alone,
                            one topic for another                                      */
    unsigned direction;  /* enum bridge_direction                                         */
    unsigned qos;        /* 0..2                                                          */
    const char *local;   /* put before the pattern here; NULL or "" = nothing             */
    const char *remote;  /* and there                                                     */
};

struct bridge_config {
    const char *name;
    const char *local_id, *remote_id; /* Client Identifiers of both ends               */
    const char *username, *password;  /* NULL = none                                   */
    const struct bridge_topic *topics;
    size_t n_topics;
    unsigned level; /* 3 or 4                                        */
    unsigned keepalive_s;
    bool clean_session;       /* of the remote Session                                   */
    bool local_clean;         /* nothing is queued here while it is away                 */
    bool lazy;                /* QoS 0 waits too: it is what makes it connect            */
    bool try_private;         /* bit 7 of the level, which mosquitto takes for a bridge  */
    bool attempt_unsubscribe; /* of what only goes out                                   */
    bool outgoing_retain;     /* false: RETAIN is taken off                              */
    bool notify, notify_local_only;
    const char *notification_topic; /* NULL = $SYS/broker/connection/<remote_id>/state   */
    size_t max_packet_size;         /* larger messages do not go out; 0 = no limit       */
};

#endif

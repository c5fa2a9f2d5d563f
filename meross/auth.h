/* auth.h - who is a plug, and who may use which topic.  Pure.
 *
 *   a plug      client id "fmware:<uuid>[_tail]", user = its MAC, password "<userId>_<md5>"; any
 *               key will do, because many were paired with a wrong or an empty one.  It
 *               may publish on its own topic and to the vendor's app, and, which hooks.c adds,
 *               where it was asked to answer; and subscribe to its own topic only.
 *   any other   may not publish where only merossd does. */
#ifndef MEROSS_AUTH_H
#define MEROSS_AUTH_H

#include "broker/broker.h"
#include "meross/topics.h"

#define AUTH_CLIENT_ID_MAX 127 /* real ones have 56 */

struct auth_plug { /* spans point into the client */
    struct span uuid, mac;
    int64_t user_id; /* 0 when it sent none */
};

/* False when the CONNECT is not that of a plug; *out is then untouched. */
bool auth_read_plug(const struct broker_client *who, struct auth_plug *out);

bool auth_plug_may(const struct topics *t, struct span own_uuid, enum broker_action what,
                   struct span topic);
bool auth_client_may(const struct topics *t, enum broker_action what, struct span topic);

#endif

/* auth.h - who is a plug, and who may use which topic.  Pure.
 *
 *   a plug      client id "fmware:<uuid>[_tail]", user = its MAC, which is also the end of the
 *               uuid, password "<userId>_<md5>"; any key will do, because many were paired with
 *               a wrong or an empty one.  It has no Will.  It may subscribe to its own topic, and
 *               publish, without RETAIN, on its own, on that of our requests, to apps
 *               ("/app/..."), and where it was asked to answer lately (askers.h); but never
 *               below our base, nor to or in the name of another plug.
 *   any other   may not publish where only merossd does, nor subscribe to where keys are told. */
#ifndef MEROSS_AUTH_H
#define MEROSS_AUTH_H

#include "broker/broker.h"
#include "meross/wire/topics.h"

#define AUTH_CLIENT_ID_MAX 127 /* real ones have 56 */

struct auth_plug { /* spans point into the client */
    struct span uuid, mac;
    int64_t user_id; /* 0 when it sent none */
};

/* False when the CONNECT is not that of a plug; *out is then untouched. */
bool auth_read_plug(const struct broker_client *who, struct auth_plug *out);

/* Does the uuid end in the digits of this MAC?  True also when its end is no MAC at all. */
bool auth_mac_fits(struct span uuid, struct span mac);

/* asked  the plug was asked lately to answer on this topic. */
bool auth_plug_may(const struct topics *t, struct span own_uuid, enum broker_action what,
                   struct span topic, bool asked);
bool auth_client_may(const struct topics *t, enum broker_action what, struct span topic);

#endif

/* mount.h - the option mount_point: what clients of a listener call `x` is `MOUNTx` for everybody
 * else.  Topics get the prefix when a packet comes in and lose it when a message goes out; rights,
 * Sessions and Retained Messages know full names only.  Pure. */
#ifndef BROKER_CORE_MOUNT_H
#define BROKER_CORE_MOUNT_H

#include "broker/base/buf.h"
#include "broker/base/err.h"
#include "broker/codec/mqtt.h"
#include "broker/core/message.h"

/* Puts `mount` before every topic and filter of a packet that was decoded.
 *
 * room   where the new names are; empty before, and to be kept as long as *p.
 * Errors: MD_TOOBIG (a name longer than the protocol can carry), MD_NOMEM. */
MD_MUST_USE int mount_packet(struct span mount, struct mqtt_packet *p, struct buf *room);

/* Is the name one that a client behind the mount can say? */
bool mount_reaches(struct span mount, struct span topic);

/* Is the topic of `m` inside, with a name that the client can be told?  A filter that ends in # also
 * selects the level above it, which is outside. */
bool mount_shows(struct span mount, const struct message *m);

/* How many bytes of the topic of `m` the client does not see; 0: all are seen, or none may be. */
size_t mount_hidden(struct span mount, const struct message *m);

#endif

/* shield.h - what may be sent to a plug, whoever sends it.  A payload that was no JSON made a plug
 * click its relay and reboot, a retained request would be obeyed again at every reconnect, and a
 * plug has a few kilobytes of free memory.  Pure.
 *
 *   form      one JSON object that every parser reads alike (strict.h), with one header and one
 *             payload, within shield_max()
 *   header    messageId and sign of 32 lower-case hexadecimal digits, a timestamp, a method that
 *             makes sense toward a plug, a namespace, and a topic for the answer of a request
 *   namespace one of its Ability, once that is known, or one that every plug has
 *   never     a firmware upgrade
 *   not from  strangers: what takes a plug out of the house (Unbind, Config.Key, Config.Wifi,
 *             Config.WifiX, ChangeWiFi, System.Factory, the Unbind of a sub-device)
 *   payload   Control.Multiple has at most as many requests as the plug takes, each by the same
 *             rules; onoff of a relay is 0 or 1, for anything else locks it */
#ifndef MEROSS_SHIELD_H
#define MEROSS_SHIELD_H

#include "meross/device/device.h"
#include "meross/wire/envelope.h"

#define SHIELD_FROM_MAX 127 /* bytes of the topic for the answer */

enum shield_sender {
    SHIELD_STRANGER, /* any client                                              */
    SHIELD_ANSWER,   /* a client that answers what the plug itself sent: its Ability
                        need not list that                                      */
    SHIELD_OURSELVES
};

/* The largest message for this device: ENVELOPE_TO_PLUG_MAX; hubs, whose lists name every
 * sub-device and whose memory is larger, ENVELOPE_TO_HUB_MAX. */
size_t shield_max(const struct device *d);

/* Reads a message.  NULL: *out is given, envelope_free().  Otherwise the reason, for people; lent,
 * static. */
const char *shield_read(struct envelope *out, struct span text, size_t max);

/* NULL: the device may get it.  Otherwise the reason; lent, static. */
const char *shield_objection(const struct envelope *e, const struct device *d,
                             enum shield_sender by);

#endif

/* lan.h - a plug that has no connection to us, or does not answer in it, asked over the LAN:
 * http://ADDRESS/config.
 *
 * Its session is a struct plug like any other, but what is sent to it goes over HTTP and is answered
 * there; so whatever asks a plug (command.h) may ask it here.  It begins with System.All, because an
 * address may be another plug's by now: nothing else is sent before the plug has shown its uuid and
 * signed with its key, which is more than to send back a signature of ours.  Messages are sealed (lan_seal.h) where the plug wants that.
 *
 * One exchange at a time for each plug, LAN_EXCHANGES of all; only to addresses of the house
 * (lan_address.h).  The session ends when it was not used for a while, and when the plug
 * connects. */
#ifndef MEROSS_LAN_H
#define MEROSS_LAN_H

#include "meross/session/command.h"

#define LAN_EXCHANGES 4
#define LAN_PORT      80
#define LAN_IDLE_MS   30000 /* so long a session is kept without use */
#define LAN_RETRY_MS  60000 /* so long people are told "offline" at once after it did not answer */

/* Could it be asked so: is there a way, an address, and a key? */
bool lan_possible(const struct meross *m, const struct device *d);

/* Where requests for this plug go: its connection when it answers there, else its session over the
 * LAN, which is begun when there is none.
 *
 * again  also when it has not answered lately.
 * NULL: it cannot be reached at all.  Lent until its session ends. */
struct plug *lan_plug(struct meross *m, struct device *d, bool again);

/* The session that a device answers in: its connection or the one over the LAN; NULL: none. */
struct plug *lan_voice(const struct device *d);

/* plug_send() for a session over the LAN. */
void lan_send(struct plug *p, struct span message);

/* The plug is connected, or forgotten: what is asked over the LAN ends with MD_CLOSED. */
void lan_leave(struct device *d);

/* Before the end: every session ends; exchanges that are under way are nobody's. */
void lan_stop(struct meross *m);

#endif

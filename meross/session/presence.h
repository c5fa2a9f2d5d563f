/* presence.h - is a plug there?  What people are told of it, without each hiccup of a Wi-Fi.
 *
 *   online    it is bound (plug.c says so at once)
 *   away      its connection ended less than meross_config.offline_delay_s ago: people still read
 *             "online", and what they ask waits for it as long as an answer may take
 *   offline   it has been away for longer
 *
 * A plug that connects again and ends again without having been bound is away all the time. */
#ifndef MEROSS_PRESENCE_H
#define MEROSS_PRESENCE_H

#include "meross/session/command.h"

#define PRESENCE_WAIT_MAX 64 /* requests that wait for plugs that are away */

/* Its connection ended: people are told, now or later. */
void presence_lost(struct meross *m, struct device *d, const char *why);

/* It is bound: the time that it may be away begins anew. */
void presence_back(struct device *d);

/* Is it away, and may be back any moment? */
bool presence_away(const struct device *d);

/* As command_send() to the plug of `d`.  When that is away, the request waits until it connects, and
 * ends with MD_CLOSED when it is offline, or at its deadline.
 * Errors: as command_send(), and MD_FULL when PRESENCE_WAIT_MAX wait. */
MD_MUST_USE int presence_send(struct meross *m, struct device *d, const struct command_ask *ask);

/* The plug is connected again: what waits for it may go. */
void presence_connected(struct plug *p);

/* Forgets the plug and its record; what waits for it ends with MD_CLOSED. */
void presence_remove(struct meross *m, struct device *d);

/* Another delay, from now on. */
void presence_set_delay(struct meross *m, unsigned seconds);

/* Before the end: whoever waits is told, nothing more happens by itself. */
void presence_stop(struct meross *m);

#endif

/* watchdog.h - plugs that lost their way to the broker are shown it again.
 *
 * Some plugs give up: they stay in the Wi-Fi and never connect again until somebody unplugs them.  One
 * that has been offline, or connected without answering, for WATCHDOG_FIRST_S is asked over the LAN
 * (lan.h).  If it answers, it is told once more the broker that it knows already (Config.Key with the
 * server, the port and the key it has), which makes it connect.  One that has been given another
 * broker meanwhile is left alone.  It is asked again after pauses that double, up to
 * WATCHDOG_PAUSE_MAX_S. */
#ifndef MEROSS_WATCHDOG_H
#define MEROSS_WATCHDOG_H

#include "meross/meross_int.h"

#define WATCHDOG_TICK_S      20
#define WATCHDOG_FIRST_S     180
#define WATCHDOG_PAUSE_S     300
#define WATCHDOG_PAUSE_MAX_S (4 * 3600)

void watchdog_start(struct meross *m); /* nothing happens before meross_attach() */
void watchdog_stop(struct meross *m);

/* The plug is forgotten. */
void watchdog_drop(struct meross *m, const struct device *d);

#endif

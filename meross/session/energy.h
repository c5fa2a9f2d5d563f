/* energy.h - the power and energy of a plug: what it says goes into its ledgers and its facts. */
#ifndef MEROSS_SESSION_ENERGY_H
#define MEROSS_SESSION_ENERGY_H

#include "meross/session/plug.h"

#define ENERGY_WATCH_S 120 /* so long somebody who asked is taken to be watching */

/* The abilities that tell how a device meters; false: it does not. */
bool energy_meters(const struct device *d);

/* Somebody looks at this plug, or something about it just changed: for ENERGY_WATCH_S its power is
 * asked for every ten seconds rather than each minute.  NULL is fine. */
void energy_watch(struct plug *p);

/* What it has counted is asked for now, unless that was done in the last minute.  NULL is fine. */
void energy_count(struct plug *p);

bool energy_watched(const struct plug *p);

struct ledger_now energy_now(const struct meross *m); /* zone lent by m */

#endif

/* clockwatch.h - the clock of this host: whether it knows the time (meross_clock_sane() in
 * meross_int.h), and whether it was set, by NTP that came late or by hand.  Plugs that are connected
 * are told then; those that are not learn it when they come. */
#ifndef MEROSS_CLOCKWATCH_H
#define MEROSS_CLOCKWATCH_H

#include "meross/meross_int.h"

/* Compares the wall clock with the monotonic one; called at the start, and about each minute. */
void clockwatch_start(struct meross *m);
void clockwatch_look(struct meross *m);
void clockwatch_stop(struct meross *m);

/* Every plug is asked which time and zone it has, and told another when that is wrong, however
 * lately it was told one. */
void clockwatch_tell(struct meross *m);

#endif

/* setup.h - what a plug is asked by ourselves: once it is bound, its abilities and its state, one
 * request at a time; then its state every five minutes, which is the heartbeat, refreshes the
 * registry and notices a time table that runs out. */
#ifndef MEROSS_SETUP_H
#define MEROSS_SETUP_H

#include "meross/session/plug.h"

#define SETUP_POLL_S 300

void setup_start(struct plug *p); /* p is bound and its key is known; only the first call counts */
void setup_poll(struct plug *p);  /* asks for its state now                                     */

#endif

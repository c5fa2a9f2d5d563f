/* probe.h - the plug that is none: a tool connects as one with a uuid of zeros to see whether
 * whoever listens at an address answers Bind, before it points a plug there.  Its Bind is answered
 * as any; it is never registered, announced or counted, and nothing else that it says is heard. */
#ifndef MEROSS_PROBE_H
#define MEROSS_PROBE_H

#include "meross/session/plug.h"

bool probe_is(struct span uuid);

/* It published something. */
void probe_message(struct plug *p, struct span payload);

#endif

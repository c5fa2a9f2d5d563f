/* apps.h - what programs that act like the vendor's app expect of its cloud: every push of a plug also
 * on /app/<userId>/subscribe, byte by byte, and there a System.Online when the plug comes and
 * goes.  What they ask, and the answers, go without us (foreign.h). */
#ifndef MEROSS_APPS_H
#define MEROSS_APPS_H

#include "meross/session/plug.h"

void apps_push(const struct plug *p, const struct envelope *e);

/* The plug came (true) or went. */
void apps_online(struct meross *m, const struct device *d, bool online);

#endif

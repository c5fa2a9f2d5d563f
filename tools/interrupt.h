/* interrupt.h - Ctrl-C for a program that has to clean up: SIGINT, SIGTERM, SIGHUP and, when nobody
 * reads its output any more, SIGPIPE are held back and asked for.  No handler, so nothing happens
 * at a moment that was not chosen. */
#ifndef TOOLS_INTERRUPT_H
#define TOOLS_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct interrupt {
    sigset_t before;
};

void interrupt_hold(struct interrupt *i);
bool interrupt_came(void); /* between hold and release: was one sent?  It stays so. */

/* Forgets those that came, and lets the next ones through. */
void interrupt_release(const struct interrupt *i);

#endif

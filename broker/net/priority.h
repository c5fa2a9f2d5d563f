/* priority.h - which of our threads the system prefers.
 *
 * The loop serves everybody, a worker of the thread pool one client: when there are not enough
 * cores for all, workers wait. */
#ifndef BROKER_NET_PRIORITY_H
#define BROKER_NET_PRIORITY_H

#if defined(__linux__)
#include <sys/resource.h>

#define PRIORITY_STEP 10 /* as in nice(1) */

/* Call it on the loop's thread: the priority for workers. */
static inline int priority_below(void) { return getpriority(PRIO_PROCESS, 0) + PRIORITY_STEP; }

/* Of the calling thread, for good: in Linux each has its own. */
static inline void priority_set(int priority) { (void)setpriority(PRIO_PROCESS, 0, priority); }
#else
static inline int priority_below(void) { return 0; }
static inline void priority_set(int priority) { (void)priority; } /* it would be the process's */
#endif

#endif

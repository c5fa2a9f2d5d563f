/* trim.h - gives freed memory back to the system, where the allocator has to be asked.
 *
 * glibc keeps what was freed below something that still lives; after a flood that is all of it. */
#ifndef BROKER_NET_TRIM_H
#define BROKER_NET_TRIM_H

#include <stdlib.h> /* tells which C library this is */

#if defined(__GLIBC__)
#include <malloc.h>
static inline void trim_memory(void) { (void)malloc_trim(0); }
/* One heap for all threads, called before there is a second one: each with its own would keep what
 * handshakes needed at their worst, and each hold pieces of what outlives them. */
static inline void trim_prepare(void) { (void)mallopt(M_ARENA_MAX, 1); }
#else
static inline void trim_memory(void) {}
static inline void trim_prepare(void) {}
#endif

#endif

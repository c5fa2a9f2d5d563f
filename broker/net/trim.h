/* trim.h - gives freed memory back to the system, where the allocator has to be asked.
 *
 * glibc keeps what was freed below something that still lives; after a flood that is all of it. */
#ifndef BROKER_NET_TRIM_H
#define BROKER_NET_TRIM_H

#include <stdlib.h> /* tells which C library this is */

#if defined(__GLIBC__)
#include <malloc.h>
static inline void trim_memory(void) { (void)malloc_trim(0); }
/* Called before there is a second thread.  One heap for all of them: each with its own would keep
 * what handshakes needed at their worst, and hold pieces of what outlives them.  The heap grows by
 * what is asked for and no more: calloc() then knows new pages to be zero and leaves them alone,
 * and of the buffers of a TLS connection most is never touched.  Setting that ends the
 * adjustment of the other two, so that is done here, for large messages. */
static inline void trim_prepare(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TOP_PAD, 0);
    (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 8 << 20);
}
#else
static inline void trim_memory(void) {}
static inline void trim_prepare(void) {}
#endif

#endif

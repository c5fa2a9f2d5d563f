/* trim.h - gives freed memory back to the system, where the allocator has to be asked.
 *
 * glibc keeps what was freed below something that still lives; after a flood that is all of it. */
#ifndef BROKER_NET_TRIM_H
#define BROKER_NET_TRIM_H

#include <stdlib.h> /* tells which C library this is */

#if defined(__GLIBC__)
#include "broker/base/mem.h"

#include <malloc.h>
#include <uv.h>

#define TRIM_SIZES 64 /* small pieces, 16 bytes apart, of which each thread keeps ... */
#define TRIM_KEPT  7  /* ... so many that were freed, unless it ends */

static inline void trim_free_all(void *arg)
{
    void **piece = arg;
    for (unsigned i = 0; i < TRIM_SIZES * TRIM_KEPT; i++)
        mem_free(piece[i]);
}

/* What this thread keeps of freed pieces lies anywhere, and holds a page each: after 500 clients
 * over TLS that was 700 KB.  So all of it is taken, and another thread frees it and ends. */
static inline void trim_thread(void)
{
    void *piece[TRIM_SIZES * TRIM_KEPT];
    uv_thread_t other;
    for (unsigned i = 0; i < TRIM_SIZES * TRIM_KEPT; i++)
        piece[i] = mem_alloc_raw(24 + i / TRIM_KEPT * 16);
    if (uv_thread_create(&other, trim_free_all, piece) == 0)
        (void)uv_thread_join(&other);
    else
        trim_free_all(piece);
}

static inline void trim_memory(void)
{
    trim_thread();
    (void)malloc_trim(0);
}
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

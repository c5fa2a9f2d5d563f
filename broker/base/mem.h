/* mem.h - the only place that calls the allocator.
 *
 * Every function here may return NULL, except mem_need(): callers outside
 * start-up handle that by returning MD_NOMEM.  The counters are atomic, because
 * the thread pool (TLS handshakes, disk) allocates too; everything else in the
 * program is single-threaded. */
#ifndef BROKER_BASE_MEM_H
#define BROKER_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);                /* zeroed; given: mem_free()                      */
void *mem_alloc_raw(size_t n);            /* not zeroed, for bytes written at once; given   */
void *mem_calloc(size_t count, size_t n); /* zeroed; NULL when count * n overflows; given   */
void *mem_realloc(void *p, size_t n);     /* what was added is not zeroed; p stays on NULL  */
void *mem_dup(const void *p, size_t n);   /* given                                          */
char *mem_strdup(const char *s);          /* given                                          */
void mem_free(void *p);                   /* NULL is fine                                   */
void mem_wipe(void *p, size_t n);         /* for secrets; never optimised away              */

/* For start-up only: prints what the memory was for and exits with status 1. */
void *mem_need(size_t n, const char *what);

size_t mem_used(void); /* bytes now allocated through here, allocator padding included */

/* Tests: the n-th next call (1 = the very next) and all after it return NULL;
 * a negative n switches that off.  Returns what was left before. */
long mem_fail_after(long n);

#endif

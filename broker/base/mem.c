#include "broker/base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* File-scope state, because the heap is one: the accounting itself. */
static atomic_size_t used;
static atomic_long fail_after = -1;

static int must_fail(void)
{
    long left = atomic_load_explicit(&fail_after, memory_order_relaxed);
    if (left < 0)
        return 0;
    if (left <= 1)
        return 1;
    atomic_store_explicit(&fail_after, left - 1, memory_order_relaxed);
    return 0;
}

static void *counted(void *p)
{
    if (p != NULL)
        atomic_fetch_add_explicit(&used, malloc_usable_size(p), memory_order_relaxed);
    return p;
}

static void uncount(void *p)
{
    if (p != NULL)
        atomic_fetch_sub_explicit(&used, malloc_usable_size(p), memory_order_relaxed);
}

void *mem_alloc(size_t n) { return mem_calloc(1, n); }

void *mem_alloc_raw(size_t n) { return must_fail() ? NULL : counted(malloc(n ? n : 1)); }

void *mem_calloc(size_t count, size_t n)
{
    return must_fail() ? NULL : counted(calloc(count ? count : 1, n ? n : 1));
}

void *mem_realloc(void *p, size_t n)
{
    if (must_fail())
        return NULL;
    size_t before = p ? malloc_usable_size(p) : 0;
    void *q = realloc(p, n ? n : 1);
    if (q != NULL)
        atomic_fetch_sub_explicit(&used, before, memory_order_relaxed);
    return counted(q);
}

void *mem_dup(const void *p, size_t n)
{
    void *q = mem_alloc_raw(n);
    if (q != NULL && n > 0)
        memcpy(q, p, n);
    return q;
}

char *mem_strdup(const char *s) { return mem_dup(s, strlen(s) + 1); }

void mem_free(void *p)
{
    uncount(p);
    free(p);
}

void mem_wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}

void *mem_need(size_t n, const char *what)
{
    void *p = mem_alloc(n);
    if (p == NULL) {
        fprintf(stderr, "merossd: out of memory for %s (%zu bytes)\n", what, n);
        exit(1);
    }
    return p;
}

size_t mem_used(void) { return atomic_load_explicit(&used, memory_order_relaxed); }

long mem_fail_after(long n)
{
    return atomic_exchange_explicit(&fail_after, n, memory_order_relaxed);
}

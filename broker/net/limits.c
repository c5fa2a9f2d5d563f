/* limits.c - what the computer has to give: file numbers, cores and memory. */
#include "broker/base/mem.h"
#include "broker/net/server_int.h"
#include "broker/net/trim.h"

#include <sys/resource.h>

#define FILES_WANTED 65536 /* as many as the system allows, up to this         */
#define FILES_KEPT   16    /* for the store, certificates and a configuration  */
#define MINUTE_MS    60000
#define TRIM_BYTES   ((size_t)64 << 10) /* worth asking the allocator for */
#define SHRINK_S     5u

bool seldom(struct seldom *s, uint64_t now_ms, unsigned *n)
{
    s->n++;
    if (s->next_ms != 0 && now_ms < s->next_ms)
        return false;
    *n = s->n;
    s->n = 0;
    s->next_ms = now_ms + MINUTE_MS;
    return true;
}

/* The kernel gives the lowest free number, so a high one means that few are left. */
void limits_files(struct server *s)
{
    struct rlimit r;
    s->max_fd = FILES_WANTED - FILES_KEPT;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    rlim_t want = r.rlim_max < FILES_WANTED ? r.rlim_max : FILES_WANTED;
    if (r.rlim_cur < want) {
        r.rlim_cur = want;
        (void)setrlimit(RLIMIT_NOFILE, &r); /* without it, what there is */
        (void)getrlimit(RLIMIT_NOFILE, &r);
    }
    if (r.rlim_cur < FILES_WANTED)
        s->max_fd = (int)r.rlim_cur - FILES_KEPT;
}

unsigned limits_cores(void)
{
    unsigned n = uv_available_parallelism();
    return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : n;
}

void limits_turn(struct server *s)
{
    size_t now = mem_used();
    if (now > s->burden.bytes)
        s->burden.bytes = now;
}

static void shrink(struct server *s)
{
    broker_shrink(s->broker);
    LIST_EACH (it, &s->holders)
        tls_ctx_shrink(LIST_OF(it, struct tls_holder, link)->ctx);
}

/* A flood must not have ended before it is cleaned up behind: it may never. */
void limits_memory(struct server *s)
{
    struct burden *b = &s->burden;
    if (b->seconds++ % SHRINK_S == 0)
        shrink(s);
    bool ended = workers_rest(&s->workers); /* what the C library kept for them is free */
    size_t now = mem_used();
    if (b->bytes < now + TRIM_BYTES && b->streams == 0 && !ended)
        return;
    b->bytes = now;
    b->streams = 0;
    trim_memory();
}

#include "broker/core/timers.h"

#include "broker/base/mem.h"

#define FIRST 16u /* places of the first allocation */

void timers_free(struct timers *h)
{
    for (size_t i = 1; i <= h->n; i++)
        h->v[i]->slot = 0;
    mem_free(h->v);
    *h = (struct timers){0};
}

static void put(struct timers *h, size_t slot, struct timer *t)
{
    h->v[slot] = t;
    t->slot = slot;
}

static void sift(struct timers *h, struct timer *t)
{
    size_t i = t->slot;
    for (; i > 1 && h->v[i / 2]->due_ms > t->due_ms; i /= 2)
        put(h, i, h->v[i / 2]);
    for (;;) {
        size_t child = i * 2;
        if (child < h->n && h->v[child + 1]->due_ms < h->v[child]->due_ms)
            child++;
        if (child > h->n || h->v[child]->due_ms >= t->due_ms)
            break;
        put(h, i, h->v[child]);
        i = child;
    }
    put(h, i, t);
}

static int resize(struct timers *h, size_t cap)
{
    struct timer **v = mem_realloc(h->v, cap * sizeof *v);
    if (v == NULL)
        return MD_NOMEM;
    h->v = v;
    h->cap = cap;
    return MD_OK;
}

void timers_shrink(struct timers *h)
{
    size_t cap = FIRST;
    while (cap < h->n + 1)
        cap *= 2;
    if (cap <= h->cap / 4)     /* not at once again */
        (void)!resize(h, cap); /* without memory it stays as it is */
}

int timers_start(struct timers *h, struct timer *t, uint64_t due_ms)
{
    if (t->slot == 0) {
        if (h->n + 1 >= h->cap) {
            int err = resize(h, h->cap ? h->cap * 2 : FIRST);
            if (err != MD_OK)
                return err;
        }
        put(h, ++h->n, t);
    }
    t->due_ms = due_ms;
    sift(h, t);
    return MD_OK;
}

void timers_stop(struct timers *h, struct timer *t)
{
    size_t slot = t->slot;
    if (slot == 0)
        return;
    t->slot = 0;
    struct timer *last = h->v[h->n--];
    if (last == t)
        return;
    put(h, slot, last);
    sift(h, last);
}

uint64_t timers_next(const struct timers *h) { return h->n == 0 ? UINT64_MAX : h->v[1]->due_ms; }

void timers_turn(struct timers *h, uint64_t now_ms)
{
    /* A timer that starts itself again for now must not keep us here for ever. */
    for (size_t budget = h->n; budget > 0 && timers_next(h) <= now_ms; budget--) {
        struct timer *t = h->v[1];
        timers_stop(h, t);
        t->fire(t);
    }
}

#include "meross/device/askers.h"

#include "broker/base/mem.h"

/* The place of this topic, or that of the oldest. */
static unsigned place_of(const struct askers *a, const char *topic)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < ASKERS_MAX; i++) {
        if (a->v[i].topic != NULL && strcmp(a->v[i].topic, topic) == 0)
            return i;
        if (a->v[i].until_ms < a->v[oldest].until_ms)
            oldest = i;
    }
    return oldest;
}

void askers_note(struct askers *a, const char *topic, uint64_t now_ms)
{
    if (a->v == NULL && (a->v = mem_calloc(ASKERS_MAX, sizeof *a->v)) == NULL)
        return;
    unsigned i = place_of(a, topic);
    if (a->v[i].topic == NULL || strcmp(a->v[i].topic, topic) != 0) {
        mem_free(a->v[i].topic);
        a->v[i].topic = mem_strdup(topic);
    }
    a->v[i].until_ms = a->v[i].topic != NULL ? now_ms + ASKERS_VALID_MS : 0;
}

bool askers_have(const struct askers *a, struct span topic, uint64_t now_ms)
{
    for (unsigned i = 0; a->v != NULL && i < ASKERS_MAX; i++)
        if (a->v[i].topic != NULL && a->v[i].until_ms > now_ms && span_is(topic, a->v[i].topic))
            return true;
    return false;
}

void askers_clear(struct askers *a)
{
    for (unsigned i = 0; a->v != NULL && i < ASKERS_MAX; i++)
        mem_free(a->v[i].topic);
    mem_free(a->v);
    *a = (struct askers){0};
}

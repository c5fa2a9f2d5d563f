#include "meross/device/subdevs.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"

#define MINUTE_MS 60000

struct subdev *subdevs_find(const struct subdevs *s, const char *id)
{
    for (unsigned i = 0; i < s->n; i++)
        if (text_eq_nocase(span_str(s->v[i].id), span_str(id)))
            return &s->v[i];
    return NULL;
}

static bool begins_nocase(const char *id, struct span ref)
{
    struct span all = span_str(id);
    return ref.n > 0 && ref.n <= all.n && text_eq_nocase(span_of(all.p, ref.n), ref);
}

struct subdev *subdevs_named(const struct subdevs *s, struct span ref)
{
    struct subdev *found = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < s->n; i++) {
        struct subdev *it = &s->v[i];
        if (text_eq_nocase(span_str(it->id), ref) ||
            (it->name[0] != '\0' && text_eq_nocase(span_str(it->name), ref)))
            return it;
        if (begins_nocase(it->id, ref)) {
            found = it;
            n++;
        }
    }
    return n == 1 ? found : NULL;
}

static bool make_room(struct subdevs *s)
{
    if (s->n == SUBDEVS_MAX)
        return false;
    if (s->n < s->cap)
        return true;
    unsigned cap = s->cap == 0 ? 4 : 2 * s->cap;
    struct subdev *v = mem_realloc(s->v, cap * sizeof *v);
    if (v == NULL)
        return false;
    s->v = v;
    s->cap = cap;
    return true;
}

struct subdev *subdevs_add(struct subdevs *s, const char *id)
{
    struct subdev *it = subdevs_find(s, id);
    if (it != NULL)
        return it;
    struct subdev made = {.online = -1, .on = -1, .number = s->next};
    if (!span_to_str(span_str(id), made.id, sizeof made.id) || id[0] == '\0' || !make_room(s))
        return NULL;
    s->next++;
    s->v[s->n] = made;
    return &s->v[s->n++];
}

bool subdevs_may_wake(struct subdev *it, uint64_t now_ms)
{
    if (it->wakes == 0 || now_ms >= it->wakes_ms + MINUTE_MS) {
        it->wakes = 0;
        it->wakes_ms = now_ms;
    }
    if (it->wakes == SUBDEVS_WAKES)
        return false;
    it->wakes++;
    return true;
}

void subdevs_remove(struct subdevs *s, struct subdev *it)
{
    size_t i = (size_t)(it - s->v);
    s->n--;
    memmove(s->v + i, s->v + i + 1, (s->n - i) * sizeof *s->v);
}

void subdevs_clear(struct subdevs *s)
{
    mem_free(s->v);
    *s = (struct subdevs){.n = 0};
}

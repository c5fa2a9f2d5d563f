#include "tools/serve/zonewatch.h"

#include "broker/base/mem.h"

int zonewatch_start(struct zonewatch *w, const struct hostzone_places *places)
{
    w->has_seen = false;
    return hostzone_find(&w->zone, places, w->what);
}

static bool take(struct zonewatch *w, const struct zone *now, const char *what, int64_t now_s,
                 bool sure)
{
    bool same = hostzone_same(now, &w->zone, now_s);
    bool again = w->has_seen && hostzone_same(now, &w->seen, now_s);
    w->has_seen = !same && !again && !sure;
    if (w->has_seen)
        w->seen = *now;
    if (same || w->has_seen)
        return false;
    w->zone = *now;
    memcpy(w->what, what, sizeof w->what);
    return true;
}

bool zonewatch_look(struct zonewatch *w, const struct hostzone_places *places, int64_t now_s,
                    bool sure)
{
    char what[HOSTZONE_WHAT_MAX] = "";
    struct zone *now = mem_alloc(sizeof *now);
    if (now == NULL)
        return false; /* the next look is as good */
    bool changed = hostzone_find(now, places, what) == MD_OK && take(w, now, what, now_s, sure);
    mem_free(now);
    return changed;
}

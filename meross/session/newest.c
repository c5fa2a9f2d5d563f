#include "meross/session/newest.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/family/family.h"
#include "meross/session/plug.h"
#include "meross/wire/namespaces.h"

#include <stdlib.h>

static bool is(const struct envelope *e, const char *ns, enum envelope_method method)
{
    return e->method == method && strcmp(e->ns, ns) == 0;
}

/* The plug was told the time, or is about to be. */
static bool sets_clock(const struct envelope *e)
{
    return is(e, NS_TIME, ENVELOPE_SETACK) || is(e, NS_TIME, ENVELOPE_PUSH) ||
           is(e, NS_CLOCK, ENVELOPE_PUSH);
}

/* The state it is about, as a static string; NULL: none. */
static const char *subject_of(const struct envelope *e)
{
    static const char *const relays[] = {NS_TOGGLEX, NS_TOGGLE};
    bool ack = e->method == ENVELOPE_SETACK;
    if (is(e, NS_ALL, ENVELOPE_GETACK))
        return NS_ALL;
    if (!ack && e->method != ENVELOPE_PUSH && e->method != ENVELOPE_GETACK)
        return NULL;
    for (size_t i = 0; i < sizeof relays / sizeof relays[0]; i++)
        if (strcmp(e->ns, relays[i]) == 0)
            return relays[i];
    return family_orders(e->ns, ack);
}

static bool read_stamp(const struct envelope *e, struct newest_stamp *out)
{
    int64_t ms;
    out->ms = -1;
    if (e->timestamp[0] == '\0' || strlen(e->timestamp) > 12)
        return false;
    out->s = strtoll(e->timestamp, NULL, 10);
    if (json_int(json_get(e->header, "timestampMs"), &ms) && ms >= 0 && ms <= 999)
        out->ms = (int)ms;
    return true;
}

static bool is_older(const struct newest_stamp *a, const struct newest_stamp *b)
{
    return a->s < b->s || (a->s == b->s && a->ms >= 0 && b->ms >= 0 && a->ms < b->ms);
}

static bool in_all(const char *ns)
{
    return strcmp(ns, NS_TOGGLEX) == 0 || strcmp(ns, NS_TOGGLE) == 0 || family_in_digest(ns);
}

/* System.All tells many states, so it is compared with each of those, and each with it. */
static bool concerns(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (strcmp(a, NS_ALL) == 0 && in_all(b)) ||
           (strcmp(b, NS_ALL) == 0 && in_all(a));
}

static const struct newest_stamp *newer_than(const struct newest *n, const struct newest_stamp *it)
{
    for (unsigned i = 0; i < n->n; i++)
        if (concerns(it->ns, n->v[i].ns) && is_older(it, &n->v[i]))
            return &n->v[i];
    return NULL;
}

/* Most plugs have two or three. */
static bool make_room(struct newest *n)
{
    if (n->n < n->cap)
        return true;
    struct newest_stamp *v = mem_realloc(n->v, (n->cap + 2) * sizeof *v);
    if (v == NULL)
        return false;
    n->v = v;
    n->cap += 2;
    return true;
}

static void begin_anew(struct newest *n) { n->n = n->late = 0; }

static void note(struct newest *n, const struct newest_stamp *it)
{
    unsigned i = 0;
    while (i < n->n && strcmp(n->v[i].ns, it->ns) != 0)
        i++;
    if (i == NEWEST_MAX || (i == n->n && !make_room(n)))
        return;
    n->v[i] = *it;
    n->n += i == n->n;
}

bool newest_take(struct plug *p, const struct envelope *e)
{
    struct newest *n = &p->newest;
    struct newest_stamp it = {.ns = subject_of(e)};
    if (sets_clock(e))
        begin_anew(n);
    if (it.ns == NULL || !read_stamp(e, &it))
        return true;
    const struct newest_stamp *newer = newer_than(n, &it);
    n->late = newer == NULL ? 0 : n->late + 1;
    if (newer != NULL && (n->late > 1 || newer->s - it.s > NEWEST_JUMP_S)) {
        begin_anew(n);
        newer = NULL;
    }
    if (newer == NULL) {
        note(n, &it);
        return true;
    }
    log_debug("meross", "plug=%s %s %s is older than what is known: its state is read",
              log_q(span_str(p->dev->name)), envelope_method_name(e->method), it.ns);
    return false;
}

void newest_clear(struct newest *n)
{
    mem_free(n->v);
    *n = (struct newest){.n = 0};
}

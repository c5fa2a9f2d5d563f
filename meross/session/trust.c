#include "meross/session/trust.h"

#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/session/presence.h"

bool trust_proves(const struct device *d, enum device_key shown)
{
    if (d->key == DEVICE_KEY_UNKNOWN)
        return true;
    return device_key_is_secret(shown) ||
           (shown != DEVICE_KEY_UNKNOWN && !device_key_is_secret(d->key));
}

/* Somebody with another key, and nobody who knows better is there. */
static bool is_meant(struct plug *p)
{
    if (p->dev == NULL || ++p->strangers < TRUST_STRANGERS)
        return false;
    log_info("meross", "plug=%s addr=%s signs with another key than before",
             log_q(span_str(p->dev->name)), p->address);
    return true;
}

bool trust_message(struct plug *p, const struct envelope *e)
{
    enum device_key kind;
    struct device *d = registry_by_uuid(p->m->registry, span_str(p->uuid));
    (void)keys_detect(&p->m->keys, d, e, &kind);
    bool echo = ids_have(&p->signs, e->sign);
    bool proven = d != NULL && !echo && trust_proves(d, kind);
    if (d == NULL || (p->dev == NULL && (proven || d->plug == NULL)))
        return plug_attach(p, proven) == MD_OK && p->proven;
    p->proven = proven || is_meant(p);
    return p->proven;
}

/* Counts the announced plugs with an unknown key; *oldest is that of them which was away longest,
 * NULL when all are connected. */
static unsigned count_unknown(struct meross *m, struct device **oldest)
{
    unsigned n = 0;
    *oldest = NULL;
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d)) {
        if (!d->announced || d->key != DEVICE_KEY_UNKNOWN)
            continue;
        n++;
        if (d->plug == NULL && (*oldest == NULL || d->last_seen < (*oldest)->last_seen))
            *oldest = d;
    }
    return n;
}

static void forget(struct meross *m, struct device *d, const char *why)
{
    log_info("meross", "plug=%s forgotten: it was away longest, and %s", log_q(span_str(d->name)),
             why);
    announce_event(m, d, "forgotten", NULL, NULL);
    announce_clear(m, d);
    presence_remove(m, d);
    announce_soon(m);
}

void trust_make_room(struct meross *m)
{
    struct device *spare =
        registry_count(m->registry) >= REGISTRY_MAX ? registry_spare(m->registry) : NULL;
    if (spare != NULL)
        forget(m, spare, "the registry is full; nobody had named it, and its key is none of yours");
}

bool trust_may_announce(struct plug *p)
{
    struct device *oldest;
    if (p->dev->announced || p->dev->key != DEVICE_KEY_UNKNOWN ||
        count_unknown(p->m, &oldest) < TRUST_UNKNOWN_MAX)
        return true;
    if (oldest == NULL)
        return false;
    forget(p->m, oldest,
           "there are too many whose key is unknown; add `meross_key KEY` for plugs of yours");
    return true;
}

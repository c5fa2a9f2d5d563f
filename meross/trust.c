#include "meross/trust.h"

#include "broker/base/log.h"
#include "meross/announce.h"

bool trust_proves(const struct device *d, enum device_key shown)
{
    if (d->key == DEVICE_KEY_UNKNOWN)
        return true;
    return shown == DEVICE_KEY_CONFIGURED ||
           (shown != DEVICE_KEY_UNKNOWN && d->key != DEVICE_KEY_CONFIGURED);
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
    (void)keys_detect(&p->m->keys, e, &kind);
    bool proven = d != NULL && trust_proves(d, kind);
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

bool trust_may_announce(struct plug *p)
{
    struct device *oldest;
    if (p->dev->announced || p->dev->key != DEVICE_KEY_UNKNOWN ||
        count_unknown(p->m, &oldest) < TRUST_UNKNOWN_MAX)
        return true;
    if (oldest == NULL)
        return false;
    log_info("meross",
             "plug=%s forgotten: its key is unknown, it was away longest, and there are %d of that "
             "kind; add `meross_key KEY` for plugs of yours",
             log_q(span_str(oldest->name)), TRUST_UNKNOWN_MAX);
    announce_event(p->m, oldest, "forgotten", NULL, NULL);
    announce_clear(p->m, oldest);
    registry_remove(p->m->registry, oldest);
    return true;
}

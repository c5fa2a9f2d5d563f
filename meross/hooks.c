/* hooks.c - the broker's questions and reports, for plugs and for everybody else. */
#include "meross/hooks.h"

#include "broker/base/log.h"
#include "meross/people/control.h"
#include "meross/session/diary.h"
#include "meross/session/door.h"
#include "meross/session/foreign.h"
#include "meross/session/plug.h"
#include "meross/session/presence.h"
#include "meross/wire/text.h"

#define QUIET_MS 10000 /* refusals within this time after one are only counted */

static struct span tag_key(void *const *tag) { return span_of(tag, sizeof *tag); }

/* The plug of a connection; NULL for any other client. */
static struct plug *plug_of(const struct meross *m, const struct broker_client *who)
{
    struct map_node *node = who->tag != NULL ? map_get(&m->plugs, tag_key(&who->tag)) : NULL;
    return node != NULL ? MAP_OF(node, struct plug, by_tag) : NULL;
}

static bool is_quiet(struct meross *m)
{
    uint64_t now = env_mono_ms(m->env);
    if (m->refused_ms != 0 && now - m->refused_ms < QUIET_MS) {
        m->refused++;
        return true;
    }
    m->refused_ms = now;
    return false;
}

void hooks_refuse(struct meross *m, const char *what, struct span which, const char *addr,
                  const char *why)
{
    if (is_quiet(m))
        return;
    log_warn("meross", "%s=%s addr=%s refused: %s (%u more since the last line)", what,
             log_q(which), addr, why, m->refused);
    m->refused = 0;
}

void hooks_refuse_topic(struct meross *m, const struct broker_client *who, const char *what,
                        struct span topic, const char *why)
{
    if (is_quiet(m))
        return;
    log_warn("meross", "client=%s addr=%s %s topic=%s refused: %s (%u more since the last line)",
             log_q(who->client_id), who->peer, what, log_q(topic), why, m->refused);
    m->refused = 0;
}

static void drop(struct meross *m, struct plug *p)
{
    map_del(&m->plugs, &p->by_tag);
    plug_free(p);
}

/* A connection that on_connect allowed came to nothing before on_connected. */
static void discard_unconfirmed(struct meross *m)
{
    struct plug *p = m->unconfirmed;
    if (p == NULL)
        return;
    m->unconfirmed = NULL;
    struct device *d = registry_by_uuid(m->registry, span_str(p->uuid));
    drop(m, p);
    if (d == NULL || d->plug != NULL)
        return;
    presence_lost(m, d, "it connected again and failed");
    if (!device_is_kept(d))
        registry_remove(m->registry, d);
}

static enum broker_verdict on_connect(void *ctx, struct broker_client *who,
                                      const struct broker_message *will)
{
    struct meross *m = ctx;
    struct auth_plug is;
    struct plug *p;
    discard_unconfirmed(m);
    if (!auth_read_plug(who, &is))
        return BROKER_ABSTAIN;
    if (!door_open(m, who, &is, will != NULL))
        return BROKER_NOT_AUTHORIZED;
    if (plug_new(&p, m, who, &is) != MD_OK) {
        hooks_refuse(m, "client", who->client_id, who->peer, "out of memory");
        return BROKER_NOT_AUTHORIZED;
    }
    map_put(&m->plugs, &p->by_tag, span_of(&p->self, sizeof p->self));
    m->unconfirmed = p;
    who->tag = p;
    return BROKER_ALLOW;
}

static void on_connected(void *ctx, const struct broker_client *who)
{
    struct meross *m = ctx;
    struct plug *p = plug_of(m, who);
    if (p == NULL)
        return;
    if (p == m->unconfirmed)
        m->unconfirmed = NULL;
    int err = plug_connected(p);
    if (err == MD_OK)
        return;
    log_warn("meross", "client=%s addr=%s ended: %s", log_q(who->client_id), who->peer,
             md_err_text(err));
    plug_kick(p, "it could not be registered");
}

/* Did somebody ask this plug lately to answer there? */
static bool asked(const struct plug *p, struct span topic)
{
    return p->dev != NULL && askers_have(&p->dev->askers, topic, env_mono_ms(p->m->env));
}

static bool may(void *ctx, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    struct meross *m = ctx;
    const struct plug *p = plug_of(m, who);
    bool ok = p != NULL ? auth_plug_may(&m->topics, span_str(p->uuid), what, topic, asked(p, topic))
                        : auth_client_may(&m->topics, what, topic);
    if (!ok)
        hooks_refuse_topic(m, who, what == BROKER_PUBLISH ? "publish" : "subscribe", topic,
                           p != NULL
                               ? "a plug uses its own topics and those it is asked to answer on"
                           : what == BROKER_PUBLISH ? "only merossd publishes there"
                                                    : "keys are told there, to merossd alone");
    return ok;
}

/* What is delivered to a connection that is not the plug's would be heard by a stranger; keys are
 * told to nobody, also where a bridge of another broker brings them, and a new one to the plug
 * alone. */
static bool may_receive(void *ctx, const struct broker_client *who, struct span topic)
{
    const struct meross *m = ctx;
    const struct plug *p = plug_of(m, who);
    struct topics_ref ref = topics_read(&m->topics, topic);
    if (topics_is_secret(&ref))
        return false;
    if (p != NULL)
        return plug_may_hear(p);
    return ref.kind != TOPICS_TO_PLUG ||
           !plug_is_told_a_key(m, registry_by_uuid(m->registry, ref.uuid));
}

static bool on_publish(void *ctx, const struct broker_client *who, const struct broker_message *msg)
{
    struct meross *m = ctx;
    struct plug *p = plug_of(m, who);
    struct topics_ref ref = topics_read(&m->topics, msg->topic);
    if (ref.kind == TOPICS_TO_PLUG)
        return foreign_take(m, who, msg, ref.uuid);
    if (p == NULL && topics_is_secret(&ref)) {
        control_broker(m, ref.verb, msg->payload);
        return false; /* nobody gets it: no client, no bridge, and it is not retained */
    }
    if (p == NULL)
        return true;
    if (msg->retain) {
        hooks_refuse_topic(m, who, "publish", msg->topic, "plugs do not use retained messages");
        return false;
    }
    plug_message(p, msg->payload);
    return true;
}

static void on_subscribe(void *ctx, const struct broker_client *who, struct span filter)
{
    struct meross *m = ctx;
    struct plug *p = plug_of(m, who);
    struct topics_ref ref = topics_read(&m->topics, filter);
    if (p != NULL && ref.kind == TOPICS_TO_PLUG)
        plug_subscribed(p, ref.uuid);
}

static void on_disconnect(void *ctx, const struct broker_client *who, const char *why)
{
    struct meross *m = ctx;
    struct plug *p = plug_of(m, who);
    if (p == NULL)
        return;
    const struct plug *next = m->unconfirmed;
    bool takeover =
        next != NULL && next != p && text_eq_nocase(span_str(next->uuid), span_str(p->uuid));
    plug_end(p, why, takeover);
    if (p == next)
        m->unconfirmed = NULL;
    drop(m, p);
}

static void on_failed(void *ctx, const struct broker_client *who, const char *why)
{
    diary_failed(ctx, who, why);
}

struct broker_hooks meross_hooks(struct meross *m)
{
    return (struct broker_hooks){.on_connect = on_connect,
                                 .on_connected = on_connected,
                                 .may = may,
                                 .may_receive = may_receive,
                                 .on_publish = on_publish,
                                 .on_subscribe = on_subscribe,
                                 .on_disconnect = on_disconnect,
                                 .on_failed = on_failed,
                                 .ctx = m};
}

static void free_node(void *ctx, struct map_node *node)
{
    (void)ctx;
    plug_free(MAP_OF(node, struct plug, by_tag));
}

void hooks_clear(struct meross *m)
{
    m->unconfirmed = NULL;
    map_each(&m->plugs, free_node, NULL);
    map_clear(&m->plugs);
}

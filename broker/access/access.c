#include "broker/access/access.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"

struct access {
    struct broker_hooks inner;
    size_t n;
    struct access_listener listeners[];
};

int access_new(struct access **out, const struct access_listener *listeners, size_t n,
               const struct broker_hooks *inner)
{
    struct access *a = mem_alloc(sizeof *a + n * sizeof a->listeners[0]);
    if (a == NULL)
        return MD_NOMEM;
    a->inner = *inner;
    a->n = n;
    if (n > 0)
        memcpy(a->listeners, listeners, n * sizeof a->listeners[0]);
    *out = a;
    return MD_OK;
}

void access_free(struct access *a) { mem_free(a); }

static bool anonymous_allowed(const struct access *a, const struct broker_client *who)
{
    if (who->loopback)
        return true;
    for (size_t i = 0; i < a->n; i++)
        if (a->listeners[i].id == who->listener)
            return a->listeners[i].allow_anonymous;
    return false;
}

static enum broker_verdict judge(const struct access *a, const struct broker_client *who)
{
    /* There are no passwords to compare with, so a name is no better than none. */
    if (anonymous_allowed(a, who))
        return BROKER_ALLOW;
    log_warn("access",
             "peer=%s client=%s refused: this address may not connect without being a plug; "
             "connect from the broker's own host or set `allow_anonymous true`",
             who->peer, log_q(who->client_id));
    return BROKER_NOT_AUTHORIZED;
}

static enum broker_verdict on_connect(void *ctx, struct broker_client *who,
                                      const struct broker_message *will)
{
    struct access *a = ctx;
    enum broker_verdict v =
        a->inner.on_connect == NULL ? BROKER_ABSTAIN : a->inner.on_connect(a->inner.ctx, who, will);
    return v == BROKER_ABSTAIN ? judge(a, who) : v;
}

static bool may(void *ctx, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    struct access *a = ctx;
    return a->inner.may == NULL || a->inner.may(a->inner.ctx, who, what, topic);
}

static bool may_receive(void *ctx, const struct broker_client *who, struct span topic)
{
    struct access *a = ctx;
    return a->inner.may_receive(a->inner.ctx, who, topic);
}

static void on_connected(void *ctx, const struct broker_client *who)
{
    struct access *a = ctx;
    if (a->inner.on_connected != NULL)
        a->inner.on_connected(a->inner.ctx, who);
}

static bool on_publish(void *ctx, const struct broker_client *who, const struct broker_message *m)
{
    struct access *a = ctx;
    return a->inner.on_publish == NULL || a->inner.on_publish(a->inner.ctx, who, m);
}

static void on_subscribe(void *ctx, const struct broker_client *who, struct span filter)
{
    struct access *a = ctx;
    if (a->inner.on_subscribe != NULL)
        a->inner.on_subscribe(a->inner.ctx, who, filter);
}

static void on_disconnect(void *ctx, const struct broker_client *who, const char *why)
{
    struct access *a = ctx;
    if (a->inner.on_disconnect != NULL)
        a->inner.on_disconnect(a->inner.ctx, who, why);
}

struct broker_hooks access_hooks(struct access *a)
{
    return (struct broker_hooks){.on_connect = on_connect,
                                 .on_connected = on_connected,
                                 .may = may,
                                 .may_receive = a->inner.may_receive == NULL ? NULL : may_receive,
                                 .on_publish = on_publish,
                                 .on_subscribe = on_subscribe,
                                 .on_disconnect = on_disconnect,
                                 .ctx = a};
}

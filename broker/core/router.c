#include "broker/core/router.h"

#include "broker/base/log.h"
#include "broker/core/persist.h"

#define SAY_AGAIN_MS 60000u

static void say_full(struct broker *b, const struct message *m)
{
    uint64_t now = env_mono_ms(b->env);
    if (b->full_said_ms != 0 && now - b->full_said_ms < SAY_AGAIN_MS)
        return;
    b->full_said_ms = now;
    log_warn("broker",
             "memory_limit is near: no further Retained Messages are kept (%s); see memory_limit",
             log_q(message_topic(m)));
}

/* Retained Messages stay until somebody removes them.  If they might fill all of memory_limit,
 * nothing would ever be queued again for anybody; so new ones are refused first.  Those that are
 * there may be replaced, and grow until memory_limit is reached. */
static bool keeps_too_much(struct broker *b, const struct message *m)
{
    enum pressure p = broker_pressure(b);
    if (p == PRESSURE_NONE || m->payload_n == 0)
        return false;
    const struct message *old = retain_get(b->retain, message_topic(m));
    return old == NULL || (p == PRESSURE_FULL && m->payload_n > old->payload_n);
}

/* What would be acknowledged and cannot be kept fails; QoS 0 is delivered and not kept. */
static int keep_retained(struct broker *b, struct message *m)
{
    if (!keeps_too_much(b, m)) {
        int err = b->store == NULL
                      ? MD_OK
                      : persist_retained(b, m, retain_get(b->retain, message_topic(m)));
        return err == MD_OK ? retain_set(b->retain, m) : err;
    }
    say_full(b, m);
    return m->qos == MQTT_QOS0 ? MD_OK : MD_FULL;
}

static int deliver(struct broker *b, struct message *m)
{
    struct subs_hits hits;
    bool upgrade = b->limits.upgrade_outgoing_qos;
    subs_remember(b->subs, broker_pressure(b) == PRESSURE_NONE);
    int err = subs_match(b->subs, message_topic(m), &hits);
    if (err != MD_OK)
        return err;
    for (size_t i = 0; i < hits.n; i++) {
        unsigned qos = hits.v[i].qos < m->qos ? hits.v[i].qos : m->qos; /* [MQTT-3.8.4-6] */
        hits.v[i].who->deliver(hits.v[i].who, m, upgrade ? hits.v[i].qos : qos);
    }
    return MD_OK;
}

int route_publish(struct broker *b, struct message *m)
{
    int err = m->retain ? keep_retained(b, m) : MD_OK;
    return err == MD_OK ? deliver(b, m) : err;
}

int route_unanswered(struct broker *b, struct message *m)
{
    int err = m->retain ? keep_retained(b, m) : MD_OK;
    return err == MD_OK || err == MD_FULL ? deliver(b, m) : err;
}

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
    log_warn("broker", "memory_limit is reached: no further Retained Messages are kept (%s)",
             log_q(message_topic(m)));
}

static bool takes_more(struct broker *b, const struct message *m)
{
    const struct message *old = retain_get(b->retain, message_topic(m));
    return m->payload_n > 0 && (old == NULL || m->payload_n > old->payload_n);
}

/* At memory_limit a Retained Message may go or be replaced, but not come or grow.  One that would
 * be acknowledged fails instead; QoS 0 is delivered and not kept. */
static int keep_retained(struct broker *b, struct message *m)
{
    if (broker_pressure(b) != PRESSURE_FULL || !takes_more(b, m)) {
        int err = b->store == NULL
                      ? MD_OK
                      : persist_retained(b, m, retain_get(b->retain, message_topic(m)));
        return err == MD_OK ? retain_set(b->retain, m) : err;
    }
    say_full(b, m);
    return m->qos == MQTT_QOS0 ? MD_OK : MD_FULL;
}

int route_publish(struct broker *b, struct message *m)
{
    struct subs_hits hits;
    bool upgrade = b->limits.upgrade_outgoing_qos;
    int err = m->retain ? keep_retained(b, m) : MD_OK;
    if (err == MD_OK)
        err = subs_match(b->subs, message_topic(m), &hits);
    if (err != MD_OK)
        return err;
    for (size_t i = 0; i < hits.n; i++) {
        unsigned qos = hits.v[i].qos < m->qos ? hits.v[i].qos : m->qos; /* [MQTT-3.8.4-6] */
        hits.v[i].who->deliver(hits.v[i].who, m, upgrade ? hits.v[i].qos : qos);
    }
    return MD_OK;
}

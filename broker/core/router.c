#include "broker/core/router.h"

#include "broker/core/persist.h"

static int keep(struct broker *b, struct message *m)
{
    int err =
        b->store == NULL ? MD_OK : persist_retained(b, m, retain_get(b->retain, message_topic(m)));
    return err == MD_OK ? retain_set(b->retain, m) : err;
}

int route_publish(struct broker *b, struct message *m)
{
    struct subs_hits hits;
    int err = m->retain ? keep(b, m) : MD_OK;
    if (err == MD_OK)
        err = subs_match(b->subs, message_topic(m), &hits);
    if (err != MD_OK)
        return err;
    for (size_t i = 0; i < hits.n; i++) {
        unsigned qos = hits.v[i].qos < m->qos ? hits.v[i].qos : m->qos; /* [MQTT-3.8.4-6] */
        hits.v[i].who->deliver(hits.v[i].who, m, qos);
    }
    return MD_OK;
}

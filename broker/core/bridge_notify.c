/* bridge_notify.c - "1" and "0" on $SYS/broker/connection/<id>/state, here and there. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_int.h"

#include <stdio.h>

#define BEFORE "$SYS/broker/connection/"
#define BEHIND "/state"

int bridge_notify_topic(struct bridge *g)
{
    const struct bridge_config *cfg = g->cfg;
    if (!cfg->notify)
        return MD_OK;
    const char *own = cfg->notification_topic;
    size_t cap = sizeof BEFORE BEHIND + strlen(own != NULL ? own : cfg->remote_id);
    g->state_topic = mem_alloc(cap);
    if (g->state_topic == NULL)
        return MD_NOMEM;
    (void)snprintf(g->state_topic, cap, own != NULL ? "%s" : BEFORE "%s" BEHIND,
                   own != NULL ? own : cfg->remote_id);
    return topic_name_valid(span_str(g->state_topic)) ? MD_OK : MD_INVAL;
}

void bridge_notify(struct bridge *g, bool up)
{
    if (g->state_topic == NULL)
        return;
    struct broker_message m = {span_str(g->state_topic), span_str(up ? "1" : "0"), MQTT_QOS1, true};
    if (broker_publish(g->broker, &m) != MD_OK)
        log_warn("bridge", "connection=%s out of memory: %s is not told",
                 log_q(span_str(g->cfg->name)), g->state_topic);
}

int bridge_notify_remote(struct conn *c, bool up)
{
    const struct bridge *g = c->bridge;
    if (g->state_topic == NULL || g->cfg->notify_local_only)
        return MD_OK;
    struct mqtt_publish p = {
        .retain = true, .topic = span_str(g->state_topic), .payload = span_str(up ? "1" : "0")};
    return mqtt_put_publish(&c->ctl, &p);
}

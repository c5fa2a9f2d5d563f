#include "broker/core/message.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

int message_new(struct message **out, struct span topic, struct span payload, unsigned qos,
                bool retain)
{
    MD_ASSERT(topic.n <= UINT16_MAX && qos <= MQTT_QOS2);
    /* With a Packet Identifier it must still fit the length field. */
    if (payload.n > MQTT_REMAINING_MAX - 2 - 2 - topic.n)
        return MD_TOOBIG;
    size_t body = 2 + topic.n + payload.n;
    struct message *m = mem_alloc_raw(sizeof *m + MQTT_HEAD_MAX + body);
    if (m == NULL)
        return MD_NOMEM;
    *m = (struct message){.refs = 1,
                          .qos = (uint8_t)qos,
                          .retain = retain,
                          .topic_n = (uint32_t)topic.n,
                          .payload_n = (uint32_t)payload.n};
    uint8_t *p = m->bytes + MQTT_HEAD_MAX;
    m->head_n = (uint8_t)mqtt_head_before(p, mqtt_publish_byte(false, MQTT_QOS0, false), body);
    p[0] = (uint8_t)(topic.n >> 8);
    p[1] = (uint8_t)topic.n;
    if (topic.n > 0)
        memcpy(p + 2, topic.p, topic.n);
    if (payload.n > 0)
        memcpy(p + 2 + topic.n, payload.p, payload.n);
    *out = m;
    return MD_OK;
}

void message_unref(struct message *m)
{
    if (m != NULL && --m->refs == 0)
        mem_free(m);
}

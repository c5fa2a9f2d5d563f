#include "broker/core/mount.h"

#include "broker/codec/mqtt_decode.h"

#define NAME_MAX_BYTES 65535u

static int put_name(struct span mount, struct span name, struct buf *room)
{
    if (mount.n + name.n > NAME_MAX_BYTES)
        return MD_TOOBIG;
    int err = buf_put(room, mount);
    return err == MD_OK ? buf_put(room, name) : err;
}

static int mount_name(struct span mount, struct span *name, struct buf *room)
{
    int err = put_name(mount, *name, room);
    if (err == MD_OK)
        *name = buf_view(room);
    return err;
}

/* The list in its form of the wire, for it is walked again. */
static int mount_filters(struct span mount, struct mqtt_filters *p, bool with_qos, struct buf *room)
{
    struct mqtt_filters walk = *p;
    struct span filter;
    enum mqtt_qos qos = MQTT_QOS0;
    int err = MD_OK;
    while (err == MD_OK && mqtt_next_filter(&walk, &filter, with_qos ? &qos : NULL)) {
        size_t n = mount.n + filter.n;
        uint8_t head[2] = {(uint8_t)(n >> 8), (uint8_t)n}, q = (uint8_t)qos;
        err = buf_put(room, span_of(head, sizeof head));
        if (err == MD_OK)
            err = put_name(mount, filter, room);
        if (err == MD_OK && with_qos)
            err = buf_put(room, span_of(&q, 1));
    }
    if (err == MD_OK)
        p->list = buf_view(room);
    return err;
}

int mount_packet(struct span mount, struct mqtt_packet *p, struct buf *room)
{
    if (mount.n == 0)
        return MD_OK;
    if (p->type == MQTT_PUBLISH)
        return mount_name(mount, &p->u.publish.topic, room);
    if (p->type == MQTT_CONNECT && p->u.connect.has_will)
        return mount_name(mount, &p->u.connect.will_topic, room);
    if (p->type == MQTT_SUBSCRIBE || p->type == MQTT_UNSUBSCRIBE)
        return mount_filters(mount, &p->u.filters, p->type == MQTT_SUBSCRIBE, room);
    return MD_OK;
}

bool mount_reaches(struct span mount, struct span topic)
{
    return mount.n == 0 || (topic.n > mount.n && memcmp(topic.p, mount.p, mount.n) == 0);
}

bool mount_shows(struct span mount, const struct message *m)
{
    return mount.n == 0 || mount_hidden(mount, m) > 0;
}

size_t mount_hidden(struct span mount, const struct message *m)
{
    struct span topic = message_topic(m);
    return mount_reaches(mount, topic) ? mount.n : 0;
}

#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"

#define PUBACK_MS 5000u

static void sent(struct simplug *p, int err, uint64_t now)
{
    if (err != MD_OK)
        p->broken = true;
    p->sent_at = now;
}

static uint16_t next_id(struct simplug *p)
{
    if (++p->packet_id == 0)
        p->packet_id = 1;
    return p->packet_id;
}

static void own_topic(const struct simplug *p, char out[SIMPLUG_TOPIC_MAX])
{
    (void)snprintf(out, SIMPLUG_TOPIC_MAX, "/appliance/%s/subscribe", p->opt.uuid);
}

/* Sheet 2.1: who it says it is. */
void simplug_wire_connect(struct simplug *p, uint64_t now)
{
    char client_id[80], digest[33], password[64];
    const char *const parts[] = {p->opt.mac, p->opt.key, NULL};
    (void)snprintf(client_id, sizeof client_id, "fmware:%s_%s", p->opt.uuid, p->tail);
    simplug_md5_hex(parts, digest);
    (void)snprintf(password, sizeof password, "%u_%s", p->opt.user_id, digest);
    struct mqtt_connect c = {
        .level = p->opt.level == 4 ? MQTT_3_1_1 : MQTT_3_1,
        .clean_session = p->opt.clean_session,
        .keep_alive_s = (uint16_t)p->opt.keep_alive_s,
        .client_id = span_str(client_id),
        .has_username = true,
        .has_password = true,
        .username = span_str(p->opt.mac),
        .password = span_str(password),
    };
    sent(p, mqtt_put_connect(&p->out, &c), now);
}

void simplug_wire_subscribe(struct simplug *p, uint64_t now)
{
    char topic[SIMPLUG_TOPIC_MAX];
    own_topic(p, topic);
    p->subscribe_id = next_id(p);
    sent(p, mqtt_put_subscribe(&p->out, p->subscribe_id, span_str(topic), MQTT_QOS1), now);
}

static void expect_puback(struct simplug *p, uint16_t id, uint64_t now)
{
    for (size_t i = 0; i < SIMPLUG_INFLIGHT; i++) {
        if (p->inflight[i].packet_id == 0) {
            p->inflight[i] =
                (struct simplug_inflight){id, p->opt.dup_republish ? 2 : 1, now + PUBACK_MS};
            return;
        }
    }
    simplug_violate(p, "%u PUBLISH packets wait for their PUBACK", SIMPLUG_INFLIGHT);
}

void simplug_wire_publish(struct simplug *p, const char *topic, struct span payload, uint64_t now)
{
    struct mqtt_publish m = {
        .qos = MQTT_QOS1,
        .packet_id = next_id(p),
        .topic = span_str(topic),
        .payload = payload,
    };
    expect_puback(p, m.packet_id, now);
    sent(p, mqtt_put_publish(&p->out, &m), now);
    m.dup = true;
    if (p->opt.dup_republish)
        sent(p, mqtt_put_publish(&p->out, &m), now);
}

void simplug_wire_ping(struct simplug *p, uint64_t now) { sent(p, mqtt_put_pingreq(&p->out), now); }

void simplug_wire_disconnect(struct simplug *p, uint64_t now)
{
    sent(p, mqtt_put_disconnect(&p->out), now);
}

void simplug_wire_reset(struct simplug *p)
{
    memset(p->inflight, 0, sizeof p->inflight);
    p->subscribe_id = 0;
}

uint64_t simplug_wire_due(const struct simplug *p)
{
    uint64_t due = SIMPLUG_NEVER;
    for (size_t i = 0; i < SIMPLUG_INFLIGHT && p->link == SIMPLUG_UP; i++) {
        if (p->inflight[i].packet_id != 0 && p->inflight[i].by < due)
            due = p->inflight[i].by;
    }
    return due;
}

void simplug_wire_late(struct simplug *p, uint64_t now)
{
    for (size_t i = 0; i < SIMPLUG_INFLIGHT; i++) {
        if (p->inflight[i].packet_id != 0 && now >= p->inflight[i].by) {
            simplug_violate(p, "no PUBACK for packet id %u within 5 s", p->inflight[i].packet_id);
            p->inflight[i].by = SIMPLUG_NEVER;
        }
    }
}

static void on_connack(struct simplug *p, const struct mqtt_connack_packet *c, uint64_t now)
{
    if (p->link != SIMPLUG_WAIT_CONNACK) {
        simplug_violate(p, "a second CONNACK");
    } else if (c->code != MQTT_ACCEPTED) {
        p->st.refused++;
        simplug_event(p, "refused", "%u", (unsigned)c->code);
        simplug_lose(p, "refused by the broker", now);
    } else {
        if (c->session_present && (p->opt.level != 4 || p->opt.clean_session))
            simplug_violate(p, "CONNACK says Session Present to a clean session or to MQTT 3.1");
        simplug_session(p, now);
    }
}

static void on_suback(struct simplug *p, const struct mqtt_suback *s)
{
    if (s->packet_id != p->subscribe_id || s->codes.n != 1)
        simplug_violate(p, "SUBACK does not fit the SUBSCRIBE");
    else if (s->codes.p[0] != MQTT_QOS1)
        simplug_violate(p, "SUBACK grants 0x%02x instead of QoS 1", s->codes.p[0]);
    p->subscribe_id = 0;
}

static void on_puback(struct simplug *p, uint16_t id)
{
    for (size_t i = 0; i < SIMPLUG_INFLIGHT; i++) {
        struct simplug_inflight *f = &p->inflight[i];
        if (f->packet_id == id && id != 0) {
            if (--f->acks == 0)
                f->packet_id = 0;
            return;
        }
    }
    simplug_violate(p, "PUBACK for packet id %u, which is not in flight", id);
}

static void on_publish(struct simplug *p, const struct mqtt_publish *m, uint64_t now)
{
    char topic[SIMPLUG_TOPIC_MAX];
    own_topic(p, topic);
    if (m->qos == MQTT_QOS1)
        sent(p, mqtt_put_ack(&p->out, MQTT_PUBACK, m->packet_id), now);
    if (m->qos == MQTT_QOS2)
        simplug_violate(p, "PUBLISH with QoS 2 to a subscription of QoS 1");
    else if (!span_is(m->topic, topic))
        simplug_violate(p, "PUBLISH on a topic it has not subscribed to");
    else if (m->retain)
        simplug_malformed(p, "PUBLISH with RETAIN set", now);
    else if (m->payload.n > SIMPLUG_MAX_PAYLOAD)
        simplug_malformed(p, "payload larger than 2 kB", now);
    else
        simplug_hear(p, m, now);
}

static void on_packet(struct simplug *p, const struct mqtt_packet *m, uint64_t now)
{
    if (p->link == SIMPLUG_WAIT_CONNACK && m->type != MQTT_CONNACK) {
        simplug_violate(p, "a packet of type %u before CONNACK", (unsigned)m->type);
        simplug_lose(p, "protocol error", now);
        return;
    }
    switch (m->type) {
    case MQTT_CONNACK:
        on_connack(p, &m->u.connack, now);
        return;
    case MQTT_PUBLISH:
        on_publish(p, &m->u.publish, now);
        return;
    case MQTT_PUBACK:
        on_puback(p, m->u.ack.packet_id);
        return;
    case MQTT_SUBACK:
        on_suback(p, &m->u.suback);
        return;
    case MQTT_PINGRESP:
        if (p->pong_by == SIMPLUG_NEVER)
            simplug_violate(p, "PINGRESP without PINGREQ");
        p->pong_by = SIMPLUG_NEVER;
        return;
    case MQTT_CONNECT:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
    case MQTT_UNSUBACK:
    case MQTT_PINGREQ:
    case MQTT_DISCONNECT:
        simplug_violate(p, "unexpected packet of type %u", (unsigned)m->type);
        return;
    }
}

void simplug_wire_read(struct simplug *p, uint64_t now)
{
    size_t done = 0, len = 0;
    while (p->link == SIMPLUG_WAIT_CONNACK || p->link == SIMPLUG_UP) {
        struct span rest = span_skip(buf_view(&p->in), done);
        struct mqtt_packet m;
        const char *rule = "";
        int err = mqtt_frame(rest, SIMPLUG_IN_MAX, &len);
        if (err == MD_AGAIN)
            break;
        if (err == MD_OK)
            err = mqtt_decode_client(span_of(rest.p, len), &m, &rule);
        if (err != MD_OK) {
            simplug_violate(p, "malformed packet from the broker %s", rule);
            simplug_lose(p, "protocol error", now);
            break;
        }
        on_packet(p, &m, now);
        done += len;
    }
    buf_consume(&p->in, done < p->in.n ? done : p->in.n);
}

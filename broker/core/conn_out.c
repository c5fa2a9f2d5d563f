/* conn_out.c - conn_take(): what one connection sends in one turn.
 *
 * Small packets are copied side by side into the stage, so that many leave in one piece; a
 * large payload is a piece of its own that points into the shared message. */
#include "broker/codec/mqtt_decode.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"
#include "broker/core/mount.h"
#include "broker/core/trace.h"

#include "broker/base/check.h"
#include "broker/base/log.h"

/* Up to here copying is cheaper than one more piece with its reference. */
#define COPY_MAX 1024
/* What one packet may need at most: head, topic, id, payload, each copied or a piece. */
#define PACKET_STAGE  (MQTT_HEAD_MAX + 4 + 2 * COPY_MAX)
#define PACKET_PIECES 4
/* One taker does not get more at once, so that it does not make the others wait. */
#define TURN_BYTES ((size_t)256 << 10)

static bool room(const struct conn_out *o)
{
    return CONN_OUT_STAGE - o->stage_n >= PACKET_STAGE && CONN_OUT_PIECES - o->n >= PACKET_PIECES &&
           o->bytes < TURN_BYTES;
}

static void put_copy(struct conn_out *o, struct span s)
{
    if (s.n == 0)
        return;
    uint8_t *p = o->stage + o->stage_n;
    memcpy(p, s.p, s.n);
    o->stage_n += s.n;
    o->bytes += s.n;
    struct conn_piece *last = o->n > 0 ? &o->piece[o->n - 1] : NULL;
    if (last != NULL && last->held == NULL && last->p + last->n == p)
        last->n += s.n;
    else
        o->piece[o->n++] = (struct conn_piece){p, s.n, NULL};
}

static void put(struct conn_out *o, struct span s, struct message *m)
{
    if (s.n <= COPY_MAX) {
        put_copy(o, s);
        return;
    }
    o->piece[o->n++] = (struct conn_piece){s.p, s.n, message_ref(m)};
    o->bytes += s.n;
}

static void put_publish(struct conn_out *o, const struct delivery *d, struct span mount)
{
    struct message *m = d->m;
    size_t hidden = mount_hidden(mount, m);
    if (d->qos == MQTT_QOS0 && !d->retain && hidden == 0) {
        put(o, message_qos0(m), m); /* [MQTT-4.3.1-1] */
        return;
    }
    uint8_t head[MQTT_HEAD_MAX], *end = head + MQTT_HEAD_MAX;
    struct span topic = span_skip(message_topic(m), hidden), payload = message_payload(m);
    uint8_t length[2] = {(uint8_t)(topic.n >> 8), (uint8_t)topic.n};
    size_t id_n = d->qos == MQTT_QOS0 ? 0 : 2; /* [MQTT-2.3.1-5] */
    size_t n = mqtt_head_before(end, mqtt_publish_byte(d->dup, d->qos, d->retain),
                                2 + topic.n + id_n + payload.n);
    uint8_t id[2] = {(uint8_t)(d->packet_id >> 8), (uint8_t)d->packet_id};
    put_copy(o, span_of(end - n, n));
    put_copy(o, span_of(length, sizeof length));
    put(o, topic, m);
    put_copy(o, span_of(id, id_n));
    put(o, payload, m);
}

static void put_pubrel(struct conn_out *o, uint16_t id)
{
    uint8_t packet[4] = {MQTT_PUBREL << 4 | 2, 2, (uint8_t)(id >> 8), (uint8_t)id};
    put_copy(o, span_of(packet, sizeof packet));
}

static void take_ctl(struct conn *c, struct conn_out *o)
{
    size_t n = c->ctl.n, first;
    if (o->single && n > 0 && mqtt_frame(buf_view(&c->ctl), 0, &first) == MD_OK)
        n = first;
    n = n < CONN_OUT_STAGE ? n : CONN_OUT_STAGE;
    put_copy(o, span_of(c->ctl.p, n));
    buf_consume(&c->ctl, n);
    if (c->ctl.n == 0)
        buf_free(&c->ctl); /* an idle client has no buffers */
}

static void take_messages(struct conn *c, struct conn_out *o)
{
    struct delivery d;
    bool trace = log_wants(LOG_DEBUG);
    while (room(o) && !(o->single && o->n > 0) && outq_next(&c->session->out, &d)) {
        if (trace)
            trace_sending(c->who.client_id, &d);
        c->broker->stats.packets_out++;
        if (d.state == DELIVERY_RELEASED) {
            put_pubrel(o, d.packet_id);
            continue;
        }
        put_publish(o, &d, conn_mount(c));
        c->broker->stats.messages_out++;
        c->broker->stats.message_bytes_out += d.m->payload_n;
        message_unref(d.m);
    }
}

static bool more(const struct conn *c)
{
    return c->ctl.n > 0 || (c->session != NULL && outq_ready(&c->session->out));
}

bool conn_take(struct conn *c, struct conn_out *out)
{
    out->stage_n = 0;
    out->n = 0;
    out->bytes = 0;
    take_ctl(c, out);
    if (c->session != NULL && c->ctl.n == 0)
        take_messages(c, out);
    c->broker->stats.bytes_out += out->bytes;
    /* Nothing taken although something waits: there is no memory for the window.  The next
     * event of this client tries again. */
    c->woken = more(c) && out->bytes > 0;
    return c->woken;
}

void conn_piece_release(struct conn_piece *p)
{
    message_unref(p->held);
    p->held = NULL;
}

void conn_out_release(struct conn_out *out)
{
    for (unsigned i = 0; i < out->n; i++)
        conn_piece_release(&out->piece[i]);
    out->n = 0;
}

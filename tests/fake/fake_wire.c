#include "tests/fake/fake_wire.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"

static void on_wake(void *ctx) { ((struct wire *)ctx)->woken = true; }

void wire_open(struct wire *w, struct broker *b, unsigned listener)
{
    struct conn_peer peer = {.address = "127.0.0.1:1", .listener = listener, .loopback = true};
    wire_open_peer(w, b, &peer);
}

void wire_open_peer(struct wire *w, struct broker *b, const struct conn_peer *peer)
{
    *w = (struct wire){0};
    buf_init(&w->in, SIZE_MAX);
    int err = conn_new(&w->conn, b, peer, (struct conn_io){on_wake, w});
    MD_ASSERT(err == MD_OK);
}

void wire_send(struct wire *w, struct span bytes)
{
    if (w->conn == NULL)
        return;
    if (w->fail_after != NULL)
        (void)mem_fail_after(*w->fail_after);
    conn_feed(w->conn, bytes);
    if (w->fail_after != NULL)
        *w->fail_after = mem_fail_after(-1);
}

void wire_take(struct wire *w)
{
    static uint8_t stage[CONN_OUT_STAGE];
    static struct conn_out out;
    bool more = w->conn != NULL;
    while (more) {
        out.stage = stage;
        more = conn_take(w->conn, &out);
        for (unsigned i = 0; i < out.n; i++) {
            int err = buf_put(&w->in, span_of(out.piece[i].p, out.piece[i].n));
            MD_ASSERT(err == MD_OK);
        }
        conn_out_release(&out);
    }
    w->woken = false;
    w->closed = w->conn == NULL || conn_closing(w->conn);
}

void wire_lose(struct wire *w)
{
    if (w->conn != NULL)
        conn_lost(w->conn, "the network failed");
    w->conn = NULL;
    w->closed = true;
}

void wire_close(struct wire *w)
{
    wire_lose(w);
    buf_free(&w->in);
}

static void flush(struct wire *w, struct buf *b, int err)
{
    MD_ASSERT(err == MD_OK);
    wire_send(w, buf_view(b));
    buf_free(b);
}

void wire_connect_with(struct wire *w, const struct mqtt_connect *c)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    flush(w, &b, mqtt_put_connect(&b, c));
}

void wire_connect(struct wire *w, const char *id, bool clean, enum mqtt_level level)
{
    struct mqtt_connect c = {.level = level, .clean_session = clean, .client_id = span_str(id)};
    wire_connect_with(w, &c);
}

void wire_subscribe(struct wire *w, const char *filter, enum mqtt_qos qos)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    flush(w, &b, mqtt_put_subscribe(&b, 7, span_str(filter), qos));
}

void wire_publish(struct wire *w, const char *topic, const char *payload, enum mqtt_qos qos,
                  bool retain, uint16_t id)
{
    struct buf b;
    struct mqtt_publish p = {.retain = retain,
                             .qos = qos,
                             .packet_id = id,
                             .topic = span_str(topic),
                             .payload = span_str(payload)};
    buf_init(&b, SIZE_MAX);
    flush(w, &b, mqtt_put_publish(&b, &p));
}

void wire_ack(struct wire *w, enum mqtt_type type, uint16_t id)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    flush(w, &b, mqtt_put_ack(&b, type, id));
}

void wire_ping(struct wire *w)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    flush(w, &b, mqtt_put_pingreq(&b));
}

void wire_disconnect(struct wire *w)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    flush(w, &b, mqtt_put_disconnect(&b));
}

bool wire_next(struct wire *w, struct mqtt_packet *out)
{
    static uint8_t packet[1 << 20];
    size_t len;
    const char *rule;
    wire_take(w);
    if (mqtt_frame(buf_view(&w->in), 0, &len) != MD_OK)
        return false;
    MD_ASSERT(len <= sizeof packet);
    memcpy(packet, w->in.p, len);
    buf_consume(&w->in, len);
    int err = mqtt_decode_client(span_of(packet, len), out, &rule);
    MD_ASSERT(err == MD_OK);
    return true;
}

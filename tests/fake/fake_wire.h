/* fake_wire.h - a client of the broker without a socket: bytes in, bytes out, and the packets of
 * a client as one-liners.  For unit tests of broker/core. */
#ifndef TESTS_FAKE_FAKE_WIRE_H
#define TESTS_FAKE_FAKE_WIRE_H

#include "broker/base/buf.h"
#include "broker/codec/mqtt.h"
#include "broker/core/conn.h"

struct wire {
    struct conn *conn;
    struct buf in; /* what the client has received and not looked at yet */
    bool woken, closed;
    long *fail_after; /* NULL, or: memory ends after so many allocations of the broker */
};

void wire_open(struct wire *w, struct broker *b, unsigned listener);
void wire_open_peer(struct wire *w, struct broker *b, const struct conn_peer *peer);
void wire_send(struct wire *w, struct span bytes);
void wire_take(struct wire *w);  /* everything the broker wants to send now */
void wire_lose(struct wire *w);  /* the network fails                       */
void wire_close(struct wire *w); /* frees; loses first if necessary         */

/* Packets of a client, encoded and sent. */
void wire_connect(struct wire *w, const char *id, bool clean, enum mqtt_level level);
void wire_connect_with(struct wire *w, const struct mqtt_connect *c);
void wire_subscribe(struct wire *w, const char *filter, enum mqtt_qos qos);
void wire_publish(struct wire *w, const char *topic, const char *payload, enum mqtt_qos qos,
                  bool retain, uint16_t id);
void wire_ack(struct wire *w, enum mqtt_type type, uint16_t id);
void wire_ping(struct wire *w);
void wire_disconnect(struct wire *w);

/* Takes the next packet the broker sent; false when there is none.  *out is lent until the
 * next call. */
bool wire_next(struct wire *w, struct mqtt_packet *out);

#endif

/* mqtt_decode.h - bytes to packets.  Pure: no allocation, no I/O, no clock,
 * no state between calls.  This is the file the fuzzers live on. */
#ifndef BROKER_CODEC_MQTT_DECODE_H
#define BROKER_CODEC_MQTT_DECODE_H

#include "broker/base/err.h"
#include "broker/codec/mqtt.h"

/* Finds the first Control Packet in `in`.
 *
 * MD_OK       *len is its whole length, fixed header included (>= 2 bytes).
 * MD_AGAIN    `in` ends inside it; *len is the whole length when the fixed header
 *             is complete, else 0.
 * MD_TOOBIG   it is longer than max_len bytes (0: no limit but the protocol's).
 * MD_PROTO    Remaining Length uses a fifth byte [MQTT 2.2.3].
 * In both error cases *len is 0. */
MD_MUST_USE int mqtt_frame(struct span in, size_t max_len, size_t *len);

/* Decodes the one whole packet `pkt` that mqtt_frame() delimited, as a server
 * receives it.
 *
 * `level` is the level of the connection, MQTT_LEVEL_NONE before CONNECT; it
 * selects what 3.1 allows and 3.1.1 forbids.  With MQTT_LEVEL_NONE any packet
 * but CONNECT is an error [MQTT-3.1.0-1]; with another level CONNECT is one
 * [MQTT-3.1.0-2].  Packets that only a server sends are errors
 * [MQTT-4.8.0-1].  Topic Names and Filters are checked, strings are checked
 * as UTF-8, trailing bytes are errors.
 *
 * MD_OK       *out is filled; its spans point into `pkt`.
 * MD_PROTO    *rule names the normative statement that was broken, such as
 *             "[MQTT-3.1.0-2]"; static text, for the log line. */
MD_MUST_USE int mqtt_decode(struct span pkt, enum mqtt_level level, struct mqtt_packet *out,
                            const char **rule);

/* The same as a client receives it: CONNACK, PUBLISH, the four acks, SUBACK,
 * UNSUBACK, PINGRESP.  For the client verbs, bridges and tests. */
MD_MUST_USE int mqtt_decode_client(struct span pkt, struct mqtt_packet *out, const char **rule);

/* Takes the next Topic Filter off f->list; false when it is exhausted.  For
 * UNSUBSCRIBE pass qos = NULL. */
bool mqtt_next_filter(struct mqtt_filters *f, struct span *filter, enum mqtt_qos *qos);

#endif

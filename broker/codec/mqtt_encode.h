/* mqtt_encode.h - packets to bytes.  Each mqtt_put_* appends one whole packet to
 * `out` or leaves it as it was.  It does not check texts: what goes in is taken to be valid.
 *
 * Errors of all of them: MD_TOOBIG when the packet does not fit into `out`, into
 * MQTT_REMAINING_MAX, or a field into its 65,535 bytes; MD_NOMEM. */
#ifndef BROKER_CODEC_MQTT_ENCODE_H
#define BROKER_CODEC_MQTT_ENCODE_H

#include "broker/base/buf.h"
#include "broker/codec/mqtt.h"

#define MQTT_HEAD_MAX      5          /* fixed header: type byte and up to four of length */
#define MQTT_REMAINING_MAX 268435455u /* [MQTT 2.2.3] */

/* Writes a fixed header in front of `end`: it ends there, so that what follows is already
 * in place.  `remaining` <= MQTT_REMAINING_MAX.  Returns the header's length,
 * 2 to MQTT_HEAD_MAX; that many bytes before `end` must be writable. */
size_t mqtt_head_before(uint8_t *end, uint8_t first, size_t remaining);

/* The first byte of a PUBLISH [MQTT 3.3.1]. */
static inline uint8_t mqtt_publish_byte(bool dup, enum mqtt_qos qos, bool retain)
{
    return (uint8_t)(MQTT_PUBLISH << 4 | (dup ? 8 : 0) | (unsigned)qos << 1 | (retain ? 1 : 0));
}

MD_MUST_USE int mqtt_put_connack(struct buf *out, bool session_present, enum mqtt_connack code);
/* packet_id is written when qos is not 0 [MQTT-2.3.1-5]. */
MD_MUST_USE int mqtt_put_publish(struct buf *out, const struct mqtt_publish *p);
/* PUBACK PUBREC PUBREL PUBCOMP UNSUBACK */
MD_MUST_USE int mqtt_put_ack(struct buf *out, enum mqtt_type type, uint16_t packet_id);
MD_MUST_USE int mqtt_put_suback(struct buf *out, uint16_t packet_id, struct span codes);
MD_MUST_USE int mqtt_put_pingresp(struct buf *out);

/* The client's half, for tools/mqtt_client.c, bridges and the tests. */

/* Will fields, user name and password are written when their has_* is set; `level` is MQTT_3_1
 * or MQTT_3_1_1.  Errors: also MD_INVAL for a password without a user name [MQTT-3.1.2-22]. */
MD_MUST_USE int mqtt_put_connect(struct buf *out, const struct mqtt_connect *c);
MD_MUST_USE int mqtt_put_subscribe(struct buf *out, uint16_t packet_id, struct span filter,
                                   enum mqtt_qos qos);
MD_MUST_USE int mqtt_put_unsubscribe(struct buf *out, uint16_t packet_id, struct span filter);
MD_MUST_USE int mqtt_put_pingreq(struct buf *out);
MD_MUST_USE int mqtt_put_disconnect(struct buf *out);

#endif

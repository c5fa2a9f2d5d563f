/* mqtt_client.h - a small blocking MQTT 3.1.1 client over codec/ and tls/, for the verbs.  It
 * uses the broker the way any stranger would.
 *
 *     open --> [subscribe, publish, next]* --> close
 *
 * After any error but MD_TIMEOUT of mqtt_client_next() only close is allowed. */
#ifndef TOOLS_MQTT_CLIENT_H
#define TOOLS_MQTT_CLIENT_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/codec/mqtt.h"

#define MQTT_CLIENT_ERR_MAX      512
#define MQTT_CLIENT_PACKET_MAX   (4u << 20) /* bytes of one packet we take */
#define MQTT_CLIENT_KEEP_ALIVE_S 60

struct mqtt_client;

enum mqtt_client_stage { MQTT_CLIENT_TCP, MQTT_CLIENT_TLS, MQTT_CLIENT_LOGIN, MQTT_CLIENT_OPEN };

struct mqtt_client_config {
    const char *host; /* name or address */
    unsigned port;
    const char *ca_file;             /* NULL = in clear */
    bool unverified;                 /* TLS that trusts whoever answers, as plugs do; no ca_file */
    const char *ciphers;             /* of TLS 1.2, and no later version; NULL = all */
    const char *client_id;           /* NULL = one of our own */
    enum mqtt_level level;           /* 0 = MQTT_3_1_1 */
    const char *username, *password; /* NULL = none     */
    unsigned timeout_ms;             /* for connecting, and for each subscribe and publish */
    enum mqtt_client_stage *stage;   /* given: how far it came; NULL = nobody asks */
};

/* Connects and waits for CONNACK.
 *
 * cfg   borrowed.  env: kept until mqtt_client_close().
 * *out  given: mqtt_client_close().
 * err   a sentence with cause and next step; untouched on MD_OK.
 * Errors: MD_NOENT (host name), MD_IO, MD_TLS, MD_DENIED (CONNACK), MD_TIMEOUT, MD_CLOSED,
 * MD_PROTO, MD_NOMEM. */
MD_MUST_USE int mqtt_client_open(struct mqtt_client **out, const struct mqtt_client_config *cfg,
                                 const struct env *env, char err[MQTT_CLIENT_ERR_MAX]);
void mqtt_client_close(struct mqtt_client *c); /* says DISCONNECT; NULL is fine */

/* Waits for SUBACK.  PUBLISH packets that come meanwhile are kept for mqtt_client_next().
 * Errors: MD_DENIED (SUBACK 0x80), MD_TIMEOUT, MD_CLOSED, MD_IO, MD_TLS, MD_PROTO, MD_NOMEM. */
MD_MUST_USE int mqtt_client_subscribe(struct mqtt_client *c, struct span filter, enum mqtt_qos qos);

/* QoS 0.  Errors: as above, MD_INVAL (topic). */
MD_MUST_USE int mqtt_client_publish(struct mqtt_client *c, struct span topic, struct span payload);

/* Waits up to timeout_ms for the next message; keeps the connection alive meanwhile.
 * *m  lent until the next call.
 * Errors: MD_TIMEOUT (call again), otherwise as above. */
MD_MUST_USE int mqtt_client_next(struct mqtt_client *c, unsigned timeout_ms,
                                 struct mqtt_publish *m);

#endif

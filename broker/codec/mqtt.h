/* mqtt.h - the words of MQTT 3.1 and 3.1.1: packet types, levels, codes, and
 * one struct per Control Packet.  Data only.
 *
 * Every span points into the packet that was decoded and lives as long. */
#ifndef BROKER_CODEC_MQTT_H
#define BROKER_CODEC_MQTT_H

#include "broker/base/span.h"

/* Control Packet types [MQTT 2.2.1]. */
enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT
};

enum mqtt_level {
    MQTT_LEVEL_NONE = 0,        /* before CONNECT                                  */
    MQTT_LEVEL_UNSUPPORTED = 1, /* a CONNECT of a level we do not speak, such as 5 */
    MQTT_3_1 = 3,               /* "MQIsdp"                                        */
    MQTT_3_1_1 = 4              /* "MQTT"                                          */
};

enum mqtt_qos { MQTT_QOS0, MQTT_QOS1, MQTT_QOS2 };
#define MQTT_SUBACK_FAILURE 0x80 /* 3.1.1 only [MQTT-3.9.3-2] */

/* CONNACK return codes [MQTT 3.2.2.3]. */
enum mqtt_connack {
    MQTT_ACCEPTED,
    MQTT_REFUSED_LEVEL,
    MQTT_REFUSED_ID,
    MQTT_REFUSED_UNAVAILABLE,
    MQTT_REFUSED_CREDENTIALS,
    MQTT_REFUSED_NOT_AUTHORIZED
};

struct mqtt_connect {
    enum mqtt_level level; /* UNSUPPORTED: nothing else is filled in                 */
    bool bridge;           /* bit 7 of the level byte, as mosquitto's bridges set it */
    bool clean_session;
    uint16_t keep_alive_s; /* 0 = off */
    struct span client_id; /* may be empty */
    bool has_will, will_retain;
    enum mqtt_qos will_qos;
    struct span will_topic, will_payload;
    bool has_username, has_password;
    struct span username, password;
};

struct mqtt_connack_packet { /* what a client receives */
    bool session_present;
    enum mqtt_connack code;
};

struct mqtt_publish {
    bool dup, retain;
    enum mqtt_qos qos;
    uint16_t packet_id; /* 0 when qos is 0 */
    struct span topic, payload;
};

struct mqtt_ack { /* PUBACK PUBREC PUBREL PUBCOMP UNSUBACK */
    uint16_t packet_id;
};

struct mqtt_suback { /* what a client receives */
    uint16_t packet_id;
    struct span codes;
};

struct mqtt_filters { /* SUBSCRIBE and UNSUBSCRIBE; walk with mqtt_next_filter() */
    uint16_t packet_id;
    unsigned count;   /* how many filters the list holds, at least one */
    struct span list; /* already validated                             */
};

struct mqtt_packet {
    enum mqtt_type type;
    union {
        struct mqtt_connect connect;
        struct mqtt_connack_packet connack;
        struct mqtt_publish publish;
        struct mqtt_ack ack;
        struct mqtt_suback suback;
        struct mqtt_filters filters;
    } u;
};

#endif

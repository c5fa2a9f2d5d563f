/* health.h - what tells whether a plug is well: how its connections went, what it says of itself
 * and of its servers, and what its TLS offers.  Belongs to a device (device.h).
 *
 * Where it was told to connect and what it offers are in the record; the rest is counted from the
 * start of the program. */
#ifndef MEROSS_HEALTH_H
#define MEROSS_HEALTH_H

#include "meross/device/timeline.h"
#include "meross/wire/json.h"

#define HEALTH_HOST_MAX  63
#define HEALTH_HELLO_MAX 1279 /* bytes; a longer one is not taken */

enum health_zone { HEALTH_ZONE_UNKNOWN, HEALTH_ZONE_MISSING, HEALTH_ZONE_OURS };

struct health_server { /* as the plug says */
    char *host;        /* NULL = it did not say, or none is set */
    int64_t port;
    bool told; /* it said, if only that there is none */
};

/* host  copied, "" = none is set.  Errors: MD_NOMEM; it stays as it was. */
MD_MUST_USE int health_set_server(struct health_server *s, const char *host, int64_t port);

/* Lent; "" for NULL. */
static inline const char *health_host(const struct health_server *s)
{
    return s->host != NULL ? s->host : "";
}

struct health { /* a zeroed one knows nothing */
    struct timeline timeline;
    struct health_server main, second;
    const char *hello;        /* shared.h: broker_arrival.hello; NULL: not known */
    unsigned connects;        /* of its own                                      */
    unsigned address_changes; /* it came from another address than before        */
    unsigned mutes;           /* times it was connected and did not answer       */
    unsigned refused;         /* messages that were not passed on to it          */
    bool mute;                /* it is so now                                    */
    bool online_told;
    int online_status; /* System.Online: -1 unknown, 0 not, 1 online      */
    int rssi;          /* dBm; 0: not known                               */
    enum health_zone zone;
};

/* Behind " # " stands what differs from one connection to the next, and is not compared.
 * True when it is another one than before, or the first.  Copied. */
bool health_take_hello(struct health *h, const char *hello, bool *first);

/* "firmware" of System.All and Bind: server, port, and on old ones secondServer, secondPort; or
 * "cloud" of System.Debug: mainServer, mainPort, secondServer, secondPort.  True: news. */
bool health_take_firmware(struct health *h, struct json_at firmware);
bool health_take_debug(struct health *h, struct json_at debug);
void health_take_online(struct health *h, struct json_at online);

/* Members of the record. */
void health_write_record(struct json_writer *w, const struct health *h);
void health_read_record(struct health *h, struct json_at record);

/* An object without the timeline. */
void health_write(struct json_writer *w, const struct health *h, uint64_t now_ms);

void health_clear(struct health *h); /* frees what it owns, not h */

#endif

/* client.h - one MQTT 3.1.1 client of the load generator: packets in and out over a link.
 *
 * It acknowledges what it gets and counts what it gave; who publishes when is clients.c's
 * business. */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

#include "broker/base/buf.h"
#include "broker/codec/mqtt.h"
#include "tests/plugsim/link.h"

struct client;

enum client_stage {
    CLIENT_DIALLING,   /* TCP, TLS                    */
    CLIENT_CONNECTING, /* CONNECT was sent            */
    CLIENT_SUBSCRIBING,
    CLIENT_READY,
    CLIENT_ENDED /* by the broker, or a fault: see `why` */
};

struct client_calls { /* all called from client_work() */
    void (*ready)(struct client *c);
    void (*message)(struct client *c, const struct mqtt_publish *m);
    void (*released)(struct client *c); /* a PUBLISH of ours is through: PUBACK, PUBCOMP */
    void (*ended)(struct client *c);
};

struct client {
    unsigned index; /* the owner's */
    void *owner;
    const struct client_calls *calls;
    const char *id, *username, *password; /* kept by the owner; username NULL: none */
    const char *const *filters;           /* NULL-ended, kept by the owner */
    enum mqtt_qos qos;                    /* of its subscriptions */
    bool level3, keep;                    /* MQTT 3.1; Clean Session 0 */
    bool resume;                          /* its TLS session when it comes again */
    enum client_stage stage;
    const char *why;
    struct link *link;            /* NULL: none */
    struct link_session *session; /* NULL: none to be resumed */
    struct buf in, out;
    unsigned to_subscribe; /* SUBACKs that have not come */
    uint16_t packet_id;
    uint32_t events; /* what epoll watches for now */
    bool stalled;    /* reads nothing */
    bool dirty;      /* in the list of those that have something to write */
    struct client *next_dirty;
};

/* Begins to connect.  c  its members above `stage` are set, the rest zeroed.
 * Errors: those of link_open(). */
MD_MUST_USE int client_open(struct client *c, const struct link_way *way);
void client_close(struct client *c);  /* without DISCONNECT; may be opened again */
void client_forget(struct client *c); /* frees its TLS session */

/* Does what can be done now without waiting. */
void client_work(struct client *c);

/* Queues a PUBLISH.  Errors: those of buf_put(). */
MD_MUST_USE int client_publish(struct client *c, struct mqtt_publish *m);

/* Writes what is queued, as far as the socket takes it. */
void client_flush(struct client *c);

#endif

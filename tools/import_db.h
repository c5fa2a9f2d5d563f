/* import_db.h - reads mosquitto.db, versions 5 and 6 (mosquitto 1.6 to 2.0), and hands on what is
 * in it.  Pure: bytes in, calls out; it opens no file and knows no store of ours.
 *
 * The file is a header and chunks, each with its length.  Ids of messages are in the byte order
 * of the machine that wrote them and are only compared.  A chunk that makes no sense is left
 * out and counted; a file that ends in the middle of one gives what stands before. */
#ifndef TOOLS_IMPORT_DB_H
#define TOOLS_IMPORT_DB_H

#include "broker/base/err.h"
#include "broker/base/span.h"

/* All spans are lent during the call, and point into the file. */

struct import_message {
    struct span topic, payload;
    unsigned qos; /* as published, 0..2 */
};

struct import_session {
    struct span client_id, username; /* username.p == NULL: none, or not known (version 5) */
    uint16_t last_packet_id;         /* given to this client last                           */
};

struct import_subscription {
    struct span client_id, filter;
    unsigned qos;
};

enum import_stage {
    IMPORT_QUEUED,    /* to the client; nothing was sent                                 */
    IMPORT_PUBLISHED, /* to the client; sent, no PUBACK or PUBREC yet: send again, DUP   */
    IMPORT_RELEASED,  /* to the client, QoS 2; PUBREC came: send PUBREL                  */
    IMPORT_RECEIVED   /* from the client, QoS 2, acknowledged with PUBREC.  mosquitto delivers on
                         PUBREL, so nobody has it yet: publish it now, and remember its id   */
};

struct import_queued {
    struct span client_id;
    struct import_message message;
    enum import_stage stage;
    uint16_t packet_id; /* 0 when it is IMPORT_QUEUED */
    unsigned qos;       /* of the delivery             */
    bool retain;        /* travels with RETAIN 1       */
};

/* Where it goes.  NULL members: not wanted.  An error ends the walk and is returned.  For each
 * client, its session comes before its subscriptions and messages; its messages come in their
 * order. */
struct import_writer {
    int (*on_retained)(void *ctx, const struct import_message *m);
    int (*on_session)(void *ctx, const struct import_session *s);
    int (*on_subscription)(void *ctx, const struct import_subscription *s);
    int (*on_queued)(void *ctx, const struct import_queued *q);
    void *ctx;
};

struct import_counts {
    unsigned version;
    unsigned retained, sessions, subscriptions, queued; /* handed on                         */
    unsigned shared;  /* subscriptions of $share/..., which are left out                  */
    unsigned expired; /* messages and sessions whose time (MQTT 5) was over                */
    unsigned damaged; /* chunks that make no sense, or refer to what is not there          */
    bool cut;         /* the file ends in the middle of a chunk                            */
};

/* now_s   seconds since 1970, for what expires.
 * counts  filled also when it fails half-way.
 * Errors: MD_PROTO (no mosquitto.db), MD_INVAL (a version that is not read: counts->version),
 * MD_NOMEM, those of the writer. */
MD_MUST_USE int import_db_read(struct span file, int64_t now_s, const struct import_writer *to,
                               struct import_counts *counts);

#endif

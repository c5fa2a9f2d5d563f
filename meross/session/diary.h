/* diary.h - writes down how the connections of plugs go, for people who look for a fault: the
 * timeline and the health of a device, and the connections that came to nothing. */
#ifndef MEROSS_DIARY_H
#define MEROSS_DIARY_H

#include "meross/device/timeline.h"
#include "meross/meross_int.h"

struct plug;

struct diary_arrival {              /* of a connection, until its device is known */
    uint64_t opened_ms, secured_ms; /* monotonic; 0: not known */
    unsigned level;
    bool tail;            /* its client id has one behind the uuid */
    char *cipher, *hello; /* NULL: none, or not known, or told already */
};

/* In on_connect: what is known about the connection.  *out given: diary_arrival_free(). */
void diary_arrival_take(struct diary_arrival *out, const struct broker_client *who);
void diary_arrival_free(struct diary_arrival *a);

/* The connection of p->arrival is that of p->dev from now on. */
void diary_begin(struct plug *p);

/* It is trusted: what its TLS offers is that of the plug, and an event when it changed. */
void diary_proven(struct plug *p);

void diary_step(struct plug *p, enum timeline_step step);
void diary_end(struct plug *p, const char *why); /* p->dev is still known */

void diary_zone(struct plug *p, enum health_zone zone);
void diary_mute(struct plug *p, bool mute); /* it does not answer, or does so again */

/* System.All: whom it knows as its servers, and whether it thinks that it is online. */
void diary_all(struct plug *p, struct json_at firmware, struct json_at online);

/* A connection came to nothing, see broker_hooks.on_failed. */
void diary_failed(struct meross *m, const struct broker_client *who, const char *why);

/* The same for a plug that is not let in, which knows better why; diary_failed() for this
 * connection then adds nothing. */
void diary_refused(struct meross *m, const struct broker_client *who, struct span uuid,
                   const char *why);

#endif

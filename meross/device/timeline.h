/* timeline.h - how the last connections of one plug went: which steps it took, when, and how each
 * ended.  A ring; pure, and not kept over a restart.  What is not there takes no memory, for most
 * plugs stay connected for weeks.
 *
 *   TCP -> TLS -> CONNECT -> SUBSCRIBE -> Bind -> bound -> time zone -> first reading -> its end
 *
 * A step that happens again counts only where that tells something (Bind). */
#ifndef MEROSS_TIMELINE_H
#define MEROSS_TIMELINE_H

#include "broker/base/env.h"
#include "meross/wire/json_write.h"

#define TIMELINE_SESSIONS    6
#define TIMELINE_CIPHER_MAX  63
#define TIMELINE_ADDRESS_MAX 45
#define TIMELINE_END_MAX     79

enum timeline_step {
    TIMELINE_TLS,
    TIMELINE_CONNECT,
    TIMELINE_SUBSCRIBE,
    TIMELINE_BIND,    /* it asked to be taken in; a plug that is bound already may not */
    TIMELINE_BOUND,   /* it is answered, or needs no answer                            */
    TIMELINE_TIME,    /* its time zone is ours                                         */
    TIMELINE_READING, /* it told its state                                             */
    TIMELINE_STEPS
};

struct timeline_session {
    uint64_t opened_ms;            /* monotonic                                */
    uint64_t ended_ms;             /* 0: it stands                             */
    const char *cipher;            /* "" = in clear, or not known              */
    const char *end;               /* "" = it stands, or not known             */
    int32_t at_ms[TIMELINE_STEPS]; /* since it opened, at most 24 days; -1: not yet */
    unsigned binds;                /* how often it asked            */
    uint8_t level;                 /* of MQTT: 3 or 4               */
    bool tail;                     /* its client id has one         */
    char address[];
};

struct timeline { /* a zeroed one is empty */
    struct timeline_session *v[TIMELINE_SESSIONS];
    unsigned begun; /* sessions since the beginning; the newest is v[(begun - 1) % SESSIONS] */
};

/* A new connection, which was accepted at opened_ms; one that stands ends with it.
 *
 * address  copied, at most TIMELINE_ADDRESS_MAX bytes of it.
 * Returns  lent until the next call; NULL without memory: the session is as if it had not been. */
struct timeline_session *timeline_begin(struct timeline *t, uint64_t opened_ms,
                                        const char *address);

/* What its TLS is; copied, at most TIMELINE_CIPHER_MAX bytes of it.  NULL: it is in clear. */
void timeline_cipher(struct timeline_session *s, const char *cipher);

/* The newest connection, if it stands; NULL otherwise. */
struct timeline_session *timeline_now(struct timeline *t);

/* A step of the newest connection; nothing when none stands. */
void timeline_step(struct timeline *t, enum timeline_step step, uint64_t now_ms);
void timeline_end(struct timeline *t, uint64_t now_ms, const char *why);

/* The i-th newest session, 0 the newest; NULL: there is none. */
const struct timeline_session *timeline_at(const struct timeline *t, unsigned i);

/* How long it has stood, or stood, in seconds. */
int64_t timeline_seconds(const struct timeline_session *s, uint64_t now_ms);

/* How many of the sessions that are remembered ended within the last `window_ms`. */
unsigned timeline_ended_within(const struct timeline *t, uint64_t now_ms, uint64_t window_ms);

void timeline_clear(struct timeline *t); /* frees what it owns, not t */

/* A list, the newest session first:
 * [{"opened":1700000000,"address":"…","tls":"TLSv1.2 …","level":3,"client_id":"uuid_tail",
 *   "steps":{"tls":12,"connect":14,…},"binds":1,"seconds":300,"end":"…"}]; steps in ms. */
void timeline_write(struct json_writer *w, const struct timeline *t, const struct env *env);

#endif

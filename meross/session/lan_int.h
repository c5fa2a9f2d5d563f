/* lan_int.h - the session of lan.c and its exchanges (lan_exchange.c); for them only. */
#ifndef MEROSS_LAN_INT_H
#define MEROSS_LAN_INT_H

#include "meross/session/lan.h"
#include "meross/wire/http.h"
#include "meross/wire/lan_seal.h"

struct lan_session {
    struct plug plug;
    struct list link;    /* in meross.lan_sessions, or in meross.lan_dead */
    struct lan_ask *ask; /* under way; NULL: none         */
    struct buf out;      /* waits for its turn             */
    unsigned key;        /* which of the possible keys is tried */
    bool sealed;
    char seal[LAN_SEAL_KEY];
    char check_id[SIGN_ID_MAX + 1]; /* of the System.All it begins with */
    int64_t check_s;                /* and its timestamp                */
    unsigned echoes;                /* answers that had the same timestamp */
    const char *why;                /* it is about to end; NULL: it is not */
};

struct lan_ask {                 /* one exchange; outlives its session */
    struct lan_session *session; /* NULL: nobody waits for it any more */
    struct meross *m;            /* NULL: nor is there anybody else    */
    struct list link;            /* in meross.lan_asks                 */
    struct http_reader reader;
};

static inline struct lan_session *lan_of_plug(struct plug *p)
{
    return LIST_OF(p, struct lan_session, plug);
}

/* lan_exchange.c: the sessions that have something to say, and no exchange under way, may. */
void lan_pump(struct meross *m);

/* lan.c: an exchange is over; as server_exchange.done, and what came. */
void lan_took(struct lan_session *s, int err, const struct http_reader *r);

/* lan.c: it cannot go on, for a reason that stands after the plug's name.  Not at once, because whoever
 * asks is not done with it.  why  static. */
void lan_fail_soon(struct lan_session *s, const char *why);

#endif

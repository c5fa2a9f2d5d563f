/* talk.h - asking a plug something over its HTTP server: one request, one answer, open or sealed,
 * and what went wrong in a word.  Whoever owns the sockets hands in `post`; pure otherwise.
 *
 * A plug with ECDHE closes connections that bring anything open but the question for its Ability:
 * then talk_agree() in set-up mode, or talk_seal() with the key of a plug that has one. */
#ifndef TOOLS_PAIRING_TALK_H
#define TOOLS_PAIRING_TALK_H

#include "broker/base/env.h"
#include "meross/wire/envelope.h"
#include "meross/wire/http.h"
#include "meross/wire/lan_seal.h"

#define TALK_SHORT_MS 5000  /* what plugs answer at once             */
#define TALK_LONG_MS  40000 /* WifiList: the plug listens around     */

enum talk_net {                   /* what became of the bytes of a request */
                TALK_NET_DONE,    /* the reader has its verdict                     */
                TALK_NET_AWAY,    /* no connection: nothing was sent                */
                TALK_NET_REFUSED, /* the host is there, its port is closed: likewise */
                TALK_NET_SILENT,  /* sent; no whole answer in time                  */
                TALK_NET_STOPPED  /* somebody stops this program                    */
};

/* Connects, sends, feeds `in` until it has a verdict.  timeout_ms: for the answer. */
typedef enum talk_net (*talk_post_cb)(void *ctx, struct span request, unsigned timeout_ms,
                                      struct http_reader *in);

enum talk_result {
    TALK_OK,
    TALK_AWAY,      /* nobody there, or the port is closed: the request was not sent */
    TALK_SILENT,    /* sent, no answer in time                                       */
    TALK_RESET,     /* sent, closed without an answer                                */
    TALK_CUT_OFF,   /* the answer ends in the middle                                 */
    TALK_STRANGE,   /* an answer that is none of a plug                              */
    TALK_WRONG_KEY, /* ERROR 5001                                                    */
    TALK_REFUSED,   /* ERROR with another code: talk.code                            */
    TALK_STOPPED,
    TALK_FAILED /* no memory, no randomness: nothing of the plug's making        */
};

struct talk { /* zeroed, then the first members set */
    const struct env *env;
    talk_post_cb post;
    void *ctx;
    const char *host; /* for the Host line; kept                              */
    const char *key;  /* signs; "" in set-up mode, where nothing is checked; kept */
    bool sealed;
    char seal[LAN_SEAL_KEY];
    int64_t code; /* of the last ERROR */
};

struct talk_reply { /* zeroed = none */
    struct buf text;
    struct envelope e; /* its members are lent by `text` */
    bool parsed;
};
void talk_reply_free(struct talk_reply *r); /* fine on a zeroed one */

/* Asks, with a fresh messageId and the second of now.
 * payload  a JSON object.
 * *out     given on TALK_OK: talk_reply_free().  Stays where it is: its members point into it. */
enum talk_result talk_ask(struct talk *t, enum envelope_method method, const char *ns,
                          struct span payload, unsigned timeout_ms, struct talk_reply *out);

/* The exchange of Appliance.Encrypt.ECDHE; on TALK_OK the talk is sealed. */
enum talk_result talk_agree(struct talk *t);

/* From now on sealed with what a plug of this name and t->key is sealed with. */
void talk_seal(struct talk *t, const char *uuid, const char *mac);

/* Of AWAY to REFUSED: "closes the connection without an answer", to stand after "the plug"; lent. */
const char *talk_result_text(enum talk_result r);

#endif

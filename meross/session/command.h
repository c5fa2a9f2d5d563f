/* command.h - a request to a plug and its answer, matched by messageId, on whatever topic it
 * comes.  One request is in flight per plug; each is signed when it is sent, with a fresh
 * messageId and the second of that moment: plugs refuse a messageId that they have seen, and
 * some a timestamp that is old.
 *
 * A request of people ends at its deadline, whether it waits or is in flight, and is never sent
 * after it.  One of our own waits as long as it takes, and then has the whole time to answer;
 * when people come meanwhile, it gives way soon.
 *
 * What other clients ask (foreign.h) goes in the same lane, after people and before our own, as it
 * came: it was signed by whoever sent it.
 *
 * A request by PUSH is answered by a PUSH of its namespace; when none comes within a second it is
 * over all the same.  Over the LAN the end of the connection says that.
 *
 * Knows no namespaces. */
#ifndef MEROSS_COMMAND_H
#define MEROSS_COMMAND_H

#include "meross/session/plug.h"

#define COMMAND_QUEUE_MAX 16   /* waiting per plug; one more is refused as busy       */
#define COMMAND_YIELD_MS  1500 /* so long one of our own keeps people waiting at most */

/* The end of a request.  reply is lent during the call, and NULL unless the plug answered:
 *   MD_OK       answered
 *   MD_DENIED   answered by ERROR; without a reply: the plug's key became unknown
 *   MD_TIMEOUT  not answered in time
 *   MD_AGAIN    gave way to somebody more urgent: our own may be asked again
 *   MD_CLOSED   the plug went away
 *   MD_FULL     one of another client did not get its turn in time
 *   MD_IO       a PUSH over the LAN: the plug took it and closed the connection without a word
 *   MD_PROTO    answered over the LAN, but the answer was cut off or could not be understood
 *   MD_NOMEM, MD_TOOBIG, MD_INVAL (shield.h)  it could not be sent */
typedef void (*command_cb)(void *ctx, int err, const struct envelope *reply);

struct command_ask {
    enum envelope_method method;
    const char *ns;
    struct span payload; /* a JSON object */
    bool background;     /* ours: lets the others go first, and is paced on new firmware      */
    /* Of another client: then `payload` is the whole message, sent as it is, and these are its
     * messageId and its `from`; both copied.  NULL: ours, or of people. */
    const char *foreign_id, *foreign_from;
    uint64_t deadline_ms; /* monotonic; for those of people: command_deadline()                */
    command_cb cb;
    void *ctx; /* kept until cb is called */
};

/* When a request that people make now has to be answered. */
uint64_t command_deadline(const struct meross *m);

/* cb is called exactly once when MD_OK is returned (when memory runs out, before this returns),
 * and never otherwise.  While the plug is not bound, the request waits for that.
 *
 * p    NULL is a plug that is not connected.
 * ask  copied.
 * Errors: MD_CLOSED the plug is not connected; MD_DENIED its key is unknown; MD_TIMEOUT the
 *         deadline has passed; MD_FULL COMMAND_QUEUE_MAX are waiting; MD_TOOBIG more than a plug
 *         can take; MD_NOMEM. */
MD_MUST_USE int command_send(struct plug *p, const struct command_ask *ask);

/* The plug became bound: what waits may go. */
void command_wake(struct plug *p);

/* New firmware (8 and 9) has been seen to reboot under a burst: on such a plug the next request
 * goes a second from now, one of people at once; in the first minute of the connection, half a
 * second from now. */
void command_pace(struct plug *p);

/* An answer came in: GETACK, SETACK, DELETEACK, ERROR; or a PUSH where one of the same namespace
 * was asked for by PUSH.  False when nobody waits for it. */
bool command_resolve(struct plug *p, const struct envelope *reply);

/* Is a SET of this namespace in flight, whoever asked for it? */
bool command_setting(const struct plug *p, const char *ns);

/* Monotonic, when the one in flight has to be answered; 0: none is. */
uint64_t command_due_ms(const struct plug *p);

/* Is a PUSH in flight? */
bool command_pushing(const struct plug *p);

/* The one in flight will not be answered: it ends with `err`. */
void command_fail(struct plug *p, int err);

void command_close(struct plug *p); /* every request ends with MD_CLOSED */

#endif

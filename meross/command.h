/* command.h - a request to a plug and its answer, matched by messageId, on whatever topic it
 * comes.  One request is in flight per plug; each is signed when it is sent, with a fresh
 * messageId and the second of that moment (sheet, 1.3, 1.4 and traps 18 and 23).
 *
 * Knows no namespaces. */
#ifndef MEROSS_COMMAND_H
#define MEROSS_COMMAND_H

#include "meross/plug.h"

#define COMMAND_QUEUE_MAX 16 /* waiting per plug; one more is refused as busy */

/* The end of a request.  reply is lent during the call, and NULL but for the first two:
 *   MD_OK       answered
 *   MD_DENIED   answered by ERROR
 *   MD_TIMEOUT  not answered
 *   MD_CLOSED   the plug went away
 *   MD_NOMEM, MD_TOOBIG  it could not be sent */
typedef void (*command_cb)(void *ctx, int err, const struct envelope *reply);

struct command_ask {
    enum envelope_method method;
    const char *ns;
    struct span payload; /* a JSON object */
    bool background;     /* ours: lets those of people go first, and is paced on new firmware */
    command_cb cb;
    void *ctx; /* kept until cb is called */
};

/* cb is called exactly once when MD_OK is returned (when memory runs out, before this returns),
 * and never otherwise.
 *
 * p    NULL is a plug that is not connected.
 * ask  copied.
 * Errors: MD_CLOSED the plug is not bound; MD_DENIED its key is unknown; MD_FULL COMMAND_QUEUE_MAX
 *         are waiting; MD_TOOBIG more than a plug can take; MD_NOMEM. */
MD_MUST_USE int command_send(struct plug *p, const struct command_ask *ask);

/* An answer came in: GETACK, SETACK, ERROR.  False when nobody waits for its messageId. */
bool command_resolve(struct plug *p, const struct envelope *reply);

/* Is a SET of this namespace in flight? */
bool command_setting(const struct plug *p, const char *ns);

void command_close(struct plug *p); /* every request ends with MD_CLOSED */

#endif

/* refusal.h - what is not sent to a plug is answered to its sender where that named a topic, told as
 * an event of the plug, and counted. */
#ifndef MEROSS_REFUSAL_H
#define MEROSS_REFUSAL_H

#include "meross/meross_int.h"
#include "meross/wire/envelope.h"

#define REFUSAL_CODE      5000 /* as a plug says "malformed, or not for me" */
#define REFUSAL_SIGN      5001 /* "sign error"                              */
#define REFUSAL_EVENTS_MS 1000 /* between two events of one plug            */

/* Where a refusal is answered: a plain value, so that it can wait with a message. */
struct refusal_address {
    char topic[ENVELOPE_FROM_MAX + 1]; /* "" = nowhere */
    char ns[ENVELOPE_NS_MAX + 1], id[SIGN_ID_MAX + 1];
    bool keyed; /* the request was signed with the plug's key, so the answer may be */
};

/* NULL: a plug may be made to answer on the topic that the request of this client names.
 * Otherwise the reason; lent, static.  It may on the plug's own topic, where the plug speaks for
 * itself, and where the client may publish itself; but not on topics of ours, nor of other
 * plugs. */
const char *refusal_of_topic(struct meross *m, const struct broker_client *who,
                             const struct device *d, const struct envelope *e);

/* Where this request of this client is answered. */
void refusal_address(struct refusal_address *out, struct meross *m, const struct broker_client *who,
                     const struct device *d, const struct envelope *e);

/* Answers ERROR, with the reason as its detail. */
void refusal_answer(struct meross *m, const struct device *d, const struct refusal_address *to,
                    int code, const char *why);

/* Counts it; the event comes at most once in REFUSAL_EVENTS_MS for a plug. */
void refusal_tell(struct meross *m, struct device *d, const char *why);

#endif

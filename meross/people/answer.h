/* answer.h - answers to what people ask on our topics:
 *
 *   {"transaction":"t1","status":"ok","data":{...}}
 *   {"transaction":"t1","status":"queued","data":{...}}   (when_back.h)
 *   {"transaction":"t1","status":"error","error":"what happened, what to do","code":"timeout"} */
#ifndef MEROSS_ANSWER_H
#define MEROSS_ANSWER_H

#include "meross/wire/json_write.h"
#include "meross/meross_int.h"

/* The codes of errors, for programs, and what each means, for the log, where the sentence itself
 * may not stand.  README.md has them for people. */
#define ANSWER_CODES(X)                                                                            \
    /* the request itself is at fault, whatever the plug is */                                     \
    X(INVALID, "invalid", "the request makes no sense")                                            \
    X(NO_SUCH_PLUG, "no_such_plug", "there is no such plug")                                       \
    X(NO_SUCH_TIMER, "no_such_timer", "the plug has no such timer")                                \
    X(EXISTS, "exists", "the name is taken")                                                       \
    /* this plug cannot do that, and was not asked to */                                           \
    X(UNSUPPORTED, "unsupported", "the plug cannot do that")                                       \
    X(SHIELD, "shield", "nothing was sent to the plug, because it could harm it")                  \
    /* the plug was asked, or was to be */                                                         \
    X(REFUSED, "refused", "the plug refused it")                                                   \
    X(OFFLINE, "offline", "the plug is not connected")                                             \
    X(TIMEOUT, "timeout", "the plug did not answer in time")                                       \
    X(KEY, "key", "the plug was paired with another key: add `meross_key KEY`, or pair it again")  \
    /* later, or with less, it works */                                                            \
    X(BUSY, "busy", "too many requests wait for the plug")                                         \
    X(FULL, "full", "merossd keeps no more of these")                                              \
    X(INTERNAL, "internal", "merossd could not do it: see the lines before this one")

enum answer_code {
#define X(name, code, meaning) ANSWER_##name,
    ANSWER_CODES(X)
#undef X
};

#define ANSWER_TRANSACTION_MAX 128 /* bytes; a longer one counts as none */

struct answer { /* where an answer goes; a plain value */
    char topic[TOPICS_MAX];
    char transaction[ANSWER_TRANSACTION_MAX + 1];
    bool has_transaction;
    bool number; /* the transaction is a number and goes back as one */
    bool always; /* also without a transaction                       */
};

/* Remembers the transaction of a request, if it has one. */
void answer_take(struct answer *a, struct json_at request);

/* Writes up to and including "data": the caller writes one value into it.
 * b  initialised here. */
void answer_start(const struct answer *a, struct json_writer *w, struct buf *b);
/* The same with another status than "ok". */
void answer_start_as(const struct answer *a, const char *status, struct json_writer *w,
                     struct buf *b);
void answer_end(struct meross *m, const struct answer *a,
                struct json_writer *w); /* and publishes */

/* The sentence goes to whoever asked, tamed (text_tame()), because it may quote a plug or the
 * request; the log gets the code and the topic of the answer. */
void answer_error(struct meross *m, const struct answer *a, enum answer_code code, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));

#endif

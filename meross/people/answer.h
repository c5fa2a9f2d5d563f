/* answer.h - answers to what people ask on our topics:
 *
 *   {"transaction":"t1","status":"ok","data":{...}}
 *   {"transaction":"t1","status":"queued","data":{...}}   (when_back.h)
 *   {"transaction":"t1","status":"error","error":"what happened, what to do","code":"timeout"} */
#ifndef MEROSS_ANSWER_H
#define MEROSS_ANSWER_H

#include "meross/wire/json_write.h"
#include "meross/meross_int.h"

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

/* code  timeout offline no_such_plug no_such_timer invalid exists refused key shield unsupported busy
 *       internal
 * The sentence goes to whoever asked, tamed (text_tame()), because it may quote a plug or the
 * request; the log gets the code and the topic of the answer. */
void answer_error(struct meross *m, const struct answer *a, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif

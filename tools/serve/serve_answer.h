/* serve_answer.h - answers to <base>/broker/request/<verb> that the program itself gives, in the form
 * of meross/people/answer.h. */
#ifndef TOOLS_SERVE_ANSWER_H
#define TOOLS_SERVE_ANSWER_H

#include "broker/broker.h"
#include "meross/wire/json_write.h"

#define SERVE_ANSWER_MAX ((size_t)2 << 20) /* bytes */

/* Writes up to and including "data": the caller writes one value into it.
 * b  initialised here. */
void serve_answer_start(struct json_writer *w, struct buf *b, struct span request);

/* Publishes it on `topic`, unless something failed, which is logged as `what`; frees the buf. */
void serve_answer_end(struct json_writer *w, struct broker *broker, const char *topic,
                      const char *what);

#endif

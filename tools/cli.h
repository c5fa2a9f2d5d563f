/* cli.h - what the client verbs share: a connection to the broker, the request and the answer,
 * and how they fail.  A verb returns the exit status of the program. */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "meross/wire/json.h"
#include "meross/wire/json_write.h"
#include "meross/wire/topics.h"
#include "tools/args.h"
#include "tools/json_print.h"
#include "tools/mqtt_client.h"
#include "tools/plugs.h"

#include <stdio.h>

enum cli_exit { CLI_DONE, CLI_FAILED, CLI_USAGE, CLI_NO_PLUG, CLI_NO_ANSWER };

/* The daemon gives a plug five seconds; its answer "timeout" must arrive before ours. */
#define CLI_TIMEOUT_MS 7000

struct cli { /* one run of a verb; zeroed members are made by cli_open() */
    const struct args *args;
    const struct env *env;
    FILE *in, *out, *err;
    unsigned timeout_ms;
    struct mqtt_client *mqtt;
    struct topics topics;
    char transaction[20];
    char code[24];    /* of the last cli_fail() */
    const char *plug; /* whom the next request is for; NULL: the daemon itself */
};

/* Connects to what the arguments, the environment or the defaults name.  On failure the
 * reason is on cli->err. */
MD_MUST_USE int cli_open(struct cli *c);
void cli_close(struct cli *c);

/* The object that --json prints in place of a result. */
void cli_json_error(struct cli *c, const char *code, const char *text);

/* Prints a sentence, or with --json an object with status, error and code; returns `status`. */
int cli_fail(struct cli *c, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The end of a noun that stands behind the number: "1 listener", "2 listeners". */
static inline const char *cli_s(size_t n) { return n == 1 ? "" : "s"; }

struct cli_answer {
    struct buf text;  /* the whole payload                              */
    struct span data; /* its data, as it stands there; lent by `text`   */
    bool queued;      /* it will be done later                          */
};
void cli_answer_free(struct cli_answer *a); /* fine on a zeroed one */

/* Starts a request: an object with a new transaction, still open for members. */
void cli_request_start(struct cli *c, struct json_writer *w, struct buf *body);

/* Closes the object, publishes it and waits for the answer of the same transaction.
 *
 * body    taken, with whatever error its writer met.
 * *out    given: cli_answer_free(), on CLI_DONE only.
 * Returns CLI_DONE; otherwise the exit status for the code in the answer, said on cli->err. */
MD_MUST_USE int cli_request(struct cli *c, const char *ask, const char *answer,
                            struct json_writer *w, struct buf *body, struct cli_answer *out);

/* cli_request() to <base>/broker/request/<verb>.  verb  at most 24 bytes. */
MD_MUST_USE int cli_verb(struct cli *c, const char *verb, struct json_writer *w, struct buf *body,
                         struct cli_answer *out);

/* Asks for <base>/broker/request/<verb> with "plug": ref and, unless it is NULL, "name": name.
 * Otherwise as cli_request(). */
MD_MUST_USE int cli_ask(struct cli *c, const char *verb, const char *ref, const char *name,
                        struct cli_answer *out);

/* A string member of an object, of 255 bytes at most, tamed for a terminal; false and "" when there
 * is none. */
bool cli_member_text(struct json_at from, const char *name, char *out, size_t cap);
/* The same of the answer's data. */
bool cli_answer_text(const struct cli_answer *a, const char *name, char *out, size_t cap);

/* Ends and prints an object of our own, for --json.  Returns CLI_DONE or CLI_FAILED, said. */
MD_MUST_USE int cli_json_end(struct cli *c, struct json_print *j);

/* Prints JSON that came from the broker, for --json. */
MD_MUST_USE int cli_print_json(struct cli *c, struct span json);

/* The whole of a verb that shows something: connects, asks, prints the answer's data (with --json
 * as they are), and closes.
 *
 * ask, print  return CLI_DONE, or the status of a failure that was said. */
MD_MUST_USE int cli_show(struct cli *c, int (*ask)(struct cli *c, struct cli_answer *out),
                         int (*print)(struct cli *c, struct span data));

/* The daemon's list.  *answer owns what *out lends: free both. */
MD_MUST_USE int cli_list(struct cli *c, struct cli_answer *answer, struct plugs *out);

/* Finds a plug in the list; says which there are when it is not there. */
MD_MUST_USE int cli_find(struct cli *c, const struct plugs *all, const char *ref,
                         const struct plug **out);

#endif

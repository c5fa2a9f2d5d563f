/* pair_ask.h - what pairing and moving ask the broker, without a word to people: the caller says
 * what comes of it.  A connection that was lost meanwhile is made again. */
#ifndef TOOLS_PAIR_ASK_H
#define TOOLS_PAIR_ASK_H

#include "tools/cli.h"
#include "tools/pairing/pair.h"

#define PAIR_ASK_WHY (MQTT_CLIENT_ERR_MAX + 512) /* bytes that every reason fits in */

struct pair_question {
    const char *verb;
    void (*fill)(struct json_writer *j, const void *what); /* writes the members of the request */
    const void *what;
};

/* *out  given on true: cli_answer_free().
 * why   otherwise the reason; cli->code has its code. */
bool pair_ask_broker(struct cli *c, const struct pair_question *question, struct cli_answer *out,
                     char *why, size_t cap);

struct pair_told { /* which key a plug will come with; "" for a name or an address left out */
    const char *uuid, *mac, *key, *name, *address;
};
/* The verb `key`.  When no answer came it is taken back: it may have been heard all the same. */
bool pair_ask_key(struct cli *c, const struct pair_told *t, char *why, size_t cap);
/* The verb `unkey`: nobody will come with it. */
void pair_ask_unkey(struct cli *c, const char *uuid);
/* How far the plug has come.  False: no answer. */
bool pair_ask_arrival(struct cli *c, const char *uuid, struct pair_arrival *out);

#endif

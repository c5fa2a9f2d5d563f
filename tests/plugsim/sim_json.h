/* sim_json.h - reads one JSON text for the simulated plug: jsmn's tokens and a few questions.
 *
 * Written apart from meross/, so that a mistake there is not repeated here.  Token indices are
 * ints; -1 means "not there" and every function accepts it.  Nothing is allocated; the text is
 * kept until the next sim_json_parse(). */
#ifndef TESTS_PLUGSIM_SIM_JSON_H
#define TESTS_PLUGSIM_SIM_JSON_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define JSMN_HEADER
#define JSMN_STRICT
#include <jsmn.h>

#define SIM_JSON_TOKENS 512

struct sim_json {
    struct span text;
    int n;
    jsmntok_t tok[SIM_JSON_TOKENS];
};

/* MD_PROTO unless `text` is one JSON object with at most SIM_JSON_TOKENS tokens; `text` kept. */
MD_MUST_USE int sim_json_parse(struct sim_json *j, struct span text);

int sim_json_get(const struct sim_json *j, int object, const char *key); /* the member's value  */
int sim_json_count(const struct sim_json *j, int t); /* elements or members; 0 for all else     */
int sim_json_first(const struct sim_json *j, int t); /* first element of an array or key        */
int sim_json_next(const struct sim_json *j, int t);  /* first token behind t and all within it  */

bool sim_json_is(const struct sim_json *j, int t, jsmntype_t type);
/* A whole number, written as a number or as a string of digits. */
bool sim_json_int(const struct sim_json *j, int t, int64_t *out);
/* A string without escapes other than \/ \" \\; false when it does not fit into cap bytes. */
bool sim_json_str(const struct sim_json *j, int t, char *out, size_t cap);
struct span sim_json_raw(const struct sim_json *j, int t); /* without a string's quotes */

#endif

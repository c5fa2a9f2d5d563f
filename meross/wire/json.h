/* json.h - reading JSON with a forgiving eye.
 *
 * The text must be proper JSON (json_check.h); what it says may be sloppy, because plugs are:
 * numbers come as strings and strings as numbers, a single object comes bare or in a list, names
 * vary in case and repeat.  Every getter takes a position that may be
 * missing and answers "missing", so that a path is read in one line:
 *
 *     json_int(json_get(json_get(root, "clock"), "timestamp"), &seconds)
 */
#ifndef MEROSS_JSON_H
#define MEROSS_JSON_H

#include "broker/base/err.h"
#include "broker/base/span.h"
#include "meross/wire/json_check.h"

struct json {
    struct span text; /* kept until json_free() */
    void *tokens;
    unsigned n;
};

struct json_at { /* a value in a json; lent until json_free() */
    const struct json *doc;
    int i; /* negative: there is no such value */
};

enum json_type {
    JSON_MISSING,
    JSON_OBJECT,
    JSON_LIST,
    JSON_STRING,
    JSON_NUMBER,
    JSON_BOOL,
    JSON_NULL
};

/* text  kept.
 * *out  given: json_free(), on success only.
 * Errors: as json_check(), MD_NOMEM. */
MD_MUST_USE int json_parse(struct json *out, struct span text);
void json_free(struct json *j); /* safe on a zeroed one */

struct json_at json_root(const struct json *j);
/* How many objects and lists stand in each other; 1: only the outermost. */
unsigned json_depth(const struct json *j);
enum json_type json_type(struct json_at v);
static inline bool json_exists(struct json_at v) { return v.i >= 0; }

/* The member `name` of an object, or of the first element of a list; of several, the last. */
struct json_at json_get(struct json_at v, const char *name);
struct json_at json_get_nocase(struct json_at v, const char *name); /* ASCII case ignored */

/* The elements of a list; anything else but null is a list of itself. */
struct json_at json_first(struct json_at v);
struct json_at json_next(struct json_at element); /* only of what json_first() gave */

/* The members of an object: each position is a name, its value is json_value(). */
struct json_at json_first_name(struct json_at object);
struct json_at json_next_name(struct json_at name);
struct json_at json_value(struct json_at name);

/* Is this the name, its escapes resolved?  One with escapes that is longer than 127 bytes is not.
 * nocase  the case of ASCII letters does not count. */
bool json_name_is(struct json_at name, struct span text, bool nocase);

/* A number, a number in a string, true or false; a fraction is dropped.  False (and *out
 * untouched) for anything else or beyond 64 bits. */
bool json_int(struct json_at v, int64_t *out);

/* The same times 10^decimals, rounded: 21.5 with 1 is 215.  decimals is at most 9. */
bool json_scaled(struct json_at v, unsigned decimals, int64_t *out);

/* A string with its escapes resolved, or the text of a number.  False (and an empty
 * string) when it does not fit into `cap` bytes, holds a NUL, or is no text. */
bool json_text(struct json_at v, char *out, size_t cap);

struct span json_raw(struct json_at v); /* as it stands in the text, quotes included; lent */

#define JSON_EACH(it, list)                                                                        \
    for (struct json_at it = json_first(list); json_exists(it); it = json_next(it))

#endif

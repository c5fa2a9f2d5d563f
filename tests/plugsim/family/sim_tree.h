/* sim_tree.h - a JSON value that can be changed: what a simulated device remembers.
 *
 * Numbers, true, false, null and strings are kept as they were written.  NULL stands for "not
 * there" and every function that asks accepts it. */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_TREE_H
#define TESTS_PLUGSIM_FAMILY_SIM_TREE_H

#include "broker/base/buf.h"
#include "tests/plugsim/sim_json.h"

enum sim_tree_kind { SIM_TREE_OBJECT, SIM_TREE_ARRAY, SIM_TREE_STRING, SIM_TREE_OTHER };

struct sim_tree {
    enum sim_tree_kind kind;
    char *key;  /* owned; NULL unless it is a member */
    char *text; /* owned; of strings (without quotes, escapes as they came) and others */
    struct sim_tree *child, *next;
};

/* Given: sim_tree_free().  Errors: MD_PROTO the text is no JSON object; MD_NOMEM. */
MD_MUST_USE int sim_tree_parse(struct span text, struct sim_tree **out);
struct sim_tree *sim_tree_from(const struct sim_json *j, int t); /* a part of a request; given */
struct sim_tree *sim_tree_copy(const struct sim_tree *t);        /* without its key; given */
struct sim_tree *sim_tree_new(enum sim_tree_kind kind);          /* empty; given */
void sim_tree_free(struct sim_tree *t);                          /* with all below it */

struct sim_tree *sim_tree_get(const struct sim_tree *object, const char *key); /* lent */
size_t sim_tree_count(const struct sim_tree *t);
bool sim_tree_is(const struct sim_tree *t, enum sim_tree_kind kind);
bool sim_tree_int(const struct sim_tree *t, int64_t *out); /* also of a string of digits */
int64_t sim_tree_number(const struct sim_tree *t, int64_t other);
const char *sim_tree_text(const struct sim_tree *t); /* lent; "" for objects and arrays */
bool sim_tree_same(const struct sim_tree *a, const struct sim_tree *b); /* keys of both aside */

/* value  taken, also when it fails; replaces the member of that name or comes last.
 * Errors: MD_NOMEM, also for a NULL value. */
MD_MUST_USE int sim_tree_set(struct sim_tree *object, const char *key, struct sim_tree *value);
MD_MUST_USE int sim_tree_set_int(struct sim_tree *object, const char *key, int64_t value);
MD_MUST_USE int sim_tree_set_text(struct sim_tree *object, const char *key, const char *text);
void sim_tree_add(struct sim_tree *array, struct sim_tree *value);   /* taken */
void sim_tree_drop(struct sim_tree *parent, struct sim_tree *child); /* freed */
/* Members of `from` (lent) replace those of `to`, objects within objects as well.  MD_NOMEM. */
MD_MUST_USE int sim_tree_merge(struct sim_tree *to, const struct sim_tree *from);

MD_MUST_USE int sim_tree_put(const struct sim_tree *t, struct buf *out); /* appends its JSON */
/* Appends the members of an object, without braces; true in *any when there was one. */
MD_MUST_USE int sim_tree_put_members(const struct sim_tree *object, struct buf *out, bool *any);

#endif

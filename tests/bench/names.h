/* names.h - client ids, filters and topics of a load, made before it runs. */
#ifndef TESTS_BENCH_NAMES_H
#define TESTS_BENCH_NAMES_H

#include "broker/base/err.h"

struct names; /* owns every name that was made */

MD_MUST_USE int names_new(struct names **out); /* MD_NOMEM */
void names_free(struct names *n);              /* NULL is fine */

/* `pattern` with %c replaced by `client`, %f by `f`, and %x by ten levels, each "a" or "+" as the
 * bits of f tell; lent.  NULL: out of memory. */
char *names_make(struct names *n, const char *pattern, unsigned client, unsigned f);

/* `count` of them with %f from 0, NULL-ended; lent.  NULL: out of memory. */
const char *const *names_list(struct names *n, const char *pattern, unsigned client,
                              unsigned count);

#endif

/* shared.h - a text that several devices have in common, and of which there is one copy: what plugs
 * of one model and firmware say of themselves is the same, and longer than all else that is known
 * of them.  Its users are counted.  Pure. */
#ifndef MEROSS_SHARED_H
#define MEROSS_SHARED_H

#include "broker/base/err.h"
#include "broker/base/span.h"

/* A copy of `text`, which has one user; given: shared_drop().  NULL: out of memory. */
const char *shared_new(struct span text);

/* One user less, the last one frees it; NULL is fine. */
void shared_drop(const char *text);

/* If both say the same, *mine becomes a further user of `other`'s copy, and true is returned.
 * *mine, other  of shared_new(); NULL says the same as nothing. */
bool shared_join(const char **mine, const char *other);

#endif

/* newest.h - which message about a state is the newest (sheet 5.0): the push and the
 * acknowledgement of a change, and the answer to a question, may come in another order than they
 * were made.  By the clock of the plug (`timestamp` and `timestampMs` of the header), within one
 * connection; an older one changes nothing, and plug.c asks for the state instead.
 *
 * That clock may be anything: seconds since it was switched on, until it is told the time; then it
 * jumps, forwards or back.  So the count begins anew when the plug is told the time or asks for it,
 * when it is more than NEWEST_JUMP_S behind, and when two in a row are behind: no message is under
 * way for so long, and hardly ever are two. */
#ifndef MEROSS_NEWEST_H
#define MEROSS_NEWEST_H

#include "meross/wire/envelope.h"

#define NEWEST_MAX    16 /* namespaces of one plug; further ones are always news */
#define NEWEST_JUMP_S 60

struct newest_stamp {
    const char *ns;
    int64_t s;
    int ms; /* negative: it did not tell */
};

struct newest { /* a zeroed one has seen nothing */
    struct newest_stamp *v;
    unsigned n, cap, late;
};

struct plug;

/* False: e is older than what is known by now, and the caller asks for the state.  Anything that is
 * about no state, or has no stamp, or for which there is no memory, is news. */
bool newest_take(struct plug *p, const struct envelope *e);

void newest_clear(struct newest *n); /* frees what it owns, not n */

#endif

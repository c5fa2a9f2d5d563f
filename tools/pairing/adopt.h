/* adopt.h - a plug that is in the LAN already, with the key of somebody else: it is given another
 * broker and a key of its own, and keeps its Wi-Fi.  Uses the steps of pair.h and its world.
 *
 *   PROBE --> READ, with each key that may be its own --> KEY --> BROKER --> ARRIVE --> BIND
 *         --> READING */
#ifndef TOOLS_PAIRING_ADOPT_H
#define TOOLS_PAIRING_ADOPT_H

#include "tools/pairing/pair.h"

#define ADOPT_KEYS_MAX 20

struct adopt_keys {
    const char *v[ADOPT_KEYS_MAX]; /* secret; lent */
    unsigned n;
    /* Asks a person for one more, which stays until the end; NULL: nobody to ask, or nothing said. */
    const char *(*ask)(void *ctx, unsigned attempt);
};

/* As pair_run(); p->talk.host is the plug's address. */
void adopt_run(struct pair *p, const struct adopt_keys *keys);

#endif

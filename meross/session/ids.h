/* ids.h - the messageIds that went over a connection lately, for plugs ignore one that they have
 * seen, and an answer is one only if something was asked.  As hashes of 32 bits: a mistake, one in
 * a hundred million by chance, costs one message.  Pure. */
#ifndef MEROSS_IDS_H
#define MEROSS_IDS_H

#include "broker/base/span.h"

#define IDS_MAX 32 /* a further one replaces the oldest; the memory of a plug is not known */

struct ids { /* zeroed = none */
    uint32_t v[IDS_MAX];
    unsigned next;
};

void ids_note(struct ids *ids, const char *id);
bool ids_have(const struct ids *ids, const char *id);

#endif

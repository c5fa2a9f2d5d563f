/* askers.h - the topics on which a plug was asked to answer lately: header.from of the requests
 * that were let through to it.  It may publish there, and on no other foreign topic. */
#ifndef MEROSS_ASKERS_H
#define MEROSS_ASKERS_H

#include "broker/base/span.h"

#define ASKERS_MAX      8     /* topics; a further one replaces the oldest  */
#define ASKERS_VALID_MS 60000 /* after a request its answer is not late any more, but refused */

struct asker {
    char *topic; /* NULL: free */
    uint64_t until_ms;
};

struct askers {      /* zeroed = none */
    struct asker *v; /* ASKERS_MAX; NULL: nobody ever asked */
};

/* A request named this topic.  When memory runs out it is as if it had not. */
void askers_note(struct askers *a, const char *topic, uint64_t now_ms);
bool askers_have(const struct askers *a, struct span topic, uint64_t now_ms);
void askers_clear(struct askers *a);

#endif

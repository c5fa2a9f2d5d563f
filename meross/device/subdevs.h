/* subdevs.h - the sub-devices of a hub: valves and sensors that have no connection of their own.  What
 * they measure is in facts.h, under facts_sub(number).  Pure. */
#ifndef MEROSS_SUBDEVS_H
#define MEROSS_SUBDEVS_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define SUBDEVS_MAX      64 /* per hub; further ones are ignored */
#define SUBDEVS_WAKES    10 /* orders for one in a minute */
#define SUBDEVS_ID_MAX   32 /* bytes */
#define SUBDEVS_TYPE_MAX 31
#define SUBDEVS_NAME_MAX 32

struct subdev {
    char id[SUBDEVS_ID_MAX + 1];     /* as the hub spells it */
    char type[SUBDEVS_TYPE_MAX + 1]; /* "ms100"; "" = not known yet */
    char name[SUBDEVS_NAME_MAX + 1]; /* given by people; "" = none */
    int8_t online;                   /* 1, 0, or -1: nobody knows */
    int8_t on;                       /* of its switch: 1, 0, or -1: it has none */
    unsigned number;                 /* for facts_sub(); never used again for another one */
    unsigned wakes;                  /* orders since wakes_ms, which wake it */
    uint64_t wakes_ms;               /* monotonic */
};

struct subdevs { /* a zeroed one is empty */
    struct subdev *v;
    unsigned n, cap, next;
};

/* lent until the next subdevs_add() or subdevs_remove(); NULL when there is none.  Case is ignored. */
struct subdev *subdevs_find(const struct subdevs *s, const char *id);

/* By its name, its id, or the beginning of exactly one id. */
struct subdev *subdevs_named(const struct subdevs *s, struct span ref);

/* The one with this id, which is made when there is room; NULL when there is none, or the id is
 * empty or too long.  lent as above. */
struct subdev *subdevs_add(struct subdevs *s, const char *id);

/* Orders wake a sub-device and cost its battery: may it be given another one at `now_ms`?  If so, that
 * is counted: SUBDEVS_WAKES in a minute. */
bool subdevs_may_wake(struct subdev *it, uint64_t now_ms);

void subdevs_remove(struct subdevs *s, struct subdev *it);
void subdevs_clear(struct subdevs *s);

#endif

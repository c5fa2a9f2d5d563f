/* level.h - the part of a plug that a topic names, <base>/<plug>/<part>/set: a socket by its number
 * or name, or a sub-device of a hub by its name, its id or the beginning of it; as the tool has it
 * (`merossd on strip/lamp`).  Upper and lower case are the same.
 *
 * An order for a sub-device says so in its payload, so there the topic is written into that. */
#ifndef MEROSS_LEVEL_H
#define MEROSS_LEVEL_H

#include "meross/device/device.h"

#define LEVEL_TEXT_MAX 4096 /* bytes of a payload that is written anew */

struct level {
    struct span channel; /* its digits; p == NULL: the payload says what it is about */
    struct span payload;
    char digits[4];
    struct buf text;
};

/* part     of the topic; p == NULL: it has none.
 * payload  of the set; kept until level_free(), like part.
 * *out     given: level_free(), also after an error.
 * Errors: MD_NOENT it has no such part (a number is taken as it is: whoever reads the order knows
 *         which there are); MD_INVAL the payload names a part as well; MD_TOOBIG, MD_NOMEM. */
MD_MUST_USE int level_read(struct level *out, struct device *d, struct span part,
                           struct span payload);
void level_free(struct level *l);

#endif

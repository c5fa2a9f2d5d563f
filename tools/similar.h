/* similar.h - "did you mean ...?": which of the words that exist a mistyped one is most like.
 *
 *     struct similar s = similar_to(typed);
 *     similar_try(&s, word);    for each word
 *     s.best                    NULL: none is close */
#ifndef TOOLS_SIMILAR_H
#define TOOLS_SIMILAR_H

#include "broker/base/span.h"

#define SIMILAR_MAX 48u /* bytes; longer words are like no other */

struct similar {
    struct span name;
    const char *best;
    unsigned slips; /* fewer bytes than so many are put in, left out or changed: one in a short
                       name, two in one of six bytes and more */
};

struct similar similar_to(struct span name);                /* kept: what it points to */
void similar_try(struct similar *s, const char *candidate); /* kept */

#endif

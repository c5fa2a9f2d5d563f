/* utf8.h - MQTT's rules for strings.  Pure. */
#ifndef BROKER_CODEC_UTF8_H
#define BROKER_CODEC_UTF8_H

#include "broker/base/span.h"

/* Well-formed UTF-8, no surrogates [MQTT-1.5.3-1], no U+0000 [MQTT-1.5.3-2], no control
 * characters U+0001-001F and U+007F-009F and no non-characters (1.5.3, SHOULD NOT).
 * U+FEFF is an ordinary character [MQTT-1.5.3-3]. */
bool utf8_valid(struct span s);

/* The length, 1 to 4, of the character that utf8_valid() would allow at the start of `s`;
 * 0 when there is none.  For callers that look at characters in the same pass. */
size_t utf8_char(struct span s);

#define UTF8_EACH_BYTE 0x0101010101010101u /* times c: eight bytes c */

/* Eight bytes in any order, loaded with memcpy: true when all are printable ASCII (0x20-0x7E),
 * which is what nearly every topic consists of. */
static inline bool utf8_word_printable(uint64_t w)
{
    const uint64_t high = 0x80 * UTF8_EACH_BYTE;
    /* Lane by lane: +0x60 sets the high bit from 0x20 on, +1 sets it for 0x7F.  A lane that is
     * not ASCII fails on ~w, so what it carries into its neighbour does not matter. */
    return ((w + 0x60 * UTF8_EACH_BYTE) & ~(w + UTF8_EACH_BYTE) & ~w & high) == high;
}

#endif

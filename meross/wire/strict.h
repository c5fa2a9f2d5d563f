/* strict.h - JSON that every parser reads alike.  What parses a message in a plug is not ours to
 * know, and what parsers disagree about could be checked as one thing and obeyed as another, or
 * make a plug reboot.  So beyond being JSON the text is
 *
 *   UTF-8, without NUL and half surrogate pairs, escaped or not;
 *   free of names that stand twice in an object, also in another case (small parsers take the first
 *   and ignore case), and of names longer than STRICT_NAME_MAX;
 *   flat, in few pieces, with short numbers that have no exponent.
 *
 * Pure; knows nothing of messages. */
#ifndef MEROSS_STRICT_H
#define MEROSS_STRICT_H

#include "meross/wire/json.h"

#define STRICT_DEPTH_MAX  12 /* nested { and [; a Multiple with light effects has 9 */
#define STRICT_NAMES_MAX  64 /* members of one object                               */
#define STRICT_NAME_MAX   63 /* bytes of a name                                     */
#define STRICT_NUMBER_MAX 20 /* characters of a number: 64 bits and a sign          */

/* NULL: fine.  Otherwise what is wrong, for people; lent, static. */
const char *strict_objection(const struct json *j);

#endif

/* json_cut.h - finds the pieces of a long JSON text without parsing it as a whole.
 *
 * The list of a large house is longer than meross/wire/json.h takes at once; the pieces are
 * not.  Pure, and safe on any bytes; whether a piece is proper JSON is for json_parse() to say. */
#ifndef TOOLS_JSON_CUT_H
#define TOOLS_JSON_CUT_H

#include "broker/base/span.h"

/* The value of a member of `object`, as it stands there; of several, the first.  Names with
 * escapes are not found. */
bool json_cut_member(struct span object, const char *name, struct span *value);

/* Takes the next element off a list.  Start with *rest = the whole list, bracket included. */
bool json_cut_element(struct span *rest, struct span *element);

#endif

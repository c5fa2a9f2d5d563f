/* wishes.h - what a `set` asks for beside relays: the keys of the state, as SETs (meross/family).
 *
 *   {"brightness":80,"color":"#ff0000"}              of the only channel that has such a thing
 *   {"channel":1,"door":"open"}
 *   {"subdevice":"bath","target_temperature":21.5}   by its name, or its id or the beginning of it
 *   {"state":"ON","mode":"heat"}                     where what is switched is no relay
 *
 * A state as it was published is an order, too: of that, what cannot be set or is so already is left
 * out; otherwise a key that cannot be set is an error, and nothing is sent. */
#ifndef MEROSS_WISHES_H
#define MEROSS_WISHES_H

#include "meross/family/family.h"
#include "meross/people/orders.h"

#define WISHES_WHY_MAX (FAMILY_WHY_MAX + 128)

/* Does the order say anything about on and off?  root may be missing. */
bool wishes_switch(struct json_at root);

/* Adds the steps, and takes those orders that no relay can fulfil out of `orders`.
 *
 * orders  read and settled; none when the order says nothing about on and off.
 * level   the channel of the topic; p == NULL: it has none.
 * root    the order; missing: it was a word.
 * why     what is wrong, a whole sentence.
 * Errors: MD_INVAL, MD_NOENT the device cannot do that, MD_FULL, MD_NOMEM; then there are no steps. */
MD_MUST_USE int wishes_plan(struct family_steps *steps, struct orders *orders, struct device *d,
                            struct span level, struct json_at root, char why[WISHES_WHY_MAX]);

#endif

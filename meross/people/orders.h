/* orders.h - what a `set` asks for: the text of a request into a list of channels and wishes.
 *
 *   ON | OFF | TOGGLE in any case
 *   {"state":"ON","channel":1}
 *   {"channels":[{"channel":1,"state":"ON"},{"channel":2,"state":"OFF"}]}
 *   the payload of the state topic, which has "state" beside "channels"
 *
 * Sends nothing. */
#ifndef MEROSS_ORDERS_H
#define MEROSS_ORDERS_H

#include "meross/people/answer.h"
#include "meross/device/device.h"

enum want { WANT_OFF, WANT_ON, WANT_TOGGLE };

struct order {
    unsigned channel; /* 0-255 */
    enum want want;
};

struct orders { /* a plain value; n = 0: nothing is to be switched */
    unsigned n;
    struct order v[DEVICE_CHANNELS_MAX];
};

/* level  the channel of the topic; p == NULL: it has none.
 * a      gets the transaction, also when the rest makes no sense.
 * False when it is no order, or contradicts itself. */
bool orders_read(struct orders *out, struct span level, struct span payload, struct answer *a);

/* Channel 0 of a strip is all of its outlets.  A list that names it beside others says the same
 * thing twice, as the state does: then it is left out, unless that changes what is asked for.
 * False when the two contradict each other. */
bool orders_settle(struct orders *o, const struct device *d);

/* TOGGLE becomes the opposite of what each channel is, or is about to be; false when that is not
 * known of one. */
bool orders_resolve(struct orders *o, struct device *d);

#endif

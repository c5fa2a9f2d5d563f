/* shield.h - what may be delivered to a plug.  A payload that is no JSON made a plug click its
 * relay and reboot, and a retained request would be obeyed again at every reconnect.  A parser in
 * a plug is not ours to know, so it gets nothing that parsers disagree about: the text is
 * UTF-8, without NUL and half surrogate pairs, and has one header and one payload.  Pure. */
#ifndef MEROSS_SHIELD_H
#define MEROSS_SHIELD_H

#include "broker/broker.h"
#include "meross/wire/envelope.h"

/* NULL: fine.  Otherwise the reason, for people; lent, static.
 *
 * m     a message to /appliance/<uuid>/subscribe.
 * from  where the answer is wanted, "" = nowhere; filled in when it is fine. */
const char *shield_objection(const struct broker_message *m, char from[ENVELOPE_FROM_MAX + 1]);

#endif

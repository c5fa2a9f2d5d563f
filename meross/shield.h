/* shield.h - what may be delivered to a plug.  A payload that is no JSON made a plug click its
 * relay and reboot, and a retained request would be obeyed again at every reconnect (sheet, traps
 * 12 and 13).  Pure. */
#ifndef MEROSS_SHIELD_H
#define MEROSS_SHIELD_H

#include "broker/broker.h"
#include "meross/envelope.h"

/* NULL: fine.  Otherwise the reason, for people; lent, static.
 *
 * m     a message to /appliance/<uuid>/subscribe.
 * from  set to where the plug is to answer; "" with an objection. */
const char *shield_objection(const struct broker_message *m, char from[ENVELOPE_FROM_MAX + 1]);

#endif

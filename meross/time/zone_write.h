/* zone_write.h - the payload of Appliance.System.Time: the time, the zone, and its table.  Pure. */
#ifndef MEROSS_ZONE_WRITE_H
#define MEROSS_ZONE_WRITE_H

#include "broker/base/buf.h"
#include "meross/time/zone.h"

/* Appends {"time":{"timestamp":...,"timezone":...,"timeRule":[[at,offset,dst],...]}}.
 *
 * name   of the zone.
 * rules  n entries, as zone_table() makes them.
 * now    seconds since 1970.
 * Errors: those of the buf. */
MD_MUST_USE int zone_write(struct buf *out, const char *name, const struct zone_rule rules[],
                           size_t n, int64_t now);

#endif

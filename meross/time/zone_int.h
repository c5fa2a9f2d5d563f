/* zone_int.h - shared by zone.c, zone_posix.c and zone_tzif.c only. */
#ifndef MEROSS_ZONE_INT_H
#define MEROSS_ZONE_INT_H

#include "meross/time/zone.h"

/* Copies a name of 1-63 printable ASCII characters without spaces.  Errors: MD_INVAL. */
MD_MUST_USE int zone_set_name(struct zone *z, const char *name);

/* The POSIX rules alone.  Errors: MD_INVAL. */
MD_MUST_USE int zone_posix_parse(struct zone_posix *out, struct span text);

/* The two changes of a year in ascending order. */
void zone_posix_year(const struct zone_posix *p, int64_t year, struct zone_rule out[2]);

int64_t zone_year_of(int64_t utc); /* the civil year in UTC */

#endif

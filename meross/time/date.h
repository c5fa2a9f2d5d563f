/* date.h - calendar days: as numbers (0 is 1970-01-01), as text, and where they begin in a zone.
 *
 * Pure.  A day of a zone has 23, 24 or 25 hours; one that a zone left out altogether has none.  A
 * zone that is NULL is UTC. */
#ifndef MEROSS_DATE_H
#define MEROSS_DATE_H

#include "meross/time/zone.h"

#define DATE_TEXT  11      /* bytes of "2024-04-03" with its NUL */
#define DATE_MAX   2932896 /* 9999-12-31                         */
#define DATE_DAY_S 86400

/* "2024-04-03": four, two and two digits, a day that exists, from 1970 to 9999.  Errors:
 * MD_INVAL. */
MD_MUST_USE int date_parse(struct span text, int32_t *day);
/* "2024-04", months since January 1970.  Errors: MD_INVAL. */
MD_MUST_USE int date_parse_month(struct span text, int32_t *month);

/* day  0 to DATE_MAX; month  one of those. */
void date_text(int32_t day, char out[DATE_TEXT]);
void date_month_text(int32_t month, char out[DATE_TEXT]);
int32_t date_month(int32_t day);         /* in which month it is          */
int32_t date_month_first(int32_t month); /* its first day                 */
unsigned date_of_month(int32_t day);     /* 0 for the first of a month    */

/* Seconds east of UTC at an instant. */
int32_t date_offset(const struct zone *zone, int64_t utc);
/* The day it is in the zone; before 1970 it is 1970-01-01. */
int32_t date_local(const struct zone *zone, int64_t utc);
/* The first instant of a day of the zone. */
int64_t date_begin(const struct zone *zone, int32_t day);

#endif

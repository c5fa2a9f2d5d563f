/* dates.h - days of the Gregorian calendar from seconds, in 64 bits: time_t has 32 on some of our
 * targets, and certificates of today end after 2038.  Pure. */
#ifndef CERTS_DATES_H
#define CERTS_DATES_H

#include "broker/base/env.h"

#define DATES_DAY 86400 /* seconds */

struct dates {
    int64_t year;
    unsigned month, day; /* from 1 */
};

/* seconds: since 1970-01-01 UTC, also negative.  The time of day is dropped. */
struct dates dates_from_unix(int64_t seconds);
int64_t dates_to_unix(struct dates d); /* midnight UTC */

/* The wall clock, or 2026-01-01 while it shows less: a router without a clock starts in 1970, and
 * certificates made then would end in 1990.  Which moment this is decides only when they end, so
 * a late one is chosen; what is told to plugs as the time has a floor of its own. */
int64_t dates_now(const struct env *env);

/* The same day `years` later; February 29 becomes 28. */
struct dates dates_add_years(struct dates d, int64_t years);

#endif

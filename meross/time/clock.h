/* clock.h - does this computer know the time?  Pure.
 *
 * A router without a battery begins in 1970, or with the date of its image, until NTP has reached
 * it.  Plugs must not be told such a time. */
#ifndef MEROSS_CLOCK_H
#define MEROSS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* 2024-01-01.  Earlier than any release of this program, so that a clock that is merely late is
 * believed. */
#define CLOCK_SANE_S 1704067200

/* now_s  seconds since 1970-01-01 UTC */
static inline bool clock_is_sane(int64_t now_s) { return now_s >= CLOCK_SANE_S; }

#endif

/* ledger.h - the energy of one channel of one plug: by day, by hour, and a total that only grows.
 *
 * Pure arithmetic on whole Wh; nothing here is ever rounded twice.  What belongs to which account:
 *
 *  1. The plug's own counter is the account.  Booked is by how much it says more than it said the
 *     time before, on the day it says it for; nothing else is.  The total is the sum of what was
 *     booked, so it does not care whether the counter starts again, is cleared, forgets a day or
 *     says the same day twice, and what happened while nobody listened is booked when the plug
 *     tells it.
 *  2. Power, integrated over time, is an account only for a channel that has no counter.  For
 *     others it has four uses and is never booked beside the counter:
 *      - it is shown on top of the account until the next count replaces it.  What was shown
 *        never falls: a count below it is waited for (ledger_shown());
 *      - it tells in which hours an increase fell; without it time tells;
 *      - it tells whether a day that begins with what yesterday ended with was carried over;
 *      - when a counter falls, it is what flowed since the count before.
 *  3. A day that begins with yesterday's value or more is carried over when that, rather than a
 *     count that began at midnight, fits the power; without power: when it is yesterday's value
 *     within the first hour, more than LEDGER_WATTS can be, or the plug did so before.  Then it
 *     counts from there.
 *  4. A counter that fell within a day:  nothing was booked for that day yet: it was a stale one,
 *     and the new value counts.  Power is known: what flowed by it is booked.  Otherwise: a value
 *     of at most half of the old one, and not more than LEDGER_WATTS can be, is a counter that was
 *     cleared and counts; a larger one was set back and nothing is booked.  It goes on from the new
 *     value.
 *  5. A day or an hour older than the newest that was counted, of which nothing is known, was lost
 *     by us (a damaged record): it is filled in from the plug, but it is in the total already.
 *  6. Hours that the plug counts itself (ConsumptionH) are taken as it says them, and are the
 *     account where there are no days.
 *
 *  7. While there is something in the future, one of two clocks was wrong: that of then, or the one
 *     of now, of a computer that starts without the time. Nothing is booked meanwhile, for the plug
 *     will say it again; what is in the future after LEDGER_AHEAD_S is dropped.
 *
 * Days are those of the zone (23 to 25 hours); hours begin at full local hours and are numbered by
 * UTC instants ("slots"), so that the hour that comes twice is two hours.
 *
 * Kept are LEDGER_MONTHS months of days (at least 400 days) and LEDGER_SPANS times 24 hours (60
 * days), packed (ledger_pages.h): 3 to 5.5 kB of memory per channel when all of it is there. */
#ifndef MEROSS_LEDGER_H
#define MEROSS_LEDGER_H

#include "meross/time/date.h"

#define LEDGER_MONTHS      14
#define LEDGER_SPANS       61
#define LEDGER_DAYS_MAX    400
#define LEDGER_HOURS_MAX   (60 * 24)
#define LEDGER_WATTS       4000      /* more does not flow through a plug                      */
#define LEDGER_WH_MAX      10000000  /* a day; what says more is no count                      */
#define LEDGER_MW_MAX      100000000 /* so is a power beyond 100 kW                           */
#define LEDGER_GAP_S       300       /* power is integrated over no longer pause               */
#define LEDGER_AHEAD_S     21600     /* so long what is in the future is kept: see 7           */
#define LEDGER_SINCE       6         /* hours of power kept for the next count                 */
#define LEDGER_HOUR_S      3600
#define LEDGER_MWMS_PER_WH 3600000000 /* mW ms */

struct ledger_pages { /* private to ledger_pages.c: packed */
    uint8_t *bytes;
    size_t n, cap;
};

struct ledger_since {
    int64_t slot, mwms; /* milliwatt milliseconds */
};

struct ledger {
    struct ledger_pages pages[2]; /* of each kind, see ledger_pages.h */
    int64_t total;                /* Wh booked */
    int64_t shown;                /* Wh shown last */
    int64_t counted_at;           /* second of the last count; 0: none yet */
    int32_t last_day;             /* the newest that the plug counted, and what it said last */
    uint32_t last_seen;
    int64_t hour_slot; /* the newest that the plug counted, and what it said last */
    uint32_t hour_seen;
    bool carries;     /* the plug was seen to carry over at midnight */
    bool dirty;       /* what is no day and no hour differs from the record */
    int64_t saved_at; /* counted_at of the record */
    int32_t today;    /* the day of which today_shown was shown */
    int64_t today_shown;
    int32_t this_month;
    int64_t month_shown;
    /* Power. */
    int32_t mw;
    int64_t power_at;    /* second of the last reading; 0: none */
    uint64_t power_mono; /* the same, monotonic; 0: it was before this process */
    int64_t rest;        /* of an account by power: less than a Wh, in mW ms */
    struct ledger_since since[LEDGER_SINCE]; /* since the last count */
    unsigned n_since;
    uint64_t ahead_ms; /* monotonic: since then something is in the future; 0: nothing is */
    uint64_t since_ms; /* so much of the time since then is in it */
};

struct ledger_now {
    int64_t s; /* UTC; believed */
    uint64_t mono_ms;
    const struct zone *zone; /* kept by the caller; NULL: UTC */
};

struct ledger_day_count {
    int32_t day;
    int64_t at; /* second of the plug's own last update of it; 0: not told */
    uint32_t wh;
};

struct ledger_hour_count {
    int64_t at; /* a second at the end of the hour */
    uint32_t wh;
};

void ledger_clear(struct ledger *l); /* frees what it owns; a zeroed one is a new one */

/* The plug's days, in any order; an empty list is no count.  Days that are not of the last
 * LEDGER_DAYS_MAX, or later than tomorrow, are left out.  Of what was booked before the first count
 * there are no hours.
 *
 * counts  is put in order.
 * Errors: MD_NOMEM: what was booked is whole days, the others come with the next count. */
MD_MUST_USE int ledger_count_days(struct ledger *l, const struct ledger_now *now,
                                  struct ledger_day_count counts[], size_t n);

/* The plug's hours, in any order.
 * account  the channel has no days: see 6 above.
 * Errors: as ledger_count_days(). */
MD_MUST_USE int ledger_count_hours(struct ledger *l, const struct ledger_now *now,
                                   struct ledger_hour_count counts[], size_t n, bool account);

/* A reading of the power; what flows back is not subtracted.
 * account  the channel has no counter: see 2 above.
 * Errors: MD_NOMEM: what was to be booked is booked with the next. */
MD_MUST_USE int ledger_power(struct ledger *l, const struct ledger_now *now, int32_t mw,
                             bool account);

/* What to show, in Wh: the account and what power says since the last count.  It never falls; that
 * of today and of this month begins anew with the day and the month. */
int64_t ledger_shown(struct ledger *l);
int64_t ledger_today(struct ledger *l, const struct ledger_now *now);
int64_t ledger_this_month(struct ledger *l, const struct ledger_now *now);

/* What is booked; false: nothing is known of it, *wh is 0. */
bool ledger_day(const struct ledger *l, int32_t day, uint32_t *wh);
bool ledger_hour(const struct ledger *l, int64_t slot, uint32_t *wh);
int64_t ledger_month_wh(const struct ledger *l, int32_t month);

int64_t ledger_slot(const struct zone *zone, int64_t utc);        /* the hour of an instant  */
int64_t ledger_slot_begin(const struct zone *zone, int64_t slot); /* its first second        */

/* --- for ledger.c --- */

/* As ledger_day(); *seen is what the plug said last, undefined when nothing is known. */
bool ledger_day_seen(const struct ledger *l, int32_t day, uint32_t *wh, uint32_t *seen);
/* The power since the last count, from this slot on, in mW ms. */
int64_t ledger_since(const struct ledger *l, int64_t first_slot);

#endif

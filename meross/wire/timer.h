/* timer.h - what a plug does by itself: TimerX, at a time of its day, and TriggerX, so long after it
 * was switched on.  Pure.
 *
 * A plug keeps the days of the week as bits, and nobody has published which bit is which: some say
 * that bit 0 is Sunday, some that it is Monday (bit 7 is "again each week").  All seven are the same
 * either way; for others the caller says what to go by. */
#ifndef MEROSS_TIMER_H
#define MEROSS_TIMER_H

#include "meross/wire/json.h"
#include "meross/wire/json_write.h"

#define TIMER_ID_LENGTH 16 /* of one that we make */
#define TIMER_ID_MAX    32
#define TIMER_NAME_MAX  32 /* bytes */
#define TIMER_EVERY_DAY 127u
#define TIMER_DAYS_TEXT 40  /* "mon,tue,wed,thu,fri,sat,sun" and its end, and more */
#define TIMER_AFTER_MIN 60u /* seconds of a trigger */
#define TIMER_AFTER_MAX 86400u

enum timer_first { TIMER_FROM_SUNDAY, TIMER_FROM_MONDAY }; /* what bit 0 is */

struct timer {
    char id[TIMER_ID_MAX + 1], name[TIMER_NAME_MAX + 1]; /* name "": none */
    unsigned channel;
    bool is_trigger, enabled;
    bool once;        /* a timer that does not come again          */
    unsigned minute;  /* of the local day; of a timer              */
    unsigned days;    /* bit 0 Monday to bit 6 Sunday              */
    int on;           /* 1, 0; -1: it does something else          */
    int sun_offset;   /* minutes, when it goes by the sun; 0: it does not, or at that moment */
    unsigned after_s; /* of a trigger, which switches off          */
};

/* The object behind "timerx" or "triggerx".  False: it is none, or without an id. */
bool timer_read(struct timer *out, struct json_at v, bool is_trigger, enum timer_first first);

/* The same object for a SET of a new one.
 * now  becomes its time of making: seconds since 1970. */
void timer_write(struct json_writer *w, const struct timer *t, enum timer_first first, int64_t now);

/* A copy of the object with another "enable"; what we do not know of it stays. */
void timer_write_enabled(struct json_writer *w, struct json_at v, bool enabled);

/* Does the plug keep what we asked for?  Names are not compared. */
bool timer_same(const struct timer *a, const struct timer *b);

/* As people see it: an object. */
void timer_write_public(struct json_writer *w, const struct timer *t);

/* "7:30" or "07:30", to "23:59". */
bool timer_read_time(const char *text, unsigned *minute);

/* "daily", "weekdays", "weekend", or names with commas between: "mon,wed" or "Monday,Wednesday". */
bool timer_read_days(const char *text, unsigned *days);
void timer_days_text(unsigned days, char out[TIMER_DAYS_TEXT]); /* "daily", "mon,wed" */

/* "15" or "15m", "90s", "2h": seconds, from TIMER_AFTER_MIN to TIMER_AFTER_MAX; "off" is 0. */
bool timer_read_after(const char *text, unsigned *seconds);

#endif

/* zone.h - a time zone, and the table of its coming changes that a plug wants.
 *
 * Pure: the caller has read the zoneinfo file or the TZ string.  Knows no JSON. */
#ifndef MEROSS_ZONE_H
#define MEROSS_ZONE_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define ZONE_NAME_MAX  63
#define ZONE_TABLE_MAX 20  /* entries, as many as the vendor's cloud sends */
#define ZONE_PAST_MAX  256 /* transitions kept of a zoneinfo file: the latest */

struct zone_rule {
    int64_t at;     /* UTC second at which it begins                         */
    int32_t offset; /* total seconds east of UTC                             */
    bool dst;       /* the summer one of a pair, whatever the file calls it  */
};

enum zone_day_kind { ZONE_JULIAN, ZONE_ZERO_BASED, ZONE_MONTH_WEEK_DAY };

struct zone_day { /* when in a year the clocks change */
    enum zone_day_kind kind;
    int month, week; /* ZONE_MONTH_WEEK_DAY: 1-12, 1-5 (5 = last) */
    int day;         /* 0-6 (0 = Sunday); or the day of the year  */
    int32_t time;    /* seconds from local midnight, -167 h to 167 h */
};

struct zone_posix { /* "CET-1CEST,M3.5.0,M10.5.0/3" */
    bool has_dst;
    int32_t std_offset, dst_offset; /* seconds east of UTC */
    struct zone_day start, end;     /* of the DST time     */
};

struct zone { /* a plain value; copy it */
    char name[ZONE_NAME_MAX + 1];
    bool has_posix; /* rules without end; used after the last transition */
    struct zone_posix posix;
    struct zone_rule first; /* before the first transition */
    size_t n;
    struct zone_rule past[ZONE_PAST_MAX]; /* ascending; may reach into the future */
};

/* Both fill *out, or leave it untouched.
 *
 * name  as it is shown and told to plugs, mostly an IANA name: 1-63 printable ASCII characters.
 * Errors: MD_INVAL. */

/* text  a POSIX TZ value: "<+0330>-3:30", "EST5EDT,M3.2.0,M11.1.0"; DST without rules gets
 *       the American ones; white space around it is ignored. */
MD_MUST_USE int zone_parse_posix(struct zone *out, const char *name, const char *text);

/* bytes  the content of a zoneinfo file of any version  [RFC 8536].  Files that count leap
 *        seconds are refused. */
MD_MUST_USE int zone_parse_tzif(struct zone *out, const char *name, struct span bytes);

/* Fills out[] with the rule in force at `now` and the coming ones, ascending; returns how many,
 * at least 1.  The first carries its true beginning; in a zone without coming changes
 * it is the only one and begins at `now`.
 *
 * now  taken as 1970 when before it, and as the end of 9999 when after that.
 * max  1 to ZONE_TABLE_MAX. */
size_t zone_table(const struct zone *zone, int64_t now, struct zone_rule out[], size_t max);

#endif

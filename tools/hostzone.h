/* hostzone.h - the time zone of this computer, or the one that the configuration names. */
#ifndef TOOLS_HOSTZONE_H
#define TOOLS_HOSTZONE_H

#include "meross/time/zone.h"

#define HOSTZONE_WHAT_MAX 256

struct hostzone_places {
    const char *option; /* meross_timezone; NULL: not set                   */
    const char *tz;     /* the environment's TZ; NULL: not set              */
    const char *root;   /* put before every path; "" for the real computer  */
};

/* The option alone when it is set; otherwise the first of TZ, /etc/TZ (a POSIX rule, OpenWrt),
 * /etc/localtime with the name that its link or /etc/timezone gives, and UTC.  Names are looked
 * up in /usr/share/zoneinfo; where there is none, as on routers, the option may bring the rule
 * along: "Europe/Berlin CET-1CEST,M3.5.0,M10.5.0/3".
 *
 * what  "Europe/Berlin, from /etc/localtime"; on failure what is wrong and what to do.
 * Errors: MD_INVAL: the option is neither a name nor a rule. */
MD_MUST_USE int hostzone_find(struct zone *out, const struct hostzone_places *places,
                              char what[HOSTZONE_WHAT_MAX]);

/* Would plugs be told the same? */
bool hostzone_same(const struct zone *a, const struct zone *b, int64_t now_s);

#endif

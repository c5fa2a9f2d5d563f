/* zonewatch.h - notices that the time zone of this computer, or its rules, changed: another link
 * /etc/localtime, a new tzdata under the same name, another rule in /etc/TZ.
 *
 * While a package replaces these files they may be missing or half written for a moment, and then
 * a computer seems to have no zone.  So what is found must be found twice in a row. */
#ifndef TOOLS_ZONEWATCH_H
#define TOOLS_ZONEWATCH_H

#include "tools/hostzone.h"

#define ZONEWATCH_MS 600000u /* from one look to the next */

struct zonewatch {
    struct zone zone;             /* what plugs are told          */
    char what[HOSTZONE_WHAT_MAX]; /* and where it comes from      */
    struct zone seen;             /* another one, found once      */
    bool has_seen;
};

/* Finds the zone, as hostzone_find(); w->what is set also on failure. */
MD_MUST_USE int zonewatch_start(struct zonewatch *w, const struct hostzone_places *places);

/* Looks again.
 * sure  somebody said that it changed: once is enough.
 * True: w->zone is another one than before. */
bool zonewatch_look(struct zonewatch *w, const struct hostzone_places *places, int64_t now_s,
                    bool sure);

#endif

/* flood.h - lines about connections that come to nothing: whoever makes a thousand of them a
 * second must not fill the log with as many lines.  So many of them in a minute are written, the
 * others are counted, and one line says how many.  Pure. */
#ifndef TOOLS_FLOOD_H
#define TOOLS_FLOOD_H

#include "broker/base/log.h"

#define FLOOD_LINES 100u   /* in one window      */
#define FLOOD_MS    60000u /* how long it is     */
#define FLOOD_LAST  160u   /* of the last line   */

struct flood { /* zeroed: nothing came yet */
    uint64_t since_ms;
    unsigned n;
    char last[FLOOD_LAST]; /* that was not written */
};

/* Is it about a peer that is no client? */
bool flood_counts(enum log_level lv, const char *module, const char *line);

/* May the line be written?  now_ms  monotonic. */
bool flood_passes(struct flood *f, uint64_t now_ms, const char *line);

/* How many lines of the window that has ended were not written; f->last is the last of them.  Once:
 * a new window begins.  0: none, or it has not ended. */
unsigned flood_ended(struct flood *f, uint64_t now_ms);

#endif

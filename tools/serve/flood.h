/* flood.h - lines about connections that come to nothing: whoever makes a thousand of them a
 * second must not fill the log with as many lines.  So many of them in a minute are written, the
 * others are counted, and one line says how many.  Each address has lines of its own, for a device
 * that has gone mad must not hide why another one is refused; the addresses that came last share
 * theirs.  Pure. */
#ifndef TOOLS_FLOOD_H
#define TOOLS_FLOOD_H

#include "broker/base/log.h"

#define FLOOD_LINES 50u    /* of one address in one window          */
#define FLOOD_PEERS 8u     /* addresses that have lines of their own */
#define FLOOD_MS    60000u /* how long a window is                  */
#define FLOOD_LAST  160u   /* of the last line                      */

struct flood_peer {
    char address[48]; /* as much of it as fits; "" = nobody's yet, in the last place always */
    unsigned n;       /* lines of it in this window               */
};

struct flood { /* zeroed: nothing came yet */
    uint64_t since_ms;
    unsigned n, missed; /* lines in this window; those that were not written */
    struct flood_peer peers[FLOOD_PEERS + 1]; /* the last: of all others together */
    char last[FLOOD_LAST];                    /* that was not written */
};

/* Is it about a peer that is no client? */
bool flood_counts(enum log_level lv, const char *module, const char *line);

/* May the line be written?  line  of flood_counts().  now_ms  monotonic. */
bool flood_passes(struct flood *f, uint64_t now_ms, const char *line);

/* How many lines of the window that has ended were not written; f->last is the last of them.  Once:
 * a new window begins.  0: none, or it has not ended. */
unsigned flood_ended(struct flood *f, uint64_t now_ms);

/* The same, whether it has ended or not. */
unsigned flood_end(struct flood *f);

#endif

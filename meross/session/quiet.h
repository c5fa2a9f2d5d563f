/* quiet.h - lines of the log that anybody can cause, by what he sends: the first ten are said, then
 * as many as one in a second, and what was left out is counted.  Pure. */
#ifndef MEROSS_SESSION_QUIET_H
#define MEROSS_SESSION_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#define QUIET_LINES     10
#define QUIET_WINDOW_MS 10000

struct quiet { /* all zero at first */
    uint64_t since_ms;
    unsigned said, unsaid;
};

/* May a line be said at now_ms (monotonic)?  Then *unsaid is how many were left out before it. */
bool quiet_may_say(struct quiet *q, uint64_t now_ms, unsigned *unsaid);

#define QUIET_MORE_MAX 48
/* " (6 more since the last line)", for the end of the line; "" when nothing was left out. */
const char *quiet_more(char out[QUIET_MORE_MAX], unsigned unsaid);

#endif

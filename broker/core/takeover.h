/* takeover.h - a Client Identifier that two clients fight for: each connects again as soon as the
 * other has thrown it out, for ever.  Counted from connection to connection, so that it is told
 * once a minute and not every time.  Pure. */
#ifndef BROKER_CORE_TAKEOVER_H
#define BROKER_CORE_TAKEOVER_H

#include <stdbool.h>
#include <stdint.h>

#define TAKEOVER_TIMES 10u    /* so many are told one by one */
#define TAKEOVER_MS    60000u /* in this time                */

struct takeovers {     /* all zero: none */
    uint32_t since_ms; /* wraps after 49 days: a fight may then be told once too often */
    uint16_t n;        /* since then; stays at the most it can be  */
    bool quiet;        /* it is a fight: not told one by one       */
};

/* Counts one.  Returns how many within TAKEOVER_MS are to be told of now; 0: nothing. */
unsigned takeover_count(struct takeovers *t, uint64_t now_ms);

#endif

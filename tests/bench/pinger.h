/* pinger.h - a healthy client beside a load: how long do others wait meanwhile?
 *
 * It has a connection and a thread of its own, so what the load generator does costs it nothing,
 * and runs before other threads where the user may have that. */
#ifndef TESTS_BENCH_PINGER_H
#define TESTS_BENCH_PINGER_H

#include "tests/bench/numbers.h"

#include "broker/base/err.h"

#include <stdbool.h>

struct pinger;

/* Connects in clear to 127.0.0.1 and sends PINGREQ every two milliseconds, one at a time.
 * spread  kept until pinger_stop(): the times.  Result given.
 * Errors: MD_IO no thread or nobody there, MD_NOMEM. */
MD_MUST_USE int pinger_start(unsigned port, struct numbers_spread *spread, struct pinger **out);

/* Ends it.  NULL is fine.  false: the broker ended the connection, or left a PING unanswered. */
bool pinger_stop(struct pinger *p);

#endif

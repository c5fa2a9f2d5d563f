/* crowd.h - many simulated plugs on one poll() loop, with the real clock. */
#ifndef TESTS_PLUGSIM_CROWD_H
#define TESTS_PLUGSIM_CROWD_H

#include "tests/plugsim/args.h"
#include "tests/plugsim/link.h"

struct crowd;

/* args and way kept until crowd_free().  Result given.  Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int crowd_new(const struct args *args, const struct link_way *way, struct crowd **out);
void crowd_free(struct crowd *c); /* NULL is fine */

/* Runs until the condition of the args, or "quit".  The exit status: 0, or 1 after a time-out or
 * a violation of the protocol. */
int crowd_run(struct crowd *c);

#endif

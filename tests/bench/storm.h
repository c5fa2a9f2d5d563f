/* storm.h - the runs of the load generator with simulated plugs, which the broker must answer as
 * their partner: LOAD_STORM and LOAD_REPORT of load.h. */
#ifndef TESTS_BENCH_STORM_H
#define TESTS_BENCH_STORM_H

#include "tests/bench/load.h"

/* All plugs are bound, lose their power, and come back at once; measured until the last one is
 * bound again and has answered what the broker asks it. */
MD_MUST_USE int storm_run(const struct load_plan *plan, const struct link_way *way,
                          struct load_result *r);

/* All plugs are bound and report; a hub gets what each says. */
MD_MUST_USE int storm_report(const struct load_plan *plan, const struct link_way *way,
                             struct load_result *r);

#endif

/* clients.h - the runs of the load generator with plain MQTT clients: FLOW, LATE, IDLE and CONNECT
 * of load.h. */
#ifndef TESTS_BENCH_CLIENTS_H
#define TESTS_BENCH_CLIENTS_H

#include "tests/bench/load.h"

/* way  lent.  What went wrong is in r->why.  Errors: MD_NOMEM, MD_IO. */
MD_MUST_USE int clients_run(const struct load_plan *plan, const struct link_way *way,
                            struct load_result *r);

#endif

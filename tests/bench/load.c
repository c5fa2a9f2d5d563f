#include "tests/bench/load.h"

#include "tests/bench/clients.h"
#include "tests/bench/pinger.h"
#include "tests/bench/storm.h"

#include <string.h>
#include <sys/resource.h>

/* What the two brokers would choose differently is not left to them. */
#define SUITE "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256"

#define NS_PER_S 1000000000u

static uint64_t own_cpu_ns(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return ((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) * NS_PER_S +
           ((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) * 1000u;
}

void load_begin(const struct load_plan *plan, struct load_result *r)
{
    if (plan->ping_port != 0 && pinger_start(plan->ping_port, &r->pong, &r->pinger) != MD_OK)
        r->why = "the client that pings cannot connect";
    r->wall_ns = numbers_now_ns();
    r->broker_ns = numbers_cpu_ns(plan->pid);
    r->own_ns = own_cpu_ns();
}

void load_end(const struct load_plan *plan, struct load_result *r)
{
    r->wall_ns = numbers_now_ns() - r->wall_ns;
    r->broker_ns = numbers_cpu_ns(plan->pid) - r->broker_ns;
    r->own_ns = own_cpu_ns() - r->own_ns;
    if (!pinger_stop(r->pinger))
        r->why = "the client that pings had no answer";
    r->pinger = NULL;
}

int load_run(const struct load_plan *plan, struct load_result *r)
{
    static int (*const runs[])(const struct load_plan *, const struct link_way *,
                               struct load_result *) = {
        [LOAD_FLOW] = clients_run,    [LOAD_LATE] = clients_run, [LOAD_IDLE] = clients_run,
        [LOAD_CONNECT] = clients_run, [LOAD_STORM] = storm_run,  [LOAD_REPORT] = storm_report};
    struct link_way *way;
    memset(r, 0, sizeof *r);
    int err = link_way_new(plan->host, plan->port, !plan->tls, plan->tls ? SUITE : NULL, &way);
    if (err != MD_OK)
        return err;
    link_way_one_curve(way);
    r->before = numbers_memory(plan->pid);
    err = runs[plan->kind](plan, way, r);
    link_way_free(way);
    return err;
}

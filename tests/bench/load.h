/* load.h - one run of the load generator: clients come, say what the plan has, and are counted.
 *
 *   FLOW      subscribers listen, publishers publish; each has at most `window` messages on the way
 *   LATE      the publishers publish first (retained); then the subscribers come and are sent it
 *   IDLE      clients come and stay
 *   CONNECT   each client comes, and goes as soon as it was accepted; again and again
 *   STORM     simulated plugs come back at once (storm.h)
 *   REPORT    simulated plugs report
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "tests/bench/client.h"
#include "tests/bench/numbers.h"

#define LOAD_STAMP 16 /* bytes at the beginning of a payload that are ours */

enum load_kind { LOAD_FLOW, LOAD_LATE, LOAD_IDLE, LOAD_CONNECT, LOAD_STORM, LOAD_REPORT };

struct load_plan {
    enum load_kind kind;
    const char *host;
    unsigned port;
    bool tls, resume;             /* resume: a client that comes again offers its TLS session */
    int pid;                      /* of the broker, whose CPU and memory are read; 0: unknown */
    unsigned subs, pubs, stalled; /* the first `stalled` subscribers read nothing */
    unsigned filters;             /* of each subscriber */
    unsigned topics;              /* that a publisher uses in turn */
    const char *filter, *topic;   /* patterns of names_list(); %c counts either kind from 0 */
    enum mqtt_qos qos, sub_qos;
    bool retain;
    unsigned size, window;
    unsigned fan;     /* subscribers that get each message; 0: nobody, the acknowledgement counts */
    uint64_t count;   /* messages in all, or connections */
    unsigned rate;    /* of all publishers together, in messages a second; 0: as fast as it goes */
    unsigned idle;    /* clients that only stay */
    unsigned at_once; /* connections being made at a time */
    unsigned plugs;   /* simulated ones */
    const char *model;   /* of theirs */
    unsigned ping_port;  /* in clear: a client there pings, to see how long others wait; 0: none */
    unsigned patience_s; /* nothing happened for so long: the run failed */
};

struct load_result {
    const char *why;       /* NULL: it went through */
    struct pinger *pinger; /* while what is measured goes on */
    uint64_t sent, delivered, bytes;
    uint64_t connect_ns; /* until everybody was there */
    uint64_t wall_ns, broker_ns, own_ns;
    uint64_t asked_ns; /* of a storm: until the last plug answered what it was asked */
    struct numbers_memory before, there, after; /* of the broker: alone, all there, at the end */
    struct numbers_spread latency, pong;
};

/* Runs the plan; *r is about 66 kB.  Errors: MD_NOMEM, MD_IO, MD_TLS, MD_NOENT (host). */
MD_MUST_USE int load_run(const struct load_plan *plan, struct load_result *r);

/* What is measured begins, and ends: the times are in *r then. */
void load_begin(const struct load_plan *plan, struct load_result *r);
void load_end(const struct load_plan *plan, struct load_result *r);

#endif

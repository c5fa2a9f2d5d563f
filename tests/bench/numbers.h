/* numbers.h - what a run of the load generator measures: times, CPU and memory of a process. */
#ifndef TESTS_BENCH_NUMBERS_H
#define TESTS_BENCH_NUMBERS_H

#include <stdint.h>

uint64_t numbers_now_ns(void); /* monotonic */

/* CPU time of a process so far, all of its threads, in nanoseconds; those of threads that have
 * ended are counted where the kernel adds them up in ticks only.  0: there is no such process. */
uint64_t numbers_cpu_ns(int pid);

/* Resident memory of a process now, and the part of it that no file backs, in kB; 0: unknown. */
struct numbers_memory {
    uint64_t rss_kb, private_kb;
};
struct numbers_memory numbers_memory(int pid);

/* Latencies: 64 steps for each power of two, so a value is off by 1.6 % at most. */
#define NUMBERS_STEPS 64
struct numbers_spread {
    uint64_t count, max;
    uint32_t v[64 * NUMBERS_STEPS];
};

void numbers_add(struct numbers_spread *s, uint64_t ns);
uint64_t numbers_at(const struct numbers_spread *s, double share); /* 0.99: p99; 0 when empty */

#endif

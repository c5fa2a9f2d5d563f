#include "tests/bench/numbers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t numbers_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The first number of a small file; 0 when there is none. */
static uint64_t first_number(const char *path)
{
    unsigned long long n = 0;
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu", &n) != 1)
        n = 0;
    (void)fclose(f);
    return n;
}

uint64_t numbers_cpu_ns(int pid)
{
    char path[320];
    uint64_t sum = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return 0;
    for (const struct dirent *d = readdir(tasks); d != NULL; d = readdir(tasks)) {
        if (d->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, d->d_name);
        sum += first_number(path);
    }
    (void)closedir(tasks);
    return sum;
}

struct numbers_memory numbers_memory(int pid)
{
    struct numbers_memory m = {0, 0};
    char path[64], line[256];
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return m;
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned long long kb = 0;
        if (sscanf(line, "Rss: %llu", &kb) == 1)
            m.rss_kb = kb;
        else if (sscanf(line, "Private_Clean: %llu", &kb) == 1 ||
                 sscanf(line, "Private_Dirty: %llu", &kb) == 1)
            m.private_kb += kb;
    }
    (void)fclose(f);
    return m;
}

/* Values below NUMBERS_STEPS stand for themselves; above, the power of two and six bits more. */
static unsigned slot_of(uint64_t ns)
{
    if (ns < NUMBERS_STEPS)
        return (unsigned)ns;
    unsigned top = 63u - (unsigned)__builtin_clzll(ns);
    return (top - 5) * NUMBERS_STEPS + (unsigned)((ns >> (top - 6)) & (NUMBERS_STEPS - 1));
}

static uint64_t value_of(unsigned slot)
{
    if (slot < NUMBERS_STEPS)
        return slot;
    unsigned top = slot / NUMBERS_STEPS + 5;
    return ((uint64_t)NUMBERS_STEPS + slot % NUMBERS_STEPS) << (top - 6);
}

void numbers_add(struct numbers_spread *s, uint64_t ns)
{
    s->count++;
    if (ns > s->max)
        s->max = ns;
    s->v[slot_of(ns)]++;
}

uint64_t numbers_at(const struct numbers_spread *s, double share)
{
    uint64_t want = (uint64_t)((double)s->count * share), seen = 0;
    for (unsigned i = 0; i < 64 * NUMBERS_STEPS && s->count > 0; i++) {
        seen += s->v[i];
        if (seen > want)
            return value_of(i);
    }
    return s->max;
}

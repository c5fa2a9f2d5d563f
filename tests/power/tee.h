/* tee.h - the store of a state directory with a shadow in memory: what it should hold. */
#ifndef TESTS_POWER_TEE_H
#define TESTS_POWER_TEE_H

#include "broker/store/store.h"

#include <stdint.h>

struct tee {
    struct store store; /* hand this to the broker */
    struct store *file, *shadow;
};

/* Opens the directory as the broker does; what is in it is in the shadow, too. */
void tee_open(struct tee *t, const char *dir, const char *journal_dir);

/* A sum over all entries, in whatever order. */
uint64_t tee_sum(struct store *s);
uint64_t tee_count(struct store *s);

/* The sum of what a start after kill -9 would find in a directory, with journals beside the state;
 * nothing is changed. */
uint64_t tee_sum_left(const char *dir);

/* Opens a directory; NULL: refused, and `why` says so. */
struct store *tee_open_dir(const char *dir, const char *journal_dir, char why[640]);

#endif

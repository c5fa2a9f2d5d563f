/* no_leak.h - a test, or a whole program of tests, leaves no memory and no files behind. */
#ifndef TESTS_UNIT_NO_LEAK_H
#define TESTS_UNIT_NO_LEAK_H

#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"

/* A teardown. */
static inline int no_leak(void **state)
{
    (void)state;
    return mem_used() == 0 ? 0 : -1;
}

static inline void nothing_is_left(void **state)
{
    (void)state;
}

/* The last entry in the list of tests, in place of a teardown of the group: cmocka fails a program
 * for the teardown of a test, and only mentions that of a group. */
#define LAST_TEST(teardown) cmocka_unit_test_teardown(nothing_is_left, teardown)

#endif

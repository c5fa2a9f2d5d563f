/* own_house.h - a setup and a teardown: each test has a house of its own, `h`. */
#ifndef TESTS_SIM_OWN_HOUSE_H
#define TESTS_SIM_OWN_HOUSE_H

#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

static struct house *h;

static inline int begin_house(void **state)
{
    (void)state;
    h = calloc(1, sizeof *h);
    house_start(h, NULL);
    return 0;
}

static inline int end_house(void **state)
{
    (void)state;
    house_stop(h);
    free(h);
    return 0;
}

#endif

/* What a plug costs in memory: all that broker and Meross logic know of one that is bound and
 * polled, its Session, its subscriptions and its retained topics included; TLS and sockets are not
 * in it. */
#include "broker/base/mem.h"
#include "tests/sim/house.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define MINUTE 60000u

static struct house house;

/* Bytes that go with the broker, when that many plugs have been there for a while. */
static size_t held(const char *type, unsigned plugs)
{
    house_start(&house, NULL);
    for (unsigned i = 0; i < plugs; i++) {
        struct simplug_options o = house_options(&house, type, i);
        (void)house_plug(&house, &o);
    }
    assert_true(house_run_until_bound(&house, 5000) < 5000);
    house_run(&house, 10 * MINUTE);
    house_assert_clean(&house);
    broker_shrink(house.broker); /* twice: what was used since the last time may be needed again */
    broker_shrink(house.broker);
    size_t before = mem_used();
    house_broker_stop(&house);
    size_t bytes = before - mem_used();
    house_broker_start(&house);
    house_stop(&house);
    return bytes;
}

static size_t each(const char *type)
{
    const unsigned few = 4, many = 20;
    size_t without = held(type, few), with = held(type, many);
    assert_true(with > without);
    size_t bytes = (with - without) / (many - few);
    print_message("%s: %zu bytes for each\n", type, bytes);
    return bytes;
}

/* The budgets have room for the padding of another allocator, and for little else: who needs more
 * looks for what a plug can do without. */
static void one_that_measures(void **state)
{
    (void)state;
    assert_in_range(each("mss310"), 1000, 5600);
}

static void one_that_only_switches(void **state)
{
    (void)state;
    assert_in_range(each("mss210"), 1000, 4700);
}

static void a_strip(void **state)
{
    (void)state;
    assert_in_range(each("mss425e"), 1000, 4700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_that_measures),
                                       cmocka_unit_test(one_that_only_switches),
                                       cmocka_unit_test(a_strip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

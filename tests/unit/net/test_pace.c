/* How often one address is answered. */
#include "broker/net/pace.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

static struct pace pace;

static unsigned burst(const char *who, uint64_t now_ms, unsigned tries)
{
    unsigned n = 0;
    for (unsigned i = 0; i < tries; i++)
        n += pace_allows(&pace, span_str(who), now_ms);
    return n;
}

static int reset(void **state)
{
    (void)state;
    pace = (struct pace){.seed = {{1, 2}}};
    return 0;
}

static void a_burst_and_then_one_now_and_then(void **state)
{
    (void)state;
    assert_int_equal(burst("a", 0, 100), PACE_BURST);
    assert_int_equal(burst("a", PACE_EACH - 1, 100), 0);
    assert_int_equal(burst("a", PACE_EACH, 100), 1);
    assert_int_equal(burst("a", 3 * PACE_EACH, 100), 2);
    assert_int_equal(burst("a", 1000 * PACE_EACH, 100), PACE_BURST); /* quiet for long */
}

static void each_has_its_own(void **state)
{
    (void)state;
    assert_int_equal(burst("a", 5, 20), PACE_BURST);
    assert_int_equal(burst("b", 5, 20), PACE_BURST);
    assert_int_equal(burst("a", 5, 20), 0);
}

/* A flood of addresses takes no memory and does not keep those who ask seldom from an answer. */
static void many_addresses(void **state)
{
    (void)state;
    char who[8];
    for (unsigned i = 0; i < 100 * PACE_SLOTS; i++) {
        (void)snprintf(who, sizeof who, "%u", i);
        assert_true(pace_allows(&pace, span_str(who), 1000));
    }
    assert_int_equal(burst("a plug", 1000, 20), PACE_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_burst_and_then_one_now_and_then, reset),
        cmocka_unit_test_setup(each_has_its_own, reset),
        cmocka_unit_test_setup(many_addresses, reset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* plug_asserts.h - what the tests of the simulated plug have in common. */
#ifndef TESTS_SIM_PLUG_ASSERTS_H
#define TESTS_SIM_PLUG_ASSERTS_H

#include <stdio.h>

#include "broker/base/mem.h"
#include "tests/plugsim/bench.h"
#include "tests/unit/cmocka.h"

#define REPORT  "Appliance.System.Report"
#define BIND    "Appliance.Control.Bind"
#define CLOCK   "Appliance.System.Clock"
#define CONFIG  "Appliance.Control.ConsumptionConfig"
#define ALL     "Appliance.System.All"
#define ABILITY "Appliance.System.Ability"
#define TIME    "Appliance.System.Time"
#define TOGGLEX "Appliance.Control.ToggleX"
#define TOGGLE  "Appliance.Control.Toggle"
#define METER   "Appliance.Control.Electricity"
#define MINUTE  60000u

static inline struct simplug_options preset(const char *type)
{
    struct simplug_options o;
    assert_int_equal(simplug_options_preset(&o, type, 0), MD_OK);
    return o;
}

static inline struct bench *open_bench(const struct simplug_options *o)
{
    struct bench *b = NULL;
    assert_int_equal(bench_new(o, &b), MD_OK);
    return b;
}

static inline void assert_clean(const struct bench *b)
{
    if (simplug_violations(b->plug) > 0)
        fail_msg("violation: %s", simplug_violation(b->plug, 0));
    assert_int_equal(b->broken, 0);
}

static inline void assert_violation(const struct bench *b, const char *part)
{
    for (size_t i = 0; i < simplug_violations(b->plug); i++) {
        if (strstr(simplug_violation(b->plug, i), part) != NULL)
            return;
    }
    fail_msg("no violation \"%s\"; the first is \"%s\"", part, simplug_violation(b->plug, 0));
}

static inline void assert_led(const struct bench *b, enum simplug_led led)
{
    assert_string_equal(simplug_led_name(simplug_status(b->plug)->led), simplug_led_name(led));
}

/* Each test ends with all memory given back that it took; a failed one does not spoil the next. */
static inline int count_memory(void **state)
{
    *state = (void *)(uintptr_t)mem_used();
    return 0;
}

static inline int leaves_no_memory(void **state)
{
    return mem_used() == (uintptr_t)*state ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count_memory, leaves_no_memory)

/* A bound one, so long after it was switched on. */
static inline struct bench *bound_after(const struct simplug_options *o, uint64_t ms)
{
    struct bench *b = open_bench(o);
    b->ack_bind = b->answer_clock = b->answer_config = true;
    bench_run(b, ms);
    assert_true(simplug_status(b->plug)->bound);
    assert_clean(b);
    return b;
}

#endif

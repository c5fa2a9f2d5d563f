/* Deadlines: order, restarting, stopping inside a callback. */
#include "broker/base/list.h"
#include "broker/base/mem.h"
#include "broker/core/timers.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/cmocka.h"

#define N 500

struct probe {
    struct timer timer;
    unsigned fired;
    uint64_t *last_due;
};

static void note(struct timer *t)
{
    struct probe *p = LIST_OF(t, struct probe, timer);
    assert_true(t->due_ms >= *p->last_due);
    *p->last_due = t->due_ms;
    p->fired++;
}

static void they_fire_in_order_and_once(void **state)
{
    (void)state;
    struct fake_env fake;
    struct timers h = {0};
    static struct probe v[N];
    uint64_t last = 0;
    fake_env_init(&fake);
    for (unsigned i = 0; i < N; i++) {
        uint16_t due;
        env_random(&fake.env, &due, sizeof due);
        v[i] = (struct probe){.timer = {.fire = note}, .last_due = &last};
        assert_int_equal(timers_start(&h, &v[i].timer, due), MD_OK);
        assert_int_equal(timers_start(&h, &v[i].timer, due / 2), MD_OK); /* restarted */
    }
    for (unsigned i = 0; i < N; i += 3)
        timers_stop(&h, &v[i].timer);
    timers_stop(&h, &v[0].timer); /* twice is fine */
    for (uint64_t now = 0; now <= 65536; now += 97)
        timers_turn(&h, now);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(v[i].fired, i % 3 == 0 ? 0 : 1);
    assert_true(timers_next(&h) == UINT64_MAX);
    timers_free(&h);
    assert_int_equal(mem_used(), 0);
}

struct again {
    struct timer timer;
    struct timers *h;
    unsigned fired;
};

static void start_again(struct timer *t)
{
    struct again *a = LIST_OF(t, struct again, timer);
    a->fired++;
    assert_int_equal(timers_start(a->h, t, 0), MD_OK);
}

static void one_that_starts_itself_again_fires_once_a_turn(void **state)
{
    (void)state;
    struct timers h = {0};
    struct again a = {.timer = {.fire = start_again}, .h = &h};
    assert_int_equal(timers_start(&h, &a.timer, 0), MD_OK);
    timers_turn(&h, 10);
    assert_int_equal(a.fired, 1);
    timers_turn(&h, 10);
    assert_int_equal(a.fired, 2);
    timers_free(&h);
}

static void the_heap_shrinks(void **state)
{
    (void)state;
    struct timers h = {0};
    struct timer t[100] = {{.fire = note}};
    assert_int_equal(timers_start(&h, &t[0], 7), MD_OK);
    size_t one = mem_used();
    for (unsigned i = 1; i < 100; i++)
        assert_int_equal(timers_start(&h, &t[i], i + 7), MD_OK);
    size_t many = mem_used();
    timers_shrink(&h);
    assert_int_equal(mem_used(), many);
    for (unsigned i = 1; i < 100; i++)
        timers_stop(&h, &t[i]);
    mem_fail_after(1);
    timers_shrink(&h);
    mem_fail_after(-1);
    assert_int_equal(timers_next(&h), 7);
    timers_shrink(&h);
    assert_int_equal(mem_used(), one);
    assert_int_equal(timers_next(&h), 7);
    timers_free(&h);
}

static void out_of_memory_is_said(void **state)
{
    (void)state;
    struct timers h = {0};
    struct timer t = {.fire = note};
    mem_fail_after(1);
    assert_int_equal(timers_start(&h, &t, 1), MD_NOMEM);
    mem_fail_after(-1);
    timers_stop(&h, &t);
    timers_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_fire_in_order_and_once),
        cmocka_unit_test(one_that_starts_itself_again_fires_once_a_turn),
        cmocka_unit_test(the_heap_shrinks),
        cmocka_unit_test(out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

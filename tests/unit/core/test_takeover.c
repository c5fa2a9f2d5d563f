/* A fight for one Client Identifier: told one by one, then once a minute, and again one by one when
 * it is over. */
#include "broker/core/takeover.h"
#include "tests/unit/core/bench.h"

struct lines {
    unsigned info, warn;
};

static void count(void *ctx, enum log_level lv, const char *module, const char *line)
{
    struct lines *n = ctx;
    (void)module;
    if (strstr(line, "twin") == NULL)
        return;
    n->info += lv == LOG_INFO;
    n->warn += lv == LOG_WARN;
}

static void the_limit_and_one_past_it(void **state)
{
    struct takeovers t = {0};
    (void)state;
    for (unsigned i = 0; i < TAKEOVER_TIMES; i++)
        assert_int_equal(takeover_count(&t, 1000 + i), 0);
    assert_false(t.quiet);
    assert_int_equal(takeover_count(&t, 1000 + TAKEOVER_MS - 1), TAKEOVER_TIMES + 1);
    assert_true(t.quiet);
    assert_int_equal(takeover_count(&t, 1000 + TAKEOVER_MS - 1), 0);
}

static void so_many_in_more_than_a_minute_are_no_fight(void **state)
{
    struct takeovers t = {0};
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(takeover_count(&t, i * (TAKEOVER_MS / TAKEOVER_TIMES)), 0);
        assert_false(t.quiet);
    }
}

static void it_is_told_once_a_minute(void **state)
{
    struct takeovers t = {0};
    unsigned told = 0;
    (void)state;
    for (uint64_t ms = 0; ms < 10 * TAKEOVER_MS; ms += 100)
        told += takeover_count(&t, ms) > 0;
    assert_int_equal(told, 10);
    assert_int_equal(takeover_count(&t, 10 * TAKEOVER_MS), 600);
}

static void fight(struct takeovers *t, uint64_t ms)
{
    *t = (struct takeovers){0};
    for (unsigned i = 0; i < 50; i++)
        (void)takeover_count(t, ms);
    assert_true(t->quiet);
}

static void it_is_over_after_a_pause(void **state)
{
    struct takeovers t;
    (void)state;
    fight(&t, 0);
    assert_int_equal(takeover_count(&t, 2 * TAKEOVER_MS - 1), 50);
    assert_true(t.quiet);
    fight(&t, 0);
    assert_int_equal(takeover_count(&t, 2 * TAKEOVER_MS), 0);
    assert_false(t.quiet);
}

/* F114: with a Session that ends each time, and with one that stays. */
static void the_log_says_it_once(void **state)
{
    struct bench *b = *state;
    for (int clean = 0; clean <= 1; clean++) {
        struct lines n = {0, 0};
        struct wire w[2];
        setup(b);
        log_set_sink(count, &n);
        connected(&w[0], b, "twin", clean);
        for (unsigned i = 1; i <= 200; i++) {
            connected(&w[i % 2], b, "twin", clean);
            wire_take(&w[(i + 1) % 2]);
            assert_true(w[(i + 1) % 2].closed);
            wire_close(&w[(i + 1) % 2]);
            (void)broker_turn(b->broker);
        }
        assert_int_equal(n.warn, 1);
        assert_int_equal(n.info, 1 + 2 * TAKEOVER_TIMES);
        wire_close(&w[0]); /* the last one's end is an end like any other */
        assert_int_equal(n.info, 2 + 2 * TAKEOVER_TIMES);
        log_set_sink(NULL, NULL);
        finish(b);
    }
}

int main(void)
{
    static struct bench b;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_and_one_past_it),
        cmocka_unit_test(so_many_in_more_than_a_minute_are_no_fight),
        cmocka_unit_test(it_is_told_once_a_minute),
        cmocka_unit_test(it_is_over_after_a_pause),
        cmocka_unit_test_prestate(the_log_says_it_once, &b),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

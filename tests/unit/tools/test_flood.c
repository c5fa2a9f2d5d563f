/* A flood of connections that fail does not fill the log. */
#include "tests/fake/fake_env.h"
#include "tests/unit/cmocka.h"
#include "tools/config/config.h"
#include "tools/serve/flood.h"
#include "tools/serve/logsink.h"

#include <stdio.h>

static void only_lines_about_strangers_count(void **state)
{
    (void)state;
    assert_true(flood_counts(LOG_WARN, "net", "peer=1.2.3.4:5 TLS: no cipher suite in common"));
    assert_true(flood_counts(LOG_WARN, "access", "peer=1.2.3.4:5 client=\"a\" refused"));
    assert_true(flood_counts(LOG_INFO, "net", "peer=1.2.3.4:5 client=\"\" disconnected"));
    assert_false(flood_counts(LOG_INFO, "client", "peer=1.2.3.4:5 client=\"a\" connected"));
    assert_false(flood_counts(LOG_WARN, "net", "9 connections refused"));
    assert_false(flood_counts(LOG_ERROR, "net", "peer=1.2.3.4:5"));
    assert_false(flood_counts(LOG_DEBUG, "net", "peer=1.2.3.4:5"));
}

/* FLOOD_LINES lines of one address. */
static void fill(struct flood *f, uint64_t now_ms, const char *line)
{
    for (unsigned i = 0; i < FLOOD_LINES; i++)
        assert_true(flood_passes(f, now_ms, line));
}

static void a_window_has_a_limit(void **state)
{
    (void)state;
    struct flood f = {0};
    assert_int_equal(flood_ended(&f, 0), 0);
    fill(&f, 1000, "peer=192.0.2.1:1 x");
    assert_int_equal(flood_ended(&f, 1000 + FLOOD_MS), 0); /* at the limit: all were written */
    fill(&f, 1000, "peer=192.0.2.1:1 x");
    assert_false(flood_passes(&f, 1000, "peer=192.0.2.1:2 one"));
    assert_false(flood_passes(&f, 1000 + FLOOD_MS - 1, "peer=192.0.2.1:3 two"));
    assert_int_equal(flood_ended(&f, 1000 + FLOOD_MS - 1), 0);
    assert_int_equal(flood_ended(&f, 1000 + FLOOD_MS), 2);
    assert_string_equal(f.last, "peer=192.0.2.1:3 two");
    assert_int_equal(flood_ended(&f, 1000 + FLOOD_MS), 0);
    assert_true(flood_passes(&f, 1000 + FLOOD_MS, "peer=192.0.2.1:1 x"));
}

static void one_address_does_not_hide_another(void **state)
{
    (void)state;
    struct flood f = {0};
    char line[40];
    for (unsigned i = 0; i < FLOOD_PEERS; i++) {
        (void)snprintf(line, sizeof line, "peer=[2001:db8::%u]:9 x", i);
        fill(&f, 1000, line);
        assert_false(flood_passes(&f, 1000, line));
    }
    for (unsigned i = 0; i < FLOOD_LINES; i++) { /* the others share */
        (void)snprintf(line, sizeof line, "peer=192.0.2.%u:9 x", i);
        assert_true(flood_passes(&f, 1000, line));
    }
    assert_false(flood_passes(&f, 1000, "peer=192.0.2.200:9 x"));
    assert_int_equal(flood_ended(&f, 1000 + FLOOD_MS), FLOOD_PEERS + 1);
    fill(&f, 1000 + FLOOD_MS, "peer=192.0.2.200:9 x"); /* who was first is forgotten */
    for (unsigned i = 0; i < FLOOD_LINES; i++)         /* nor is a strange line read past its end */
        assert_true(flood_passes(&f, 1000 + FLOOD_MS, "peer="));
}

static unsigned lines(FILE *f, const char *with)
{
    char line[400];
    unsigned n = 0;
    rewind(f);
    while (fgets(line, sizeof line, f) != NULL)
        n += strstr(line, with) != NULL;
    return n;
}

static void the_log_says_how_many(void **state)
{
    (void)state;
    struct fake_env env;
    fake_env_init(&env);
    for (int all = 0; all < 2; all++) {
        struct logsink s = {.env = &env.env,
                            .out = tmpfile(),
                            .dests = CONFIG_TO_STDERR,
                            .types = CONFIG_LOG_WARNING | (all ? CONFIG_LOG_DEBUG : 0)};
        assert_non_null(s.out);
        for (unsigned i = 0; i < FLOOD_LINES + 50; i++)
            logsink_write(&s, LOG_WARN, "net", "peer=192.0.2.1:9 is no client");
        logsink_write(&s, LOG_WARN, "store", "the disk is full");
        assert_int_equal(lines(s.out, "no client"), FLOOD_LINES + (all ? 50 : 0));
        assert_int_equal(lines(s.out, "the disk"), 1);
        logsink_tick(&s);
        assert_int_equal(lines(s.out, "50 more"), 0);
        fake_env_step(&env, FLOOD_MS);
        logsink_tick(&s);
        logsink_tick(&s);
        assert_int_equal(lines(s.out, "50 more"), all ? 0 : 1);
        assert_int_equal(lines(s.out, "the last: peer=192.0.2.1:9"), all ? 0 : 1);
        (void)fclose(s.out);
    }
}

static void the_end_says_it_too(void **state)
{
    (void)state;
    struct fake_env env;
    fake_env_init(&env);
    struct logsink s = {
        .env = &env.env, .out = tmpfile(), .dests = CONFIG_TO_STDERR, .types = CONFIG_LOG_WARNING};
    assert_non_null(s.out);
    for (unsigned i = 0; i < FLOOD_LINES + 3; i++)
        logsink_write(&s, LOG_WARN, "net", "peer=192.0.2.1:9 is no client");
    logsink_stop(&s);
    assert_int_equal(lines(s.out, "3 more"), 1);
    (void)fclose(s.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_lines_about_strangers_count),
        cmocka_unit_test(a_window_has_a_limit),
        cmocka_unit_test(one_address_does_not_hide_another),
        cmocka_unit_test(the_log_says_how_many),
        cmocka_unit_test(the_end_says_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Command lines: every option, both spellings, the environment behind it, and what is refused. */
#include "tools/args.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define CLIENT (ARGS_CLIENT | ARGS_JSON | ARGS_CHANNEL | ARGS_YES)
#define N(v)   ((int)(sizeof(v) / sizeof(v)[0]))

static char err[ARGS_ERR_MAX];

static int setup(void **state)
{
    (void)state;
    static const char *const names[] = {"HOST", "PORT", "USER", "PASSWORD", "CAFILE", "TOPIC"};
    char name[32] = "MEROSSD_";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        strcpy(name + 8, names[i]);
        unsetenv(name);
    }
    err[0] = '\0';
    return 0;
}

static void options_and_words_mix(void **state)
{
    (void)state;
    char *v[] = {"-h",   "pi", "lamp", "-p",        "1", "--cafile=/ca", "-u",    "me",
                 "two",  "-P", "s",    "--channel", "3", "--json",       "--yes", "--topic",
                 "home", "--", "-x"};
    struct args a;
    assert_int_equal(args_parse(&a, CLIENT, N(v), v, err), MD_OK);
    assert_string_equal(a.host, "pi");
    assert_int_equal(a.port, 1);
    assert_string_equal(a.ca_file, "/ca");
    assert_string_equal(a.user, "me");
    assert_string_equal(a.password, "s");
    assert_string_equal(a.topic, "home");
    assert_int_equal(a.channel, 3);
    assert_true(a.json);
    assert_true(a.yes);
    assert_int_equal(a.n_words, 3);
    assert_string_equal(a.words[0], "lamp");
    assert_string_equal(a.words[1], "two");
    assert_string_equal(a.words[2], "-x");
}

static void nothing_given_is_nothing_set(void **state)
{
    (void)state;
    struct args a;
    assert_int_equal(args_parse(&a, CLIENT, 0, NULL, err), MD_OK);
    assert_null(a.host);
    assert_int_equal(a.port, -1);
    assert_int_equal(a.channel, -1);
    assert_false(a.json);
}

static void the_environment_fills_in_and_the_command_line_wins(void **state)
{
    (void)state;
    char *v[] = {"-h", "line"};
    struct args a;
    setenv("MEROSSD_HOST", "env", 1);
    setenv("MEROSSD_PORT", "77", 1);
    setenv("MEROSSD_USER", "u", 1);
    setenv("MEROSSD_PASSWORD", "p", 1);
    setenv("MEROSSD_CAFILE", "/c", 1);
    setenv("MEROSSD_TOPIC", "", 1); /* empty counts as not set */
    assert_int_equal(args_parse(&a, CLIENT, N(v), v, err), MD_OK);
    assert_string_equal(a.host, "line");
    assert_int_equal(a.port, 77);
    assert_string_equal(a.user, "u");
    assert_string_equal(a.password, "p");
    assert_string_equal(a.ca_file, "/c");
    assert_null(a.topic);
    setenv("MEROSSD_PORT", "x", 1);
    assert_int_equal(args_parse(&a, CLIENT, N(v), v, err), MD_INVAL);
    assert_non_null(strstr(err, "MEROSSD_PORT takes a number from 0 to 65535"));
    assert_int_equal(args_parse(&a, ARGS_SERVE, 0, NULL, err), MD_OK); /* not the broker's affair */
    assert_int_equal(a.port, -1);
}

static void numbers_end_at_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *option, *value;
        int rc;
    } cases[] = {{"-p", "0", MD_OK},
                 {"-p", "65535", MD_OK},
                 {"-p", "65536", MD_INVAL},
                 {"-p", "-1", MD_INVAL},
                 {"-p", "", MD_INVAL},
                 {"--channel", "255", MD_OK},
                 {"--channel", "256", MD_INVAL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *v[] = {(char *)(uintptr_t)cases[i].option, (char *)(uintptr_t)cases[i].value};
        struct args a;
        assert_int_equal(args_parse(&a, CLIENT, 2, v, err), cases[i].rc);
    }
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    char *unknown[] = {"-q"}, *missing[] = {"-h"}, *foreign[] = {"-v"}, *joined[] = {"-hpi"};
    char *flag[] = {"--json=1"}, *many[ARGS_MAX_WORDS + 1];
    struct args a = {.port = 5};
    assert_int_equal(args_parse(&a, CLIENT, 1, unknown, err), MD_INVAL);
    assert_string_equal(err, "unknown option -q");
    assert_int_equal(args_parse(&a, CLIENT, 1, missing, err), MD_INVAL);
    assert_string_equal(err, "-h needs a value: -h HOST");
    assert_int_equal(args_parse(&a, CLIENT, 1, foreign, err), MD_INVAL);
    assert_int_equal(args_parse(&a, CLIENT, 1, joined, err), MD_INVAL);
    assert_int_equal(args_parse(&a, CLIENT, 1, flag, err), MD_INVAL);
    for (unsigned i = 0; i <= ARGS_MAX_WORDS; i++)
        many[i] = (char *)(uintptr_t) "word";
    assert_int_equal(args_parse(&a, CLIENT, ARGS_MAX_WORDS, many, err), MD_OK);
    a.port = 5;
    assert_int_equal(args_parse(&a, CLIENT, ARGS_MAX_WORDS + 1, many, err), MD_INVAL);
    assert_int_equal(a.port, 5); /* untouched */
}

static void the_broker_takes_what_mosquitto_takes(void **state)
{
    (void)state;
    char *v[] = {"-c", "/etc/x.conf", "-p", "1884", "-v", "-d"}, *h[] = {"-h", "x"};
    struct args a;
    assert_int_equal(args_parse(&a, ARGS_CONFIG | ARGS_SERVE, N(v), v, err), MD_OK);
    assert_string_equal(a.config, "/etc/x.conf");
    assert_int_equal(a.port, 1884);
    assert_true(a.verbose);
    assert_true(a.daemon);
    assert_int_equal(args_parse(&a, ARGS_CONFIG | ARGS_SERVE, N(h), h, err), MD_INVAL);
}

static void help_is_always_there(void **state)
{
    (void)state;
    char *v[] = {"--help"};
    struct args a;
    assert_int_equal(args_parse(&a, 0, 1, v, err), MD_OK);
    assert_true(a.help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(options_and_words_mix, setup),
        cmocka_unit_test_setup(nothing_given_is_nothing_set, setup),
        cmocka_unit_test_setup(the_environment_fills_in_and_the_command_line_wins, setup),
        cmocka_unit_test_setup(numbers_end_at_their_limits, setup),
        cmocka_unit_test_setup(what_is_not_there_is_refused, setup),
        cmocka_unit_test_setup(the_broker_takes_what_mosquitto_takes, setup),
        cmocka_unit_test_setup(help_is_always_there, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log: quoting of a peer's bytes, levels, the sink. */
#include "broker/base/log.h"
#include "tests/unit/cmocka.h"

static void test_quotes(void **state)
{
    (void)state;
    assert_string_equal(log_q(span_str("abc")), "\"abc\"");
    assert_string_equal(log_q((struct span){NULL, 0}), "\"\"");
    assert_string_equal(log_q(span_str("a b/c")), "\"a b/c\"");
    assert_string_equal(log_q(span_str("a\"b\\c")), "\"a\\x22b\\x5cc\"");
    assert_string_equal(log_q(span_of("\0\n\r\x1b\x7f\x80\xff", 7)),
                        "\"\\x00\\x0a\\x0d\\x1b\\x7f\\x80\\xff\"");
    assert_string_equal(log_q(span_str("100%s")), "\"100%s\"");
}

/* No byte of a peer comes out as a control character, a quote or a non-ASCII byte. */
static void test_every_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t byte = (uint8_t)c;
        const char *q = log_q(span_of(&byte, 1));
        size_t n = strlen(q);
        assert_true(n == 3 || n == 6);
        assert_int_equal(q[0], '"');
        assert_int_equal(q[n - 1], '"');
        for (size_t i = 1; i < n - 1; i++)
            assert_true(q[i] >= 0x20 && q[i] < 0x7f && q[i] != '"');
    }
}

static void test_cut(void **state)
{
    (void)state;
    char text[65];
    memset(text, 'x', sizeof text);
    assert_int_equal(strlen(log_q(span_of(text, 64))), 66);
    const char *q = log_q(span_of(text, 65));
    assert_int_equal(strlen(q), 69);
    assert_string_equal(q + 65, "\"...");
    memset(text, 0xff, sizeof text);
    assert_int_equal(strlen(log_q(span_of(text, 65))), 64 * 4 + 5);
}

/* A line may quote eight things. */
static void test_slots(void **state)
{
    (void)state;
    const char *q[8];
    for (unsigned i = 0; i < 8; i++) {
        char c = (char)('a' + i);
        q[i] = log_q(span_of(&c, 1));
    }
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(q[i][1], 'a' + (int)i);
}

struct seen {
    unsigned lines;
    enum log_level lv;
    char module[16], line[2048];
};

static void sink(void *ctx, enum log_level lv, const char *module, const char *line)
{
    struct seen *s = ctx;
    s->lines++;
    s->lv = lv;
    assert_true(span_to_str(span_str(module), s->module, sizeof s->module));
    assert_true(span_to_str(span_str(line), s->line, sizeof s->line));
}

static int called(unsigned *times)
{
    ++*times;
    return 1;
}

static void test_sink_and_levels(void **state)
{
    (void)state;
    struct seen s = {0};
    unsigned evaluated = 0;
    log_set_sink(sink, &s);
    log_warn("mod", "id=%s n=%d", log_q(span_str("x\n")), called(&evaluated));
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.lv, LOG_WARN);
    assert_string_equal(s.module, "mod");
    assert_string_equal(s.line, "id=\"x\\x0a\" n=1");
    log_debug("mod", "%d", called(&evaluated)); /* below the default */
    assert_int_equal(s.lines, 1);
    assert_int_equal(evaluated, 1);
    assert_true(log_wants(LOG_INFO));
    assert_false(log_wants(LOG_DEBUG));
    log_set_level(LOG_DEBUG);
    log_debug("mod", "%d", called(&evaluated));
    assert_int_equal(s.lines, 2);
    assert_int_equal(evaluated, 2);
    log_set_level(LOG_ERROR);
    log_warn("mod", "not wanted");
    assert_int_equal(s.lines, 2);
    log_set_level(LOG_INFO);
    log_set_sink(NULL, NULL);
}

static void test_long_line(void **state)
{
    (void)state;
    struct seen s = {0};
    log_set_sink(sink, &s);
    log_error("mod", "%05000d", 1);
    log_set_sink(NULL, NULL);
    assert_int_equal(s.lines, 1);
    assert_in_range(strlen(s.line), 500, 2047);
}

static void test_level_names(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_ERROR), "ERROR");
    assert_string_equal(log_level_name(LOG_WARN), "WARN");
    assert_string_equal(log_level_name(LOG_INFO), "INFO");
    assert_string_equal(log_level_name(LOG_DEBUG), "DEBUG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_sink_and_levels),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

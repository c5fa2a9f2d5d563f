/* What `log_dest syslog` hands to syslog(3), which this program has in place of the C library's. */
#include "broker/base/log.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/cmocka.h"
#include "tools/config/config.h"
#include "tools/serve/logsink.h"
#include "tools/serve/system_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static int last_priority;
static char last_line[200];

/* Both names: with _FORTIFY_SOURCE the header turns the first into the second, in clang by a macro,
 * which the brackets keep off. */
void __syslog_chk(int priority, int flag, const char *fmt, ...);

void(syslog)(int priority, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    last_priority = priority;
    (void)vsnprintf(last_line, sizeof last_line, fmt, ap);
    va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
    va_list ap;
    (void)flag;
    va_start(ap, fmt);
    last_priority = priority;
    (void)vsnprintf(last_line, sizeof last_line, fmt, ap);
    va_end(ap);
}

static void levels_and_facilities_are_those_of_the_system(void **state)
{
    (void)state;
    static const struct {
        unsigned facility, level;
        int priority;
    } rows[] = {{0, LOG_ERROR, LOG_LOCAL0 | LOG_ERR},
                {5, LOG_WARN, LOG_LOCAL5 | LOG_WARNING},
                {7, LOG_WARN + 1, LOG_LOCAL7 | LOG_INFO}, /* LOG_INFO is a macro of <syslog.h> */
                {8, LOG_WARN + 2, LOG_DAEMON | LOG_DEBUG}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        system_log(rows[i].facility, rows[i].level, "net", "100%s %n");
        assert_int_equal(last_priority, rows[i].priority);
        assert_string_equal(last_line, "net: 100%s %n"); /* the line is no format */
    }
}

static void the_sink_writes_there_when_it_is_asked_to(void **state)
{
    (void)state;
    struct fake_env f;
    fake_env_init(&f);
    struct logsink s = {
        .env = &f.env, .dests = CONFIG_TO_SYSLOG, .timestamp = true, .types = CONFIG_LOG_ALL};
    last_line[0] = '\0';
    logsink_write(&s, LOG_WARN, "net", "words");
    assert_string_equal(last_line, "net: words"); /* the system writes time and level itself */
    last_line[0] = '\0';
    s.dests = CONFIG_TO_NONE;
    logsink_write(&s, LOG_WARN, "net", "words");
    assert_string_equal(last_line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_and_facilities_are_those_of_the_system),
        cmocka_unit_test(the_sink_writes_there_when_it_is_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

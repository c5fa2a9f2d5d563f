#include "tools/logsink.h"

#include "tools/config.h"
#include "tools/system_log.h"

#include <time.h>

static unsigned type_of(enum log_level lv)
{
    switch (lv) {
    case LOG_ERROR:
        return CONFIG_LOG_ERROR;
    case LOG_WARN:
        return CONFIG_LOG_WARNING;
    case LOG_INFO:
        return CONFIG_LOG_NOTICE | CONFIG_LOG_INFORMATION;
    case LOG_DEBUG:
    case LOG_TRACE:
        break;
    }
    return CONFIG_LOG_DEBUG;
}

static const char *word_of(enum log_level lv)
{
    switch (lv) {
    case LOG_ERROR:
        return "error";
    case LOG_WARN:
        return "warn ";
    case LOG_INFO:
        return "info ";
    case LOG_DEBUG:
    case LOG_TRACE:
        break;
    }
    return "debug";
}

static const char *colour_of(enum log_level lv)
{
    switch (lv) {
    case LOG_ERROR:
        return "\033[31m";
    case LOG_WARN:
        return "\033[33m";
    case LOG_DEBUG:
    case LOG_TRACE:
        return "\033[2m";
    case LOG_INFO:
        break;
    }
    return "";
}

void logsink_write(void *ctx, enum log_level lv, const char *module, const char *line)
{
    const struct logsink *s = ctx;
    char when[32] = "";
    struct tm tm;
    if ((s->types & type_of(lv)) == 0)
        return;
    if (!s->connections && lv == LOG_INFO && strcmp(module, "client") == 0)
        return;
    if (s->out == NULL) {
        system_log(lv, module, line);
        return;
    }
    time_t now = (time_t)env_wall_s(s->env);
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    fprintf(s->out, "%s %s%s%s  %s: %s\n", when, s->coloured ? colour_of(lv) : "", word_of(lv),
            s->coloured ? "\033[0m" : "", module, line);
    fflush(s->out);
}

void logsink_start(struct logsink *s)
{
    enum log_level lv = LOG_ERROR; /* what is formatted at all */
    if ((s->types & CONFIG_LOG_WARNING) != 0)
        lv = LOG_WARN;
    if ((s->types & (CONFIG_LOG_NOTICE | CONFIG_LOG_INFORMATION)) != 0)
        lv = LOG_INFO;
    if ((s->types & CONFIG_LOG_DEBUG) != 0)
        lv = LOG_DEBUG;
    log_set_level(lv);
    log_set_sink(logsink_write, s);
}

void logsink_stop(void)
{
    log_set_sink(NULL, NULL);
    log_set_level(LOG_INFO);
}

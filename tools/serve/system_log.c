#include "tools/serve/system_log.h"

#include <syslog.h>

void system_log(unsigned facility, unsigned level, const char *module, const char *line)
{
    static const int facilities[] = {LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                                     LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    int priority = level < 4 ? priorities[level] : LOG_DEBUG;
    syslog((facility < 8 ? facilities[facility] : LOG_DAEMON) | priority, "%s: %s", module, line);
}

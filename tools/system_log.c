#include "tools/system_log.h"

#include <syslog.h>

void system_log(unsigned level, const char *module, const char *line)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    int priority = level < 4 ? priorities[level] : LOG_DEBUG;
    syslog(LOG_DAEMON | priority, "%s: %s", module, line);
}

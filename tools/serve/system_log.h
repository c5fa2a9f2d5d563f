/* system_log.h - syslog(3), apart because its names clash with those of log.h. */
#ifndef TOOLS_SYSTEM_LOG_H
#define TOOLS_SYSTEM_LOG_H

/* facility  0..7 = local0..7, else daemon.
 * level     an enum log_level: 0 error, 1 warning, 2 information, more debug. */
void system_log(unsigned facility, unsigned level, const char *module, const char *line);

#endif

/* logsink.h - where the broker's log lines go: to stderr with time and level, or to syslog.
 * Leaves out what log_type and connection_messages leave out. */
#ifndef TOOLS_LOGSINK_H
#define TOOLS_LOGSINK_H

#include "broker/base/env.h"
#include "broker/base/log.h"

#include <stdio.h>

struct logsink {
    const struct env *env; /* kept */
    FILE *out;             /* NULL: syslog */
    bool coloured;
    bool connections; /* lines about clients that come and go */
    unsigned types;   /* enum config_log_type, or'ed          */
};

/* Makes it the sink of log.h.  `s` is kept until logsink_stop(). */
void logsink_start(struct logsink *s);
void logsink_stop(void); /* back to plain stderr */

/* The sink itself; ctx is a struct logsink. */
void logsink_write(void *ctx, enum log_level lv, const char *module, const char *line);

#endif

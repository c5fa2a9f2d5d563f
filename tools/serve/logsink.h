/* logsink.h - where the broker's log lines go: stderr, stdout, a file, syslog, and the topics
 * $SYS/broker/log/<E|W|N|D>, as log_dest says.  Leaves out what log_type and connection_messages
 * leave out. */
#ifndef TOOLS_LOGSINK_H
#define TOOLS_LOGSINK_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/log.h"
#include "tools/serve/flood.h"

#include <stdio.h>

struct logsink {
    const struct env *env; /* kept */
    FILE *out;             /* for CONFIG_TO_STDERR; NULL: nothing there */
    FILE *std;             /* for CONFIG_TO_STDOUT; NULL: nothing there */
    FILE *file;            /* for CONFIG_TO_FILE; see logsink_open()    */
    unsigned dests;        /* enum config_log_dest, or'ed               */
    unsigned types;        /* enum config_log_type, or'ed               */
    unsigned facility;     /* of syslog: 0..7 = local0..7, else daemon  */
    bool coloured;         /* `out` is a terminal                       */
    bool journal;          /* `out` is systemd's: it has the time, and wants the level as <N> */
    bool connections;      /* lines about clients that come and go      */
    bool timestamp;
    const char *format; /* strftime(3); NULL: ours; kept             */
    /* For CONFIG_TO_TOPIC; NULL: nowhere.  Debug lines never go there: to deliver one makes
     * another. */
    void (*publish)(void *ctx, const char *topic, const char *line);
    void *publish_ctx;
    int64_t publish_s; /* the second that publish_n counts */
    unsigned publish_n;
    unsigned out_lost, std_lost; /* lines that `out` and `std` had no room for, up to now */
    struct flood flood;          /* of connections that fail; with debug lines, all are written */
};

/* Opens (or opens again, for log rotation) the file, to append; the old one stays when that
 * fails.  The last folder of the path is made when it is missing.
 * Errors: MD_IO (errno says why). */
MD_MUST_USE int logsink_open(struct logsink *s, const char *path);
void logsink_close(struct logsink *s); /* the file */

/* Is it what systemd named in JOURNAL_STREAM?  stream  its value, or NULL. */
bool logsink_is_journal(FILE *out, const char *stream);

/* Makes it the sink of log.h.  `s` is kept until logsink_stop(). */
void logsink_start(struct logsink *s);
/* Back to plain stderr; what was counted instead of written is said first. */
void logsink_stop(struct logsink *s);

/* Once a minute: what was counted instead of written is said. */
void logsink_tick(struct logsink *s);

/* The sink itself; ctx is a struct logsink. */
void logsink_write(void *ctx, enum log_level lv, const char *module, const char *line);

#endif

/* serve_log.c - the log of the running broker, as the configuration wants it, also after SIGHUP. */
#include "tools/serve/serve_int.h"
#include "tools/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "-d" without log_dest: syslog, because stderr is about to go away. */
static unsigned dests(const struct serve *s)
{
    if (s->cfg.log_dests != 0)
        return s->cfg.log_dests;
    return s->daemon ? CONFIG_TO_SYSLOG : CONFIG_TO_STDERR;
}

/* A log that cannot be written is no reason not to switch the lights. */
static void open_file(struct serve *s)
{
    if ((s->cfg.log_dests & CONFIG_TO_FILE) == 0) {
        logsink_close(&s->sink);
        return;
    }
    if (logsink_open(&s->sink, s->cfg.log_file) == MD_OK)
        return;
    int why = errno;
    if (s->sink.file == NULL)
        s->sink.dests |= s->daemon ? CONFIG_TO_SYSLOG : CONFIG_TO_STDERR;
    log_error("server", "cannot open the log file %s: %s%s; until SIGHUP the log goes %s",
              s->cfg.log_file, strerror(why), md_errno_step(why),
              s->sink.file != NULL ? "on into the old one" : "to stderr or syslog");
}

void serve_log_apply(struct serve *s)
{
    struct logsink *k = &s->sink;
    k->dests = dests(s);
    k->facility = s->cfg.log_facility;
    k->connections = s->cfg.connection_messages || s->verbose;
    k->types = s->verbose ? CONFIG_LOG_ALL : s->cfg.log_types;
    k->timestamp = s->cfg.log_timestamp;
    k->format = s->cfg.log_timestamp_format;
    logsink_start(k);
    open_file(s);
}

void serve_log_warnings(const struct serve *s)
{
    for (char **w = s->cfg.warnings; w != NULL && *w != NULL; w++)
        log_warn("config", "%s", *w);
}

static void publish(void *ctx, const char *topic, const char *line)
{
    struct serve *s = ctx;
    struct broker_message m = {span_str(topic), span_str(line), 2, false};
    if (broker_publish(s->broker, &m) != MD_OK)
        return; /* no memory; saying so would need more of it */
}

void serve_log_to_topics(struct serve *s)
{
    s->sink.publish = publish;
    s->sink.publish_ctx = s;
}

void serve_log_start(struct serve *s, FILE *err, FILE *std, const struct env *env)
{
    s->sink = (struct logsink){.env = env,
                               .out = err,
                               .std = std,
                               .coloured = table_coloured(err),
                               .journal = logsink_is_journal(err, getenv("JOURNAL_STREAM"))};
    serve_log_apply(s);
    serve_log_warnings(s);
}

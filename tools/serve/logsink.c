#include "tools/serve/logsink.h"

#include "tools/config/config.h"
#include "tools/file.h"
#include "tools/serve/system_log.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOPIC_LINES_PER_S 100u
#define TOPIC_LINE_MAX    1024u
#define READER_MS         1000 /* so long a reader may take to make room, once */

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
        return "\033[2m";
    case LOG_INFO:
        break;
    }
    return "";
}

static const char *topic_of(enum log_level lv)
{
    switch (lv) {
    case LOG_ERROR:
        return "$SYS/broker/log/E";
    case LOG_WARN:
        return "$SYS/broker/log/W";
    case LOG_INFO:
        return "$SYS/broker/log/N";
    case LOG_DEBUG:
        break;
    }
    return NULL;
}

/* "2026-11-24 06:30:00 ", or nothing. */
static void write_time(const struct logsink *s, char *out, size_t cap)
{
    struct tm tm;
    time_t now = (time_t)env_wall_s(s->env);
    out[0] = '\0';
    if (!s->timestamp || localtime_r(&now, &tm) == NULL)
        return;
    size_t n = strftime(out, cap - 1, s->format != NULL ? s->format : "%Y-%m-%d %H:%M:%S", &tm);
    out[n] = n > 0 ? ' ' : '\0';
    out[n + (n > 0)] = '\0';
}

/* sd-daemon(3): the journal takes the level from the line, for `journalctl -p warning`. */
static void write_to_journal(FILE *out, enum log_level lv, const char *module, const char *line)
{
    static const int priorities[] = {
        [LOG_ERROR] = 3, [LOG_WARN] = 4, [LOG_INFO] = 6, [LOG_DEBUG] = 7};
    if (out == NULL)
        return;
    fprintf(out, "<%d>%s: %s\n", priorities[lv], module, line);
    fflush(out);
}

bool logsink_is_journal(FILE *out, const char *stream)
{
    struct stat st;
    char name[60];
    if (stream == NULL || fstat(fileno(out), &st) != 0)
        return false;
    (void)snprintf(name, sizeof name, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    return strcmp(name, stream) == 0;
}

static void write_to(FILE *out, bool coloured, const char *when, enum log_level lv,
                     const char *module, const char *line)
{
    if (out == NULL)
        return;
    fprintf(out, "%s%s%s%s  %s: %s\n", when, coloured ? colour_of(lv) : "", word_of(lv),
            coloured ? "\033[0m" : "", module, line);
    fflush(out);
}

/* A line about a delivery must not become a delivery for ever: so many in a second. */
static bool may_publish(struct logsink *s)
{
    int64_t now = env_wall_s(s->env);
    if (now != s->publish_s)
        s->publish_n = 0;
    s->publish_s = now;
    return s->publish_n++ < TOPIC_LINES_PER_S;
}

static void publish(struct logsink *s, const char *when, enum log_level lv, const char *module,
                    const char *line)
{
    char text[TOPIC_LINE_MAX];
    const char *topic = topic_of(lv);
    if (s->publish == NULL || topic == NULL || !may_publish(s))
        return;
    (void)snprintf(text, sizeof text, "%s%s: %s", when, module, line);
    s->publish(s->publish_ctx, topic, text);
}

/* A line, the way this stream is read. */
static void write_one(const struct logsink *s, FILE *out, const char *when, enum log_level lv,
                      const char *module, const char *line)
{
    if (out == s->out && s->journal)
        write_to_journal(out, lv, module, line);
    else
        write_to(out, out == s->out && s->coloured, when, lv, module, line);
}

/* Is there room for a line?  Without it one more is lost: plugs do not wait for a pager that is not
 * turned, nor for a terminal that Ctrl-S has stopped. */
static bool has_room(FILE *out, unsigned *lost)
{
    struct pollfd p = {.fd = fileno(out), .events = POLLOUT};
    bool in_memory = p.fd < 0;
    if (in_memory)
        return true;
    bool room = poll(&p, 1, *lost > 0 ? 0 : READER_MS) != 0; /* an error comes back at once */
    *lost += !room;
    return room;
}

/* lost  so many lines before this one. */
static void write_stream(const struct logsink *s, FILE *out, unsigned *lost, const char *when,
                         enum log_level lv, const char *module, const char *line)
{
    char note[80];
    unsigned before = *lost;
    if (out == NULL || !has_room(out, lost))
        return;
    *lost = 0;
    if (before > 0) {
        (void)snprintf(note, sizeof note, "%u lines are missing here: nobody read the log", before);
        write_one(s, out, when, LOG_WARN, "log", note);
        if (!has_room(out, lost))
            return;
    }
    write_one(s, out, when, lv, module, line);
}

static void write_line(struct logsink *s, enum log_level lv, const char *module, const char *line)
{
    char when[128];
    if ((s->dests & CONFIG_TO_SYSLOG) != 0)
        system_log(s->facility, lv, module, line);
    if ((s->dests & ~(unsigned)CONFIG_TO_SYSLOG) == 0)
        return;
    write_time(s, when, sizeof when);
    if ((s->dests & CONFIG_TO_STDERR) != 0)
        write_stream(s, s->out, &s->out_lost, when, lv, module, line);
    if ((s->dests & CONFIG_TO_STDOUT) != 0)
        write_stream(s, s->std, &s->std_lost, when, lv, module, line);
    if ((s->dests & CONFIG_TO_FILE) != 0)
        write_to(s->file, false, when, lv, module, line);
    if ((s->dests & CONFIG_TO_TOPIC) != 0)
        publish(s, when, lv, module, line);
}

static void say_missed(struct logsink *s, unsigned missed)
{
    char line[FLOOD_LAST + 120];
    if (missed == 0)
        return;
    (void)snprintf(line, sizeof line,
                   "%u more lines about connections that failed within a minute were left out; the "
                   "last: %s",
                   missed, s->flood.last);
    write_line(s, LOG_WARN, "net", line);
}

void logsink_tick(struct logsink *s) { say_missed(s, flood_ended(&s->flood, env_mono_ms(s->env))); }

/* Whether it is wanted at all. */
static bool wants(const struct logsink *s, enum log_level lv, const char *module, bool stranger)
{
    bool comes_and_goes = lv == LOG_INFO && (strcmp(module, "client") == 0 || stranger);
    return (s->types & type_of(lv)) != 0 && (s->connections || !comes_and_goes);
}

void logsink_write(void *ctx, enum log_level lv, const char *module, const char *line)
{
    struct logsink *s = ctx;
    bool stranger = flood_counts(lv, module, line);
    if (!wants(s, lv, module, stranger))
        return;
    if ((s->types & CONFIG_LOG_DEBUG) == 0 && stranger) {
        logsink_tick(s);
        if (!flood_passes(&s->flood, env_mono_ms(s->env), line))
            return;
    }
    write_line(s, lv, module, line);
}

int logsink_open(struct logsink *s, const char *path)
{
    if (file_make_parent(path) != MD_OK)
        return MD_IO;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return MD_IO;
    FILE *f = fdopen(fd, "a");
    if (f == NULL) {
        (void)close(fd);
        return MD_IO;
    }
    logsink_close(s);
    s->file = f;
    return MD_OK;
}

void logsink_close(struct logsink *s)
{
    if (s->file != NULL)
        (void)fclose(s->file);
    s->file = NULL;
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

void logsink_stop(struct logsink *s)
{
    say_missed(s, flood_end(&s->flood));
    log_set_sink(NULL, NULL);
    log_set_level(LOG_INFO);
}

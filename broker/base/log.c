#include "broker/base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define SLOTS   8
#define Q_BYTES 64 /* peer bytes shown at most */

/* File-scope state, because every room logs: where lines go, and the quoting slots. */
static log_sink_cb sink_fn;
static void *sink_ctx;
static enum log_level max_level = LOG_INFO;
static char slots[SLOTS][Q_BYTES * 4 + 8];
static unsigned next_slot;

void log_set_sink(log_sink_cb sink, void *ctx)
{
    sink_fn = sink;
    sink_ctx = ctx;
}

void log_set_level(enum log_level lv) { max_level = lv; }

bool log_wants(enum log_level lv) { return lv <= max_level; }

const char *log_level_name(enum log_level lv)
{
    static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    return names[lv];
}

void log_at(enum log_level lv, const char *module, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (sink_fn != NULL)
        sink_fn(sink_ctx, lv, module, line);
    else
        fprintf(stderr, "%s %s %s\n", log_level_name(lv), module, line);
}

/* One byte of a peer, harmless on any terminal and in any log file. */
static size_t put_escaped(char *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

const char *log_q(struct span s)
{
    char *slot = slots[next_slot++ % SLOTS];
    size_t n = 0;
    slot[n++] = '"';
    for (size_t i = 0; i < s.n && i < Q_BYTES; i++)
        n += put_escaped(slot + n, s.p[i]);
    slot[n++] = '"';
    if (s.n > Q_BYTES) {
        memcpy(slot + n, "...", 3);
        n += 3;
    }
    slot[n] = '\0';
    return slot;
}

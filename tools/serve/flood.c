#include "tools/serve/flood.h"

#include <stdio.h>
#include <string.h>

bool flood_counts(enum log_level lv, const char *module, const char *line)
{
    bool about_peer = strcmp(module, "net") == 0 || strcmp(module, "access") == 0;
    return about_peer && (lv == LOG_WARN || lv == LOG_INFO) && strncmp(line, "peer=", 5) == 0;
}

bool flood_passes(struct flood *f, uint64_t now_ms, const char *line)
{
    if (f->n == 0)
        f->since_ms = now_ms;
    if (f->n++ < FLOOD_LINES)
        return true;
    (void)snprintf(f->last, sizeof f->last, "%s", line);
    return false;
}

unsigned flood_ended(struct flood *f, uint64_t now_ms)
{
    if (f->n == 0 || now_ms - f->since_ms < FLOOD_MS)
        return 0;
    unsigned missed = f->n > FLOOD_LINES ? f->n - FLOOD_LINES : 0;
    f->n = 0;
    return missed;
}

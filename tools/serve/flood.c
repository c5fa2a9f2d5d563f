#include "tools/serve/flood.h"

#include <stdio.h>
#include <string.h>

bool flood_counts(enum log_level lv, const char *module, const char *line)
{
    bool about_peer = strcmp(module, "net") == 0 || strcmp(module, "access") == 0;
    return about_peer && (lv == LOG_WARN || lv == LOG_INFO) && strncmp(line, "peer=", 5) == 0;
}

/* "192.0.2.1" of "peer=192.0.2.1:4711 ...": without the port, which is another one each time. */
static void address_of(const char *line, char *out, size_t cap)
{
    const char *from = line + strlen("peer=");
    size_t n = strcspn(from, " ");
    size_t port = n;
    while (port > 0 && from[port - 1] != ':')
        port--;
    n = port > 0 ? port - 1 : n;
    n = n < cap ? n : cap - 1;
    memcpy(out, from, n);
    out[n] = '\0';
}

static struct flood_peer *place_of(struct flood *f, const char *line)
{
    char address[sizeof f->peers[0].address];
    address_of(line, address, sizeof address);
    struct flood_peer *p = f->peers;
    while (p < f->peers + FLOOD_PEERS && p->n > 0 && strcmp(p->address, address) != 0)
        p++;
    if (p < f->peers + FLOOD_PEERS)
        memcpy(p->address, address, sizeof address);
    return p;
}

bool flood_passes(struct flood *f, uint64_t now_ms, const char *line)
{
    if (f->n++ == 0)
        f->since_ms = now_ms;
    if (place_of(f, line)->n++ < FLOOD_LINES)
        return true;
    f->missed++;
    (void)snprintf(f->last, sizeof f->last, "%s", line);
    return false;
}

unsigned flood_end(struct flood *f)
{
    unsigned missed = f->missed;
    f->n = f->missed = 0;
    memset(f->peers, 0, sizeof f->peers);
    return missed;
}

unsigned flood_ended(struct flood *f, uint64_t now_ms)
{
    return f->n == 0 || now_ms - f->since_ms < FLOOD_MS ? 0 : flood_end(f);
}

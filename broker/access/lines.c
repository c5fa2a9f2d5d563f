#include "broker/access/lines.h"

#include <stdio.h>

int lines_fault(const struct lines *at, const char *what)
{
    (void)snprintf(at->err, at->cap, "%.120s:%u: %s", at->file, at->line, what);
    return MD_INVAL;
}

int lines_no_memory(const struct lines *at)
{
    (void)snprintf(at->err, at->cap, "%.120s: out of memory", at->file);
    return MD_NOMEM;
}

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

struct span lines_trim(struct span s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

int lines_each(struct lines *at, struct span text,
               int (*each)(void *ctx, const struct lines *at, struct span line), void *ctx)
{
    int err = MD_OK;
    if (span_starts(text, "\xef\xbb\xbf")) /* editors of Windows put a mark first */
        text = span_skip(text, 3);
    for (at->line = 1; text.n > 0 && err == MD_OK; at->line++) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        struct span line = span_of(text.p, end == NULL ? text.n : (size_t)(end - text.p));
        text = span_skip(text, line.n + 1);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n > LINES_MAX || (line.n > 0 && memchr(line.p, 0, line.n) != NULL))
            return lines_fault(at, "the line is too long, or this is not plain text");
        err = each(ctx, at, line);
    }
    return err == MD_NOMEM ? lines_no_memory(at) : err;
}

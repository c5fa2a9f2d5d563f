#include "tools/wrap.h"

#include <stdbool.h>
#include <string.h>

/* How much of the `n` bytes of a line stands on this one; a word that is too long stays whole. */
static size_t fitting(const char *line, size_t n, size_t room)
{
    if (n <= room)
        return n;
    size_t cut = room;
    while (cut > 0 && line[cut] != ' ')
        cut--;
    if (cut == 0)
        for (cut = room; cut < n && line[cut] != ' '; cut++)
            continue;
    while (cut > 0 && line[cut - 1] == ' ')
        cut--;
    return cut;
}

static size_t room_from(size_t column) { return column < WRAP_COLUMNS ? WRAP_COLUMNS - column : 0; }

static const char *write_line(FILE *out, size_t room, const char *begin, const char *line, size_t n)
{
    bool columns = false;
    for (size_t i = 0; i + 3 < n && !columns; i++)
        columns = strncmp(line + i, "   ", 3) == 0;
    while (n > 0) {
        size_t cut = columns ? n : fitting(line, n, room);
        fprintf(out, "%.*s\n", (int)cut, line);
        while (cut < n && line[cut] == ' ')
            cut++;
        line += cut;
        n -= cut;
        if (n > 0)
            fputs(begin, out);
        room = room_from(strlen(begin));
    }
    return line;
}

void wrap_text(FILE *out, unsigned column, const char *begin, const char *text)
{
    size_t room = room_from(column);
    for (;;) {
        text = write_line(out, room, begin, text, strcspn(text, "\n"));
        if (*text == '\0')
            return;
        text++;
        fputs(begin, out);
        room = room_from(strlen(begin));
    }
}

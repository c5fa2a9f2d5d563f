#include "tools/table.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/wire/text.h"

#include <stdlib.h>
#include <unistd.h>

#define CELL_BYTES 128

struct cell {
    char text[CELL_BYTES];
    enum table_colour colour;
};

struct table {
    unsigned columns;
    struct cell *cells;
    size_t n, cap;
};

int table_new(struct table **out, unsigned columns)
{
    MD_ASSERT(columns > 0 && columns <= TABLE_MAX_COLUMNS);
    struct table *t = mem_alloc(sizeof *t);
    if (t == NULL)
        return MD_NOMEM;
    t->columns = columns;
    *out = t;
    return MD_OK;
}

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    mem_free(t->cells);
    mem_free(t);
}

void table_clean(struct span text, char *out, size_t cap)
{
    size_t n = 0;
    while (text.n > 0) {
        struct span from = text;
        uint32_t cp = text_next(&text);
        size_t len = from.n - text.n;
        bool bad = text_is_unseen(cp) || (cp == TEXT_REPLACEMENT && len == 1);
        if (n + (bad ? 1 : len) >= cap)
            break; /* whole characters only */
        if (bad)
            out[n++] = '?';
        else
            memcpy(out + n, from.p, len);
        n += bad ? 0 : len;
    }
    out[n] = '\0';
}

int table_add(struct table *t, const char *text, enum table_colour colour)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 4 * t->columns;
        struct cell *grown = mem_realloc(t->cells, cap * sizeof *grown);
        if (grown == NULL)
            return MD_NOMEM;
        t->cells = grown;
        t->cap = cap;
    }
    table_clean(span_str(text), t->cells[t->n].text, CELL_BYTES);
    t->cells[t->n++].colour = colour;
    return MD_OK;
}

static unsigned width(const char *s)
{
    unsigned n = 0;
    for (; *s != '\0'; s++)
        n += ((uint8_t)*s & 0xc0) != 0x80;
    return n;
}

static void print_cell(const struct cell *c, unsigned pad, FILE *out, bool coloured)
{
    static const char *const codes[] = {"", "\033[1m", "\033[32m", "\033[2m"};
    bool on = coloured && c->colour != TABLE_PLAIN;
    fprintf(out, "%s%s%s%*s", on ? codes[c->colour] : "", c->text, on ? "\033[0m" : "", (int)pad,
            "");
}

void table_print(const struct table *t, FILE *out, bool coloured)
{
    unsigned widths[TABLE_MAX_COLUMNS] = {0};
    for (size_t i = 0; i < t->n; i++) {
        unsigned w = width(t->cells[i].text);
        if (w > widths[i % t->columns])
            widths[i % t->columns] = w;
    }
    for (size_t i = 0; i < t->n; i++) {
        bool last = i % t->columns == t->columns - 1;
        unsigned gap = widths[i % t->columns] + 2 - width(t->cells[i].text);
        print_cell(&t->cells[i], last ? 0 : gap, out, coloured);
        if (last)
            fputc('\n', out);
    }
}

bool table_coloured(FILE *out) { return isatty(fileno(out)) == 1 && getenv("NO_COLOR") == NULL; }

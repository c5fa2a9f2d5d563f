#include "tools/json_print.h"

#include "meross/wire/json.h"
#include "meross/wire/text.h"

#include <limits.h>
#include <stdint.h>

/* Unseen characters are in strings, where an escape says the same, or are white space. */
static void put(FILE *out, struct span from, uint32_t cp, bool in_string)
{
    if (!text_is_unseen(cp))
        (void)fwrite(from.p, 1, from.n, out);
    else if (in_string)
        fprintf(out, "\\u%04x", (unsigned)cp); /* all of them are below U+10000 */
    else
        (void)fputc(' ', out);
}

static int check(struct span json)
{
    unsigned tokens;
    int err = json_check_within(json, SIZE_MAX, UINT_MAX, &tokens);
    return err == MD_OK && !text_utf8_valid(json) ? MD_PROTO : err;
}

struct printer {
    FILE *out;
    bool indented, in_string, escaped;
    bool opened; /* the character before was a bracket that opens */
    unsigned depth;
};

static void new_line(struct printer *p)
{
    (void)fputc('\n', p->out);
    for (unsigned i = 0; i < p->depth; i++)
        (void)fputs("  ", p->out);
}

/* White space between the pieces is replaced by our own. */
static void lay_out(struct printer *p, uint8_t c)
{
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return;
    bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
    p->depth -= closes;
    if (closes ? !p->opened : p->opened)
        new_line(p);
    (void)fputc(c, p->out);
    p->depth += opens;
    p->opened = opens;
    if (c == ',')
        new_line(p);
    else if (c == ':')
        (void)fputc(' ', p->out);
}

static int print(struct printer *p, struct span json)
{
    int err = check(json);
    if (err != MD_OK)
        return err;
    while (json.n > 0) {
        const uint8_t *at = json.p;
        size_t before = json.n;
        uint32_t cp = text_next(&json);
        if (p->indented && !p->in_string)
            lay_out(p, *at);
        else
            put(p->out, span_of(at, before - json.n), cp, p->in_string);
        p->in_string ^= cp == '"' && !p->escaped;
        p->escaped = cp == '\\' && !p->escaped;
    }
    (void)fputc('\n', p->out);
    return MD_OK;
}

int json_print(FILE *out, struct span json)
{
    struct printer p = {.out = out};
    return print(&p, json);
}

int json_print_indented(FILE *out, struct span json)
{
    struct printer p = {.out = out, .indented = true};
    return print(&p, json);
}

void json_print_start(struct json_print *j)
{
    buf_init(&j->text, 16u << 20);
    json_write_start(&j->w, &j->text);
    json_write_open(&j->w, '{');
}

int json_print_end(struct json_print *j, FILE *out)
{
    json_write_close(&j->w, '}');
    int err = j->w.err == MD_OK ? json_print(out, buf_view(&j->text)) : j->w.err;
    buf_free(&j->text);
    return err;
}

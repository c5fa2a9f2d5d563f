#include "tools/packaging/docs/roff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define WIDTH 60u /* bytes of a line, before escapes: mandoc(1) wants at most 80 with them */

/* One character as text.  `first`: it begins a line, where . and ' would be requests. */
static void put_char(FILE *out, char c, bool first)
{
    if (first && (c == '.' || c == '\''))
        fputs("\\&", out);
    switch (c) {
    case '\\':
        fputs("\\e", out);
        break;
    case '-':
        fputs("\\-", out);
        break;
    case '\'':
        fputs("\\(aq", out);
        break;
    case '^':
        fputs("\\(ha", out);
        break;
    case '~':
        fputs("\\(ti", out);
        break;
    default:
        fputc(c, out);
    }
}

void roff_title(FILE *out, const char *name, unsigned section, const char *date,
                const char *chapter)
{
    fprintf(out,
            ".\\\" Made by merossd-docs from the tables of the program.\n"
            ".TH %s %u %s \"merossd " MD_VERSION "\" \"%s\"\n.nh\n.ad l\n",
            name, section, date, chapter);
}

/* --- running text -------------------------------------------------------------------------- */

/* Where a line of text ends that begins at `text`: at a sentence, or before it gets too long. */
static size_t line_of(const char *text, size_t n)
{
    size_t blank = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] != ' ')
            continue;
        if (i + 1 < n && text[i + 1] == ' ')
            return i;
        if (i > WIDTH && blank > 0)
            return blank; /* the last one before it gets too long */
        blank = i;
    }
    return n > WIDTH && blank > 0 ? blank : n;
}

static void put_line(FILE *out, const char *text, size_t n, bool *bold)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '`') {
            put_char(out, text[i], i == 0);
            continue;
        }
        *bold = !*bold;
        fputs(*bold ? "\\fB" : "\\fR", out);
    }
    fputc('\n', out);
}

static void paragraph(FILE *out, const char *text, size_t n)
{
    bool bold = false;
    while (n > 0) {
        size_t line = line_of(text, n);
        put_line(out, text, line, &bold);
        while (line < n && text[line] == ' ')
            line++;
        text += line;
        n -= line;
    }
}

/* The blanks between two columns; NULL when it is no such line. */
static const char *gap_of(const char *line, size_t n)
{
    for (size_t i = 1; i + 3 < n; i++)
        if (memcmp(line + i, "   ", 3) == 0)
            return line + i;
    return NULL;
}

static void two_columns(FILE *out, const char *line, size_t n, const char *gap)
{
    size_t left = (size_t)(gap - line);
    const char *right = gap;
    while (right < line + n && *right == ' ')
        right++;
    fputs(".TP\n\\fB", out);
    for (size_t i = 0; i < left; i++)
        put_char(out, line[i], false);
    fputs("\\fR\n", out);
    paragraph(out, right, (size_t)(line + n - right));
}

void roff_text(FILE *out, const char *text)
{
    bool columns = false;
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        const char *gap = gap_of(text, n);
        if (gap != NULL && !columns)
            fputs(".RS\n", out);
        if (gap == NULL && columns)
            fputs(".RE\n", out);
        columns = gap != NULL;
        if (columns)
            two_columns(out, text, n, gap);
        else
            paragraph(out, text, n);
        text += n + (text[n] == '\n');
        if (*text != '\0' && !columns && gap_of(text, strcspn(text, "\n")) == NULL)
            fputs(".br\n", out);
    }
    if (columns)
        fputs(".RE\n", out);
}

/* --- what to type -------------------------------------------------------------------------- */

/* Capitals are italic and go on over digits and `_`; small letters are bold, and so is a whole word
 * that begins with `-`. */
static char font_of(const char *words, size_t i, char before)
{
    char c = words[i];
    size_t begin = i;
    while (begin > 0 && strchr(" [", words[begin - 1]) == NULL)
        begin--;
    if (words[begin] == '-' && c != ' ' && c != ']')
        return 'B';
    if (isupper((unsigned char)c))
        return 'I';
    if (islower((unsigned char)c) || c == '-')
        return 'B';
    return isdigit((unsigned char)c) || c == '_' ? before : 'R';
}

void roff_words(FILE *out, const char *words)
{
    char font = 'R';
    size_t n = strlen(words);
    while (n > 0 && words[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < n; i++) {
        char next = font_of(words, i, font);
        if (next != font)
            fprintf(out, "\\f%c", next);
        font = next;
        put_char(out, words[i], i == 0);
    }
    fputs(font != 'R' ? "\\fR\n" : "\n", out);
}

void roff_entry(FILE *out, const char *words)
{
    fputs(".TP\n", out);
    roff_words(out, words);
}

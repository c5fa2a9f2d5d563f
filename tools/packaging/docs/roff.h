/* roff.h - the words of the tables in the language of manual pages, man(7).  Whatever they hold is
 * text there: no character of theirs begins a request or an escape. */
#ifndef TOOLS_PACKAGING_ROFF_H
#define TOOLS_PACKAGING_ROFF_H

#include <stdio.h>

/* The heading of a page. */
void roff_title(FILE *out, const char *name, unsigned section, const char *date,
                const char *chapter);

/* Running text: wrapped, each sentence on a line of its own where two blanks stand before it, and
 * what stands in `backquotes` bold.  A newline begins a paragraph.  Lines with three blanks in them
 * are two columns: what to type, and what it does. */
void roff_text(FILE *out, const char *text);

/* What to type, on a line of its own: words in capitals are placeholders and italic, what is in
 * small letters or begins with `-` is bold. */
void roff_words(FILE *out, const char *words);

/* Begins an entry: the line that roff_words() writes, and below it, indented, what follows. */
void roff_entry(FILE *out, const char *words);

#endif

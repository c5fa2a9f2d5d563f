/* wrap.h - running text for people, in lines of at most 80 columns. */
#ifndef TOOLS_WRAP_H
#define TOOLS_WRAP_H

#include <stdio.h>

#define WRAP_COLUMNS 80u

/* Writes `text`, broken at blanks.  `column` is where the first line goes on; all others begin with
 * `begin`.  A newline stays one; a line with three blanks in it is two columns, and is not broken.
 * The last line is ended too; an empty line is left out. */
void wrap_text(FILE *out, unsigned column, const char *begin, const char *text);

#endif

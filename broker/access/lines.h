/* lines.h - a text file, line by line, and messages that name the line.  Pure over bytes. */
#ifndef BROKER_ACCESS_LINES_H
#define BROKER_ACCESS_LINES_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define LINES_MAX 65535u /* bytes of one line */

struct lines {
    const char *file; /* for messages                                       */
    unsigned line;    /* being read; 1 is the first                         */
    char *err;        /* of `cap` bytes: where a message goes               */
    size_t cap;
};

/* Calls `each` for every line, without its end (LF or CRLF); a file that ends in a line feed has no
 * line behind it.  A byte order mark is skipped.  Stops at the first error and returns it;
 * MD_INVAL for a line with NUL or of more than LINES_MAX bytes, MD_NOMEM has its message made. */
MD_MUST_USE int lines_each(struct lines *at, struct span text,
                           int (*each)(void *ctx, const struct lines *at, struct span line),
                           void *ctx);

int lines_fault(const struct lines *at, const char *what); /* "FILE:LINE: what"; MD_INVAL */
int lines_no_memory(const struct lines *at);               /* "FILE: out of memory"; MD_NOMEM */

struct span lines_trim(struct span s); /* without blanks and tabs at its ends */

#endif

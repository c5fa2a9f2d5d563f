/* json_print.h - JSON of a broker on a terminal or into a pipe, for --json. */
#ifndef TOOLS_JSON_PRINT_H
#define TOOLS_JSON_PRINT_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#include <stdio.h>

/* Prints it on one line with a newline.  It says the same, but characters that are not seen and
 * could change what is seen (text_is_unseen()) are written as escapes.
 * Errors: MD_PROTO it is no JSON object or list, or not UTF-8: then nothing is printed; MD_TOOBIG
 * it nests deeper than 32. */
MD_MUST_USE int json_print(FILE *out, struct span json);

/* The same over several lines, for eyes: each member and element on a line of its own, indented by
 * two spaces; empty brackets stay together. */
MD_MUST_USE int json_print_indented(FILE *out, struct span json);

#endif

/* json_print.h - JSON on a terminal or into a pipe, for --json: that of a broker, and an object of
 * our own:
 *
 *     struct json_print j;
 *     json_print_start(&j);
 *     json_write_pair(&j.w, "status", "ok");
 *     err = json_print_end(&j, out); */
#ifndef TOOLS_JSON_PRINT_H
#define TOOLS_JSON_PRINT_H

#include "broker/base/err.h"
#include "broker/base/span.h"
#include "meross/wire/json_write.h"

#include <stdio.h>

/* Prints it on one line with a newline.  It says the same, but characters that are not seen and
 * could change what is seen (text_is_unseen()) are written as escapes.
 * Errors: MD_PROTO it is no JSON object or list, or not UTF-8: then nothing is printed; MD_TOOBIG
 * it nests deeper than 32. */
MD_MUST_USE int json_print(FILE *out, struct span json);

/* The same over several lines, for eyes: each member and element on a line of its own, indented by
 * two spaces; empty brackets stay together. */
MD_MUST_USE int json_print_indented(FILE *out, struct span json);

struct json_print {
    struct json_writer w; /* the object is open */
    struct buf text;
};

/* Begins an object, of 16 MB at the most.  Ends with json_print_end(); with buf_free(&j->text) when
 * it is not to be printed. */
void json_print_start(struct json_print *j);
/* Closes the object, prints it as json_print() does and frees it.
 * Errors: that of the writer, or of json_print(): then nothing is printed. */
MD_MUST_USE int json_print_end(struct json_print *j, FILE *out);

#endif

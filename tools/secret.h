/* secret.h - asking a person for a password. */
#ifndef TOOLS_SECRET_H
#define TOOLS_SECRET_H

#include <stdbool.h>
#include <stdio.h>

#define SECRET_MAX 1024 /* with its line feed and NUL */

/* From a terminal: twice, without echo.  Otherwise: one line of `in`.  False: there was none, it
 * was too long, or the two differ. */
bool secret_read(FILE *in, FILE *prompts, char out[SECRET_MAX]);

#endif

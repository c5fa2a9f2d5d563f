/* prompt.h - asking a person something, and giving up when the program is to stop. */
#ifndef TOOLS_PROMPT_H
#define TOOLS_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct prompt {
    FILE *in, *out;          /* out: where questions go                       */
    bool (*stopped)(void *); /* asked ten times a second; NULL: never         */
    void *ctx;
};

bool prompt_terminal(const struct prompt *p); /* is there a person? */

/* One line without its line end; any bytes but NUL.  False: the end, too long, or stopped. */
bool prompt_line(const struct prompt *p, const char *question, char *out, size_t cap);

/* The same without echo where there is a terminal. */
bool prompt_secret(const struct prompt *p, const char *question, char *out, size_t cap);

#endif

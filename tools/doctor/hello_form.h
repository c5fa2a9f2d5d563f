/* hello_form.h - the line that tells what a ClientHello offers (broker/tls/hello_text.h), for people
 * and for programs.  Pure, and safe on any text: it comes from a broker. */
#ifndef TOOLS_HELLO_FORM_H
#define TOOLS_HELLO_FORM_H

#include "broker/base/err.h"
#include "meross/wire/json_write.h"

#include <stdio.h>

/* "TLS_RSA_WITH_AES_128_CBC_SHA", "secp256r1", …; NULL: we have no name for it. */
const char *hello_form_suite(unsigned number);
const char *hello_form_group(unsigned number);
const char *hello_form_sigalg(unsigned number);
const char *hello_form_extension(unsigned number);
const char *hello_form_version(unsigned number);

/* Indented lines, with names.  False: it is no such line; nothing is printed. */
bool hello_form_print(FILE *out, const char *line);

/* "TLS 1.3, 17 suites": the highest version that we have a name for.  False: it is no such line, or
 * does not fit; out is "" then. */
bool hello_form_brief(const char *line, char *out, size_t cap);

/* An object with lists of numbers.  False: it is no such line; nothing is written. */
bool hello_form_write(struct json_writer *w, const char *line);

#endif

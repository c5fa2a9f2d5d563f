/* report.h - what is in a store, in words and as JSON, for `backup` and `restore`. */
#ifndef TOOLS_BACKUP_REPORT_H
#define TOOLS_BACKUP_REPORT_H

#include "broker/store/copy.h"
#include "meross/wire/json_write.h"

#include <stdio.h>

/* "3 plugs, 120 records of energy, 2 sessions, 5 retained messages" */
void report_text(FILE *out, const struct store_copied *what);
/* Adds it to the object that `w` has open, ends that, and prints it on one line; what `w` wrote
 * to is freed.  Errors: that of the writer: then nothing is printed. */
MD_MUST_USE int report_json(FILE *out, struct json_writer *w, const struct store_copied *what);

#endif

/* report.h - what is in a store, in words and as JSON, for `backup` and `restore`. */
#ifndef TOOLS_BACKUP_REPORT_H
#define TOOLS_BACKUP_REPORT_H

#include "broker/store/copy.h"
#include "meross/wire/json_write.h"

#include <stdio.h>

/* "3 plugs, 120 records of energy, 2 sessions, 5 retained messages" */
void report_text(FILE *out, const struct store_copied *what);
/* Adds it to the object that `w` has open. */
void report_json(struct json_writer *w, const struct store_copied *what);

#endif

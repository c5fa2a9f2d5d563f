/* table.h - columns of text that line up.  Widths are counted in code points, so that names
 * with umlauts do; bytes that a terminal could obey are replaced. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#include <stdio.h>

#define TABLE_MAX_COLUMNS 8u

enum table_colour { TABLE_PLAIN, TABLE_BOLD, TABLE_GREEN, TABLE_DIM };

struct table;

/* *out given: table_free().  Errors: MD_NOMEM. */
MD_MUST_USE int table_new(struct table **out, unsigned columns);
void table_free(struct table *t); /* NULL is fine */

/* Appends a cell; every `columns` cells make a row.  Copied.  Errors: MD_NOMEM. */
MD_MUST_USE int table_add(struct table *t, const char *text, enum table_colour colour);

/* Two spaces between columns, none at the end of a line. */
void table_print(const struct table *t, FILE *out, bool coloured);

/* Copies whole characters that fit; those that are not seen (text_is_unseen()), and bytes that are
 * not UTF-8, become `?`. */
void table_clean(struct span text, char *out, size_t cap);

bool table_coloured(FILE *out); /* a terminal, and NO_COLOR is not set */

#endif

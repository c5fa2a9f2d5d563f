/* docs.h - what an installed merossd is explained by: its manual pages and the completion of its
 * command line.  All of it is made from the tables that the program itself works by (verbs.c,
 * args.c, config_options.c), so a new verb or option is in them without being written down twice.
 * Runs when a package is built, on the building computer; it is not in the program. */
#ifndef TOOLS_PACKAGING_DOCS_H
#define TOOLS_PACKAGING_DOCS_H

#include <stdio.h>

/* man_program.c: merossd(1).  date  of the page, as in 2026-11-24. */
void docs_man_program(FILE *out, const char *date);

/* man_config.c: merossd.conf(5). */
void docs_man_config(FILE *out, const char *date);

void docs_bash(FILE *out); /* complete_bash.c: for share/bash-completion/completions/merossd */
void docs_zsh(FILE *out);  /* complete_zsh.c: for zsh's site-functions, as _merossd          */

#endif

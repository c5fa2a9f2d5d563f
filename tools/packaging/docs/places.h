/* places.h - what may stand at each place behind a verb, read from how the table of verbs writes
 * it: "PLUG[/PART] KEY=VALUE..." is the name of a plug and then something of one's own. */
#ifndef TOOLS_PACKAGING_PLACES_H
#define TOOLS_PACKAGING_PLACES_H

#include "tools/cmd.h"

#define PLACES_MAX 6u

enum place_kind { PLACE_OTHER, PLACE_PLUG, PLACE_FILE, PLACE_VERB };

struct place {
    enum place_kind kind;
    char words[60]; /* words that may be typed as they are, with blanks between */
};

/* out  PLACES_MAX of them.  Returns how many are used. */
unsigned places_of(const struct cmd *v, struct place *out);

/* Is the value of this option a file?  words  as args_help() gives them: "--cafile FILE". */
bool places_option_is_file(const char *words);

/* Does this option have a value? */
bool places_option_has_value(const char *words);

#endif

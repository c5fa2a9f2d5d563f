/* sim_space_int.h - what the two halves of sim_space share: asking (sim_space.c) and changing
 * (sim_space_set.c). */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_SPACE_INT_H
#define TESTS_PLUGSIM_FAMILY_SIM_SPACE_INT_H

#include "tests/plugsim/simplug_int.h"

#define SIM_TRY(call)                                                                              \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

const char *sim_space_word(const struct sim_tree *space, const char *key, const char *other);
const char *sim_space_id(const struct sim_tree *space); /* "channel" */
/* The list its entries are in: its own, or that of the namespace it is a view of. */
struct sim_tree *sim_space_entries(const struct simplug *p, const struct sim_tree *space);
/* What of an entry belongs to this namespace. */
struct sim_tree *sim_space_part(const struct sim_tree *space, struct sim_tree *entry);
/* The entry with the id of a request's token; without one the first; NULL: none. */
struct sim_tree *sim_space_find(const struct simplug *p, const struct sim_tree *space, int token);
MD_MUST_USE int sim_space_put_entry(const struct sim_tree *space, struct sim_tree *entry,
                                    struct buf *out);
/* {"type":"mod100", of `with`: members with a comma behind each. */
MD_MUST_USE int sim_space_put_with(const struct sim_tree *space, struct buf *out);

#endif

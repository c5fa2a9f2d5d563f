/* join_int.h - what the two ways of joining share; for this folder only. */
#ifndef TOOLS_PAIRING_JOIN_INT_H
#define TOOLS_PAIRING_JOIN_INT_H

#include "tools/pairing/join.h"

/* Runs a program whose words are the further arguments, up to NULL.  True when it was there and
 * ended with 0.  out: may be NULL. */
bool join_try(struct join *j, unsigned timeout_s, struct buf *out, const char *first, ...)
    __attribute__((sentinel));

/* The same, and false puts "<what>: <what the program said>" into why. */
void join_explain(char why[JOIN_TEXT_MAX], const char *what, const struct buf *out);

/* Cuts one line off *rest; false at the end. */
bool join_line(struct span *rest, struct span *line);
int join_number(const char *text); /* at its beginning; 0: none */
void join_add(struct join *j, const char *ssid, int signal, unsigned freq_mhz);

bool join_nmcli_open(struct join *j, const char *interface, char why[JOIN_TEXT_MAX]);
bool join_nmcli_scan(struct join *j, char why[JOIN_TEXT_MAX]);
bool join_nmcli_enter(struct join *j, const struct join_offer *o, char why[JOIN_TEXT_MAX]);
bool join_nmcli_leave(struct join *j, char what[JOIN_TEXT_MAX]);

bool join_iw_open(struct join *j, const char *interface, char why[JOIN_TEXT_MAX]);
bool join_iw_scan(struct join *j, char why[JOIN_TEXT_MAX]);
bool join_iw_enter(struct join *j, const struct join_offer *o, char why[JOIN_TEXT_MAX]);
bool join_iw_leave(struct join *j, char what[JOIN_TEXT_MAX]);

#endif

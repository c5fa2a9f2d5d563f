/* plugs.h - the simulated plugs of the load generator: many models on one epoll, a link for each.
 *
 * `plugsim` runs a few of them for the tests and tells what they do; this runs a thousand at a cost
 * that does not hide the broker's. */
#ifndef TESTS_BENCH_PLUGS_H
#define TESTS_BENCH_PLUGS_H

#include "tests/plugsim/link.h"

struct plugs;

/* n plugs of a model of tests/plugsim/models, which keep away from the broker for now.
 * resume  they keep their TLS sessions, as over a loss of the Wi-Fi.  way  kept.  Result given.
 * Errors: those of simplug_options_preset() and simplug_new(), MD_IO. */
MD_MUST_USE int plugs_new(const struct link_way *way, const char *model, unsigned n, bool resume,
                          struct plugs **out);
void plugs_free(struct plugs *p); /* NULL is fine */

/* At most so many are on the way to being bound at a time, from now on; 0: they keep away. */
void plugs_let(struct plugs *p, unsigned at_once);

/* The power goes: every connection ends, and the plugs forget what is not in their flash. */
void plugs_cut(struct plugs *p);

/* Waits up to `ms` and does what is due. */
void plugs_turn(struct plugs *p, unsigned ms);

/* Readable when plugs_turn() has something to do. */
int plugs_fd(const struct plugs *p);

unsigned plugs_bound(const struct plugs *p);   /* so many have their Bind answered         */
unsigned plugs_asked(const struct plugs *p);   /* so many answered a request since plugs_cut() */
bool plugs_can_connect(const struct plugs *p); /* they have booted                        */

/* Plug i tells something that nobody asked for: its readings, each tenth time that its button was
 * pressed.  false: it is not bound. */
bool plugs_report(struct plugs *p, unsigned i);

/* What a plug objects to, or why it lost its connection; NULL: nothing.  Lent. */
const char *plugs_fault(const struct plugs *p);

#endif

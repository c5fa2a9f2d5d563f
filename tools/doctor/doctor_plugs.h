/* doctor_plugs.h - judges what the broker knows about its plugs and about the connections that came to
 * nothing: the answer to <base>/broker/request/doctor. */
#ifndef TOOLS_DOCTOR_PLUGS_H
#define TOOLS_DOCTOR_PLUGS_H

#include "tools/doctor/doctor.h"
#include "tools/hostnet.h"

struct doctor_house {          /* what the judgement needs beside the answer */
    const struct hostnet *net; /* of the broker's host; NULL: not known            */
    unsigned port;             /* where its plugs connect; 0: not known            */
};

/* One plug, an object of "plugs"; `now` is the broker's. */
MD_MUST_USE int doctor_plug(struct doctor *d, struct span plug, const struct doctor_house *h,
                            int64_t now);

/* Only whether it was told to connect to this computer. */
MD_MUST_USE int doctor_plug_offline(struct doctor *d, struct span plug,
                                    const struct doctor_house *h);

/* One connection that came to nothing, an object of "attempts". */
MD_MUST_USE int doctor_attempt(struct doctor *d, struct span attempt, int64_t now);

/* The timeline of a plug, for people: a line for each step. */
MD_MUST_USE int doctor_timeline(FILE *out, struct span plug);

#endif

/* doctor_hello.h - `merossd doctor --hello`: what the TLS of each plug offers, in a form that can be
 * sent to anybody: without names, uuids and addresses. */
#ifndef TOOLS_DOCTOR_HELLO_H
#define TOOLS_DOCTOR_HELLO_H

#include "tools/cli.h"

/* house  the data of the answer to <base>/broker/request/doctor.  Returns the exit status. */
MD_MUST_USE int doctor_hello(struct cli *c, struct span house);

#endif

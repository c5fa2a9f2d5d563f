/* doctor_broker.h - judges the running broker: the answer to <base>/broker/request/network, its ports
 * from outside, and whom it has connected to. */
#ifndef TOOLS_DOCTOR_BROKER_H
#define TOOLS_DOCTOR_BROKER_H

#include "broker/base/env.h"
#include "tools/doctor/doctor.h"

/* Version, uptime, files and memory; and with `local`, each TLS listener is tried as a plug does.
 * *port  the first one for plugs; 0: there is none. */
MD_MUST_USE int doctor_broker(struct doctor *d, struct span network, const struct env *env,
                              bool local, unsigned *port);

/* Has it sent anything out of the house?  Its own list, and with `local` the sockets that the kernel
 * shows now. */
MD_MUST_USE int doctor_offline(struct doctor *d, struct span network, int64_t now, bool local);

#endif

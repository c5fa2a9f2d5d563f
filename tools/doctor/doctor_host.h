/* doctor_host.h - what can be checked on this computer, with or without a broker. */
#ifndef TOOLS_DOCTOR_HOST_H
#define TOOLS_DOCTOR_HOST_H

#include "broker/base/env.h"
#include "tools/config/config.h"
#include "tools/doctor/doctor.h"
#include "tools/hostnet.h"

/* sync  1 the clock follows a time server, 0 it does not, -1 nobody knows. */
void doctor_clock(struct doctor *d, int64_t now_s, int sync);
int doctor_clock_sync(void); /* asks the kernel */

void doctor_zone(struct doctor *d, const struct config *cfg, int64_t now_s);

/* The addresses that plugs can be given. */
void doctor_address(struct doctor *d, const struct hostnet *net);

/* The state directory, and the certificates of listeners with TLS: their dates, their kind, and
 * whether they name this computer. */
void doctor_state(struct doctor *d, const char *dir);
void doctor_certificates(struct doctor *d, const struct config *cfg, const char *dir,
                         const struct hostnet *net, int64_t now_s);

/* Can plugs find a cipher suite?  rsa_kx  what tls_library_has_rsa_kx() says. */
void doctor_tls_library(struct doctor *d, const struct config *cfg, bool rsa_kx);

/* No broker runs: could one open its ports, and who has them? */
void doctor_ports(struct doctor *d, const struct config *cfg);

#endif

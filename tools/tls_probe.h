/* tls_probe.h - one TLS handshake as a plug makes it: TLS 1.2, an RSA certificate, whoever has
 * signed it, and then goodbye. */
#ifndef TOOLS_TLS_PROBE_H
#define TOOLS_TLS_PROBE_H

#include "broker/base/env.h"
#include "broker/base/err.h"

#define TLS_PROBE_MAX 320

/* said  MD_OK: "TLSv1.2 TLS-ECDHE-RSA-WITH-…"; otherwise why not, a sentence.
 * Errors: MD_IO nobody is there, MD_TLS it does not answer as a plug needs it, MD_NOMEM. */
MD_MUST_USE int tls_probe(const char *host, unsigned port, const struct env *env,
                          unsigned timeout_ms, char said[TLS_PROBE_MAX]);

#endif

/* bind_probe.h - would a plug that is pointed at this host and port be answered?  Connects the way a
 * plug does, with TLS that trusts anybody, MQTT 3.1 and a client identifier of a plug, says Bind and
 * waits for the answer.  A plug that is sent where nobody answers falls back to set-up mode and
 * forgets the Wi-Fi, so this comes before every re-key. */
#ifndef TOOLS_BIND_PROBE_H
#define TOOLS_BIND_PROBE_H

#include "broker/base/env.h"
#include "broker/base/err.h"

#include <stddef.h>

#define BIND_PROBE_TIMEOUT_MS 5000 /* a plug hangs up after fifteen seconds, but asks each five */

enum bind_probe {
    BIND_PROBE_ANSWERED,
    BIND_PROBE_NO_HOST,   /* the name is unknown                              */
    BIND_PROBE_CLOSED,    /* nobody listens on that port                      */
    BIND_PROBE_SILENT,    /* nothing at all: another network, or a firewall   */
    BIND_PROBE_NO_TLS,    /* something listens, but not with TLS for plugs    */
    BIND_PROBE_NO_MQTT,   /* TLS, but no MQTT                                 */
    BIND_PROBE_REFUSED,   /* MQTT, but the CONNECT of a plug is refused       */
    BIND_PROBE_NO_ANSWER, /* a broker that takes plugs in and answers nothing */
    BIND_PROBES
};

/* timeout_ms  for connecting, and again for the answer.
 * why         the cause in the words of what failed, "" when there are none. */
enum bind_probe bind_probe(const char *host, unsigned port, const struct env *env,
                           unsigned timeout_ms, char *why, size_t cap);

/* What that means and what to do, to stand after "HOST:PORT "; lent, static. */
const char *bind_probe_text(enum bind_probe result);

#endif

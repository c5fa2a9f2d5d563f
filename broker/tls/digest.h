/* digest.h - the one digest that a transport needs: WebSockets answer with SHA-1.
 *
 * SHA-1 proves nothing here; RFC 6455 uses it to show that the server read the request. */
#ifndef BROKER_TLS_DIGEST_H
#define BROKER_TLS_DIGEST_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define TLS_SHA1_BYTES 20

/* Errors: MD_TLS (a library without SHA-1). */
MD_MUST_USE int tls_sha1(struct span in, uint8_t out[TLS_SHA1_BYTES]);

#endif

/* hello_text.h - what a ClientHello offers, as one line of printable ASCII that can be kept,
 * compared and pasted.  Pure.
 *
 *   771,47-53-255,10-11-13,23,0 sigalgs=1025-513 versions= fragment=2 alpn= sni=address # 769x1 118
 *
 * First the five lists of JA3 (legacy version, suites, extensions, groups, point formats) as plain
 * numbers, without GREASE, which is random; then what JA3 leaves out, in this order; behind the #
 * what may differ from one connection to the next: version of the first record, number of records
 * and their payload in bytes.  Of the server name only its kind: none, name or address. */
#ifndef BROKER_TLS_HELLO_TEXT_H
#define BROKER_TLS_HELLO_TEXT_H

#include "broker/tls/hello.h"

#define TLS_HELLO_TEXT_MAX 1280

/* False, and out = "", when it does not fit.  Bytes of the peer that are no plain characters
 * become `?`. */
bool tls_hello_text(const struct tls_hello *h, char out[TLS_HELLO_TEXT_MAX]);

#endif

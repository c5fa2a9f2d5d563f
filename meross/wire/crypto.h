/* crypto.h - the digest Meross uses, from mbedTLS; crypto.c is the only file of this room that
 * includes it.  Pure. */
#ifndef MEROSS_CRYPTO_H
#define MEROSS_CRYPTO_H

#include "broker/base/span.h"

/* MD5, because the plugs say so: it guards nothing against an attacker on the path; TLS
 * does.  Allocates nothing and cannot fail; a library built without MD5 is a packaging mistake
 * and stops the program at the first call. */
void crypto_md5(uint8_t out[16], struct span data);

#endif

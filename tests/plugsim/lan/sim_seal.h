/* sim_seal.h - what a plug does to be read by nobody else on the LAN: the encrypted HTTP bodies,
 * the Wi-Fi password of WifiX and the exchange of keys.
 *
 * Written from what is published, apart from meross/.  Knows no plug. */
#ifndef TESTS_PLUGSIM_LAN_SIM_SEAL_H
#define TESTS_PLUGSIM_LAN_SIM_SEAL_H

#include "broker/base/buf.h"

#define SIM_SEAL_POINT_MAX 96 /* base64 of 65 bytes, and a NUL */

/* The text keys: 32 hex characters, used as the 32 bytes of an AES-256 key. */
void sim_seal_lan_key(const char *uuid, const char *key, const char *mac, char out[33]);
void sim_seal_wifi_key(const char *type, const char *uuid, const char *mac, char out[33]);

/* Appends base64(AES-256-CBC(plain and 1 to 16 zero bytes)).  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int sim_seal(const char key[33], struct span plain, struct buf *out);
/* Appends what was sealed, without the zeros at its end.  Errors: MD_PROTO no base64 or no whole
 * blocks; MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int sim_unseal(const char key[33], struct span base64, struct buf *out);

/* Appends the bytes behind a base64 text.  Errors: MD_PROTO; MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int sim_unbase64(struct span base64, struct buf *out);
MD_MUST_USE int sim_base64(struct span bytes, struct buf *out);

typedef int (*sim_seal_random)(void *ctx, unsigned char *out, size_t n); /* as mbedTLS wants it */

/* One side of the exchange: makes a key pair, tells its own point and the key of the session.
 * peer  base64 of the other side's uncompressed P-256 point.
 * Errors: MD_PROTO when it is no such point. */
MD_MUST_USE int sim_seal_exchange(sim_seal_random random, void *ctx, struct span peer,
                                  char own[SIM_SEAL_POINT_MAX], char session[33]);

#endif

/* lan_seal.h - how messages and Wi-Fi passwords are sealed for a plug on the LAN: AES-256-CBC with
 * keys made of what the plug is called.  Pure.
 *
 * A plug whose Ability has Appliance.Encrypt.ECDHE resets a connection that brings it anything but
 * a sealed message; only the question for its Ability, and the exchange below, may be open. */
#ifndef MEROSS_LAN_SEAL_H
#define MEROSS_LAN_SEAL_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "meross/wire/crypto.h"

#define LAN_SEAL_KEY    CRYPTO_MD5_HEX /* 32 characters and a NUL */
#define LAN_SEAL_PUBKEY 89             /* base64 of a point, and a NUL */

/* The key for messages to a plug that is set up: it comes from the uuid, the plug's key and its
 * MAC address ("48:e1:e9:12:34:56", in any case).  Of a key shorter than 28 characters less goes
 * in: that works, and is weaker. */
void lan_seal_key(char out[LAN_SEAL_KEY], struct span uuid, const char *key, struct span mac);

/* The key for the password in Appliance.Config.WifiX: type as in System.All, "mss310". */
void lan_seal_wifi_key(char out[LAN_SEAL_KEY], struct span type, struct span uuid, struct span mac);

/* Appends the base64 of `plain`, sealed.  Zeros are added up to a whole block, and a whole block of
 * them where nothing is missing.
 * Errors: MD_NOMEM, MD_TOOBIG; the buf is then as before. */
MD_MUST_USE int lan_seal_close(struct buf *out, const char key[LAN_SEAL_KEY], struct span plain);

/* Appends what is in a sealed text, without the zeros at its end.  Whether the key was right only
 * the reader of the result can say.  A last block that is not whole is left out, so that an answer
 * that was cut off is read as far as it goes (json_cut_off()).
 * Errors: MD_PROTO not base64 or less than a block; MD_NOMEM, MD_TOOBIG; the buf is as before. */
MD_MUST_USE int lan_seal_open(struct buf *out, const char key[LAN_SEAL_KEY], struct span sealed);

/* A plug in set-up mode has no key yet; one is agreed on by elliptic curves (P-256). */
struct lan_seal_offer {
    uint8_t secret[CRYPTO_P256_SECRET];
    char pubkey[LAN_SEAL_PUBKEY]; /* for {"ecdhe":{"step":1,"pubkey":...}} */
};

/* Errors: MD_TLS, MD_NOMEM. */
MD_MUST_USE int lan_seal_offer_new(struct lan_seal_offer *out, const struct env *env);

/* The key, from the pubkey in the plug's answer.  The offer may be wiped afterwards.
 * Errors: MD_PROTO the answer is not a point of the curve; MD_TLS, MD_NOMEM. */
MD_MUST_USE int lan_seal_agree(const struct lan_seal_offer *o, const struct env *env,
                               struct span their_pubkey, char out[LAN_SEAL_KEY]);

#endif

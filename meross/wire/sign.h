/* sign.h - the two digests of the Meross protocol: of a message, and of a plug's password.
 * Pure.  Whoever gets a result must not log it. */
#ifndef MEROSS_SIGN_H
#define MEROSS_SIGN_H

#include "broker/base/span.h"

#define SIGN_HEX     33  /* 32 lower-case hexadecimal digits and a NUL */
#define SIGN_ID_MAX  64  /* bytes of a messageId                       */
#define SIGN_KEY_MAX 128 /* bytes of a key, as the configuration has it */
#define SIGN_TS_MAX  23  /* bytes of a timestamp                       */

/* hex(md5(message_id + key + timestamp)); the timestamp is text, because a plug's own digits
 * are hashed as it sent them.  An argument past its limit above is cut there, which
 * signs nothing valid. */
void sign_message(char out[SIGN_HEX], struct span message_id, const char *key,
                  struct span timestamp);

/* Is `password` that of a plug with this MAC and key: "<userId>_" + hex(md5(mac + key))?  Any
 * userId, also none, is right.  Compared in constant time. */
bool sign_password_ok(struct span password, struct span mac, const char *key);

bool sign_equal(struct span a, struct span b); /* in constant time, given equal lengths */

#endif

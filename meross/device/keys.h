/* keys.h - the keys plugs may have been paired with, and which of them a plug uses.
 *
 * A plug signs everything it says, so its key is found without asking it anything: its own key is
 * tried, then the one it was given last (device.pending_key), then the configured keys, then the empty one, then "meross", because people pair with either when a tool
 * does not ask for more. */
#ifndef MEROSS_KEYS_H
#define MEROSS_KEYS_H

#include "meross/device/device.h"
#include "meross/wire/envelope.h"

#define KEYS_CONFIGURED_MAX 16 /* as many as the configuration may have */

/* What people are told about a plug whose key is none of ours; its name goes before it. */
#define KEYS_WRONG                                                                                 \
    "was paired with another key; it is bound but cannot be switched: add `meross_key KEY` to "    \
    "the configuration or pair it again"

struct keys {
    char *configured[KEYS_CONFIGURED_MAX]; /* secret */
    unsigned n;
};

/* configured  NULL-terminated, copied; NULL = none.
 * Errors: MD_INVAL more than KEYS_CONFIGURED_MAX or one longer than SIGN_KEY_MAX; MD_NOMEM. */
MD_MUST_USE int keys_init(struct keys *k, const char *const *configured);
void keys_clear(struct keys *k); /* wipes them */

/* The key that signed `e`, lent; NULL (and *kind DEVICE_KEY_UNKNOWN) when it is none of ours.
 * d  the plug it is, or says it is; NULL = one that is not known. */
const char *keys_detect(const struct keys *k, const struct device *d, const struct envelope *e,
                        enum device_key *kind);

/* The key that a plug's password was made of, lent; NULL (and *kind DEVICE_KEY_UNKNOWN) when it is
 * none of ours.  A first opinion: the password may be older than the key. */
const char *keys_of_password(const struct keys *k, const struct device *d, struct span password,
                             struct span mac, enum device_key *kind);

/* The same key as `key`, in `k`, lent; NULL when it is not there.  `key` may be of other keys. */
const char *keys_same(const struct keys *k, const char *key);

/* The likeliest key of the plug, until it has said something; NULL when there is none. */
const char *keys_guess(const struct keys *k, const struct device *d);

#endif

/* text.h - the few questions about text that several Meross modules ask: UTF-8, case, the shape of
 * a uuid and of a MAC address.  Pure; knows no JSON and no topics. */
#ifndef MEROSS_TEXT_H
#define MEROSS_TEXT_H

#include "broker/base/span.h"

#define TEXT_REPLACEMENT 0xfffdu /* stands for what is not valid UTF-8 */

/* Cuts the next code point off *s, which is not empty.  An invalid byte counts as one
 * TEXT_REPLACEMENT, so that the walk always ends.  Surrogates and overlong forms are invalid. */
uint32_t text_next(struct span *s);

/* Writes cp, which is a Unicode scalar value, as UTF-8; returns 1 to 4. */
size_t text_put(uint8_t out[4], uint32_t cp);

/* How many bytes at the front stand for themselves in a JSON string: printable ASCII but for quotes
 * and backslashes.  Nearly all that plugs say is that, and is then copied in one piece. */
size_t text_plain(struct span s);

bool text_utf8_valid(struct span s); /* whole and well-formed */

/* Simple lower case of one code point: ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic.  The
 * result is as many UTF-8 bytes long as cp. */
uint32_t text_lower(uint32_t cp);

/* Lower-case copy of valid UTF-8 of fewer than `cap` bytes, NUL-terminated, as long as s.
 * False (and an empty string) when it does not fit. */
bool text_fold(struct span s, char *out, size_t cap);

bool text_eq_nocase(struct span a, struct span b); /* ASCII only */

struct span text_trim(struct span s); /* without white space at either end */

/* Characters that are not seen but change what is seen, or how a line goes on: C0 and C1 controls,
 * line and paragraph separators, zero-width and bidirectional format characters. */
bool text_is_unseen(uint32_t cp);

/* Replaces each of those, and each invalid byte, by '?' in place. */
void text_tame(char *text);

/* [0-9a-zA-Z]{32}: some uuids are not hexadecimal. */
bool text_is_uuid(struct span s);

/* xx:xx:xx:xx:xx:xx in hexadecimal. */
bool text_is_mac(struct span s);

/* "192.0.2.7" of the peer "192.0.2.7:51234", "2001:db8::1" of "[2001:db8::1]:51234"; cut to what
 * fits, "" when there is no port. */
void text_peer_address(const char *peer, char *out, size_t cap);

/* A copy of the first `max` bytes at most; given.  NULL: out of memory. */
char *text_dup(const char *s, size_t max);

/* FNV-1a: tells two texts apart that nobody chose to look the same.  No key for a table. */
uint64_t text_mark(struct span s);

/* Lower-case hexadecimal digits, two for each byte, and a NUL: 2 * s.n + 1 bytes. */
void text_hex(char *out, struct span s);

#define TEXT_MAC_DIGITS 13 /* with the NUL */

/* Twelve lower-case digits out of "48:E1:E9:00:11:22", "48-e1-..." or "48e1.e900.1122"; false for
 * anything else. */
bool text_mac_digits(struct span s, char out[TEXT_MAC_DIGITS]);

#endif

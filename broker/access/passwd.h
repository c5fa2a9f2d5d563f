/* passwd.h - password files, mosquitto's and ours.  Pure over bytes.
 *
 *     user:$7$iterations$salt$hash     PBKDF2-HMAC-SHA512, what we write
 *     user:$6$salt$hash                SHA512(password || salt), of mosquitto before 2.0
 *
 * Salt and hash are base64.  A line that begins with `#` is a comment, one of blanks says nothing.
 * Every other line must be a user: a cut one makes the file unusable, for it might have been
 * somebody's password (F160).  mosquitto cannot have a `:` in a user name; here it is written %3A,
 * and % itself, when 3A or 25 follows, %25. */
#ifndef BROKER_ACCESS_PASSWD_H
#define BROKER_ACCESS_PASSWD_H

#include "broker/base/buf.h"
#include "broker/base/env.h"

#define PASSWD_NAME_MAX       1024u /* bytes of a user name                            */
#define PASSWD_SALT_MAX       64u   /* bytes                                           */
#define PASSWD_HASH           64u
#define PASSWD_ITERATIONS     5000u /* of what we write: some ms on a small router     */
#define PASSWD_ITERATIONS_MAX 1000000u
#define PASSWD_ERR_MAX        320

struct passwd; /* a file that was read */

struct passwd_record { /* what a password is compared with */
    uint8_t scheme;    /* 6 or 7 */
    uint8_t salt_n;
    uint32_t iterations; /* of scheme 7 */
    uint8_t salt[PASSWD_SALT_MAX], hash[PASSWD_HASH];
};

/* file  its name, for messages.
 * *out  given: passwd_free().
 * err   "FILE:LINE: what is wrong"; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int passwd_parse(struct passwd **out, const char *file, struct span text,
                             const struct env *env, char err[PASSWD_ERR_MAX]);
void passwd_free(struct passwd *p); /* NULL is fine */

size_t passwd_count(const struct passwd *p);

/* Lent until passwd_free(); NULL: no such user. */
const struct passwd_record *passwd_find(const struct passwd *p, struct span user);

/* Nobody's record, as dear to compare with as the dearest of the file: an unknown user must
 * not be answered sooner than a known one (F169). */
const struct passwd_record *passwd_nobody(const struct passwd *p);

/* Takes as long as the record wants; may run in the thread pool.
 * Errors: MD_DENIED (another password), MD_NOMEM. */
MD_MUST_USE int passwd_verify(const struct passwd_record *r, struct span password);

/* May a user be called so?  1 to PASSWD_NAME_MAX bytes without control characters; not '#' or a
 * blank first, no blank last (F170). */
bool passwd_name_ok(struct span user);

/* Appends a line for the user, with its line feed.  Errors: MD_NOMEM, those of buf_put(). */
MD_MUST_USE int passwd_write(struct buf *out, struct span user, struct span password,
                             unsigned iterations, const struct env *env);

/* Appends `text` without the user's line; when `line` is not empty, with that in its place, or at
 * the end.  Errors: MD_NOENT (`line` is empty and there is no such user), those of buf_put(). */
MD_MUST_USE int passwd_edit(struct buf *out, struct span text, struct span user, struct span line);

#endif

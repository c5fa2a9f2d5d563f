/* acl.h - mosquitto's ACL files.  Pure over bytes.
 *
 *     topic [read|write|readwrite|deny] FILTER     for whoever stands above; before the first
 *                                                  `user`: for clients without a user name
 *     user NAME
 *     pattern [read|write|readwrite|deny] FILTER   for everybody; %c is the client id, %u the
 *                                                  user name
 *
 * The order of decision is that of mosquitto 2.0: what stands for the user comes first, then the
 * patterns; in each of the two a `deny` that matches wins, then any line that gives the right.
 * What no line gives is denied, so an empty file denies everything (F161). */
#ifndef BROKER_ACCESS_ACL_H
#define BROKER_ACCESS_ACL_H

#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/span.h"

#define ACL_ERR_MAX 320

struct acl;

enum acl_right { ACL_READ = 1, ACL_WRITE = 2 };

struct acl_who {
    struct span client_id, username; /* an empty user name is none */
};

/* file  its name, for messages.
 * *out  given: acl_free().
 * err   "FILE:LINE: what is wrong"; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int acl_parse(struct acl **out, const char *file, struct span text,
                          const struct env *env, char err[ACL_ERR_MAX]);
void acl_free(struct acl *a); /* NULL is fine */

size_t acl_count(const struct acl *a); /* lines with a right */

/* May `who` have the right to a valid Topic Name?  A `+` or `#` in its names would make a pattern
 * of theirs match everything: then no pattern applies (F162).  Out of memory denies. */
bool acl_may(const struct acl *a, const struct acl_who *who, enum acl_right right,
             struct span topic);

#endif

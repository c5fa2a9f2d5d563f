/* rules.h - one configuration of access control, read and ready to be asked; never changes. */
#ifndef BROKER_ACCESS_RULES_H
#define BROKER_ACCESS_RULES_H

#include "broker/access/access.h"
#include "broker/access/acl.h"
#include "broker/access/passwd.h"

struct rules_listener {
    struct access_listener cfg; /* its pointers are not to be used */
    struct passwd *passwords;   /* NULL: none; may be another listener's, too */
    struct acl *acl;
    char *auto_id_prefix;
};

struct rules {
    char *client_id_prefix;
    bool one_acl; /* the same, or none, for every listener */
    size_t n;
    struct rules_listener listener[];
};

/* *out given: rules_free().  Errors: as access_new(). */
MD_MUST_USE int rules_new(struct rules **out, const struct access_config *cfg,
                          const struct env *env, char err[ACCESS_ERR_MAX]);
void rules_free(struct rules *r); /* NULL is fine */

const struct rules_listener *rules_find(const struct rules *r, unsigned listener); /* or NULL */

/* May a client without a user name connect to it? */
bool rules_anonymous(const struct rules_listener *l, bool loopback);

/* Rights to a Topic Name.  A client that is away has no listener: when they differ, it is asked
 * again once it is back. */
bool rules_may(const struct rules *r, const struct broker_client *who, enum acl_right right,
               struct span topic);

#endif

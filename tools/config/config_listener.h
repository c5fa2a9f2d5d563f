/* config_listener.h - the settings of one listener, and which of them go together. */
#ifndef TOOLS_CONFIG_LISTENER_H
#define TOOLS_CONFIG_LISTENER_H

#include "broker/base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_FAULT_MAX 384

enum config_choice { CONFIG_UNSET, CONFIG_YES, CONFIG_NO };

struct config_access { /* of one listener with per_listener_settings, otherwise of all */
    unsigned allow_anonymous, allow_zero_length; /* enum config_choice */
    char *password_file, *acl_file, *auto_id_prefix;
};

struct config_listener {
    char *host;               /* NULL = every address                                            */
    unsigned port;            /* 0 = any free one                                                */
    unsigned line;            /* where the file opens it; 0 = made by us                         */
    char *file;               /* and which file; NULL = made by us                               */
    unsigned max_qos;         /* 0..2; 2 = no limit of its own                                   */
    bool is_default;          /* of `port` and `bind_address`, before any `listener`             */
    bool optional;            /* may fail to open: [::1] of a host without IPv6                  */
    bool tls_auto;            /* the self-made certificate                                       */
    char *certfile, *keyfile; /* own certificate: both or none                          */
    char *cafile;             /* the CA that clients are told to trust; `merossd cert` names it  */
    unsigned tls_version;     /* lowest: 10, 11, 12, 13                                     */
    struct config_access access; /* see config_access_of()                               */
    bool username_is_client_id, cn_is_username, subject_is_username;
    bool require_certificate; /* clients need one by cafile or capath, that crlfile lacks   */
    char *capath, *crlfile, *ciphers;
    char *psk_hint;           /* set: keys of psk_file instead of certificates              */
    char *dhparamfile;        /* not used: there is no DHE here                             */
    unsigned protocol;        /* enum config_protocol                                       */
    char **origins;           /* websockets_origin; NULL-terminated; NULL: every one        */
    char *bind_interface;     /* NULL: any                                                  */
    unsigned socket_domain;   /* 4, 6; 0: both                                              */
    unsigned max_connections; /* 0: no limit                                                */
    unsigned max_handshakes;  /* TLS, under way at the same time; 0: no limit               */
    char *mount_point;        /* prefix of its clients' topics; NULL: none                  */
    char *unix_mode;          /* octal; NULL: 0660                                          */
};

enum config_protocol { CONFIG_MQTT, CONFIG_WEBSOCKETS };

/* The path of its Unix socket, or NULL. */
static inline const char *config_unix_path(const struct config_listener *l)
{
    return l->host != NULL && l->host[0] == '/' ? l->host : NULL;
}

static inline bool config_has_tls(const struct config_listener *l)
{
    return l->tls_auto || l->certfile != NULL || l->psk_hint != NULL;
}

struct config;

/* Do the options of listener i go together, and with those of the listeners before it?
 * what  the fault, without its place in the file; untouched on MD_OK.
 * Errors: MD_INVAL. */
MD_MUST_USE int config_listener_check(const struct config *c, size_t i,
                                      char what[CONFIG_FAULT_MAX]);

/* One more, with the settings that nobody gave.  *out  lent until the next call.
 * Errors: MD_FULL (CONFIG_MAX_LISTENERS), MD_NOMEM. */
MD_MUST_USE int config_listener_add(struct config *c, struct config_listener **out);

void config_listener_free(struct config_listener *l); /* what it holds */
void config_access_free(struct config_access *a);     /* the same      */

#endif

/* config.h - every setting of the broker, and the reader of mosquitto.conf's grammar.
 *
 * One line is one option: `name value`.  A line whose first character is `#` is a comment, blank
 * lines and CRLF are fine.  `listener PORT [ADDR]` opens a listener; options of a listener
 * belong to the one above them, or, before the first one, to the default listener that
 * `port` and `bind_address` describe.  The options themselves are rows of config_options.c.
 *
 * Reading is pure over bytes, all or nothing, and fuzzed; only config_load() opens a file. */
#ifndef TOOLS_CONFIG_H
#define TOOLS_CONFIG_H

#include "broker/base/err.h"
#include "broker/base/span.h"
#include "broker/broker.h"

#define CONFIG_ERR_MAX       512
#define CONFIG_LINE_MAX      4096u      /* bytes of one line                  */
#define CONFIG_FILE_MAX      (1u << 20) /* bytes of one file                  */
#define CONFIG_MAX_LISTENERS 32u
#define CONFIG_MAX_KEYS      16u   /* meross_key lines                   */
#define CONFIG_PLAIN_PORT    1883u /* people and programs, on this host  */
#define CONFIG_TLS_PORT      8883u /* plugs, from everywhere             */
#define CONFIG_HANDSHAKES    512u  /* max_handshakes when it is not set  */

enum config_log_type { /* bits of config.log_types */
                       CONFIG_LOG_ERROR = 1,
                       CONFIG_LOG_WARNING = 2,
                       CONFIG_LOG_NOTICE = 4,
                       CONFIG_LOG_INFORMATION = 8,
                       CONFIG_LOG_DEBUG = 16,
                       CONFIG_LOG_ALL = 31,
                       CONFIG_LOG_NONE =
                           32 /* says nothing; alone it is not the same as "not set" */
};

struct config_listener {
    char *host;               /* NULL = every address                                            */
    unsigned port;            /* 0 = any free one                                                */
    unsigned line;            /* where the file opens it; 0 = made by us                         */
    bool is_default;          /* of `port` and `bind_address`, before any `listener`             */
    bool optional;            /* may fail to open: [::1] of a host without IPv6                  */
    bool tls_auto;            /* the self-made certificate                                       */
    char *certfile, *keyfile; /* own certificate: both or none                          */
    char *cafile;             /* the CA that clients are told to trust; `merossd cert` names it  */
    unsigned tls_version;     /* lowest: 10, 11, 12, 13                                     */
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

struct config {
    struct config_listener *listeners;
    size_t n_listeners;
    bool home_listeners; /* the embedded defaults: the file opened none */
    bool allow_anonymous, connection_messages;
    char *state_dir; /* NULL: config_state_dir() */
    char *pid_file;  /* NULL: none               */
    char *psk_file;  /* for listeners with psk_hint */
    bool set_tcp_nodelay;
    char **meross_keys; /* NULL-terminated; NULL: none.  Secret. */
    char *meross_topic, *meross_timezone;
    unsigned log_types; /* enum config_log_type, or'ed */
    struct broker_limits limits;
};

/* Reads `text`, the contents of `file` (the name is for messages).
 *
 * *out  given: config_free().  Untouched on failure.
 * err   "FILE:LINE: what is wrong and what is allowed"; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int config_parse(struct config *out, const char *file, struct span text,
                             char err[CONFIG_ERR_MAX]);

/* The same for a file; NULL: the defaults alone.  Errors: as above, MD_IO, MD_TOOBIG. */
MD_MUST_USE int config_load(struct config *out, const char *file, char err[CONFIG_ERR_MAX]);

/* Adds what nobody wrote.  Without listeners, those of a home: TLS on CONFIG_TLS_PORT on every
 * address for plugs, in clear on loopback for people.  `plain_port` is `-p PORT`, or -1: it
 * moves the plain home listener, or adds one on loopback to the file's listeners.
 * Errors: MD_NOMEM, MD_FULL (CONFIG_MAX_LISTENERS), MD_EXIST (a listener of the file has that
 * port). */
MD_MUST_USE int config_complete(struct config *c, int plain_port, char err[CONFIG_ERR_MAX]);

void config_free(struct config *c); /* fine on a zeroed one */

/* Where things are kept: `state_dir`, else /var/lib/merossd for root, else
 * $XDG_STATE_HOME/merossd or $HOME/.local/state/merossd.  Reads the environment.
 * Errors: MD_INVAL (neither is set, or too long). */
MD_MUST_USE int config_state_dir(const struct config *c, char *out, size_t cap);

#endif

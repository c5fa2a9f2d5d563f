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
#include "broker/bridge.h"
#include "broker/broker.h"
#include "tools/config/config_listener.h"

#define CONFIG_ERR_MAX       512
#define CONFIG_LINE_MAX      4096u      /* bytes of one line                  */
#define CONFIG_FILE_MAX      (1u << 20) /* bytes of one file                  */
#define CONFIG_MAX_LISTENERS 32u
#define CONFIG_MAX_BRIDGES   64u
#define CONFIG_MAX_ADDRESSES 16u   /* of one bridge                     */
#define CONFIG_MAX_TOPICS    256u  /* of one bridge                     */
#define CONFIG_MAX_INCLUDES  256u  /* files of one include_dir           */
#define CONFIG_MAX_KEYS      16u   /* meross_key lines                   */
#define CONFIG_PLAIN_PORT    1883u /* people and programs, on this host  */
#define CONFIG_TLS_PORT      8883u /* plugs, from everywhere             */
#define CONFIG_HANDSHAKES    512u  /* max_handshakes when it is not set  */

/* Bits of config.log_types. */
enum config_log_type {
    CONFIG_LOG_ERROR = 1,
    CONFIG_LOG_WARNING = 2,
    CONFIG_LOG_NOTICE = 4,
    CONFIG_LOG_INFORMATION = 8,
    CONFIG_LOG_DEBUG = 16,
    CONFIG_LOG_ALL = 31,
    CONFIG_LOG_NONE = 32, /* says nothing; alone it is not the same as "not set" */
    CONFIG_LOG_OTHER = 64 /* types of mosquitto that are part of debug here */
};

/* Bits of config.log_dests. */
enum config_log_dest {
    CONFIG_TO_STDERR = 1,
    CONFIG_TO_STDOUT = 2,
    CONFIG_TO_SYSLOG = 4,
    CONFIG_TO_TOPIC = 8,
    CONFIG_TO_FILE = 16, /* config.log_file */
    CONFIG_TO_NONE = 32
};

#define CONFIG_SYNC_ALWAYS   0u         /* config.persistence_sync */
#define CONFIG_SYNC_OFF      UINT32_MAX /* the same                */
#define CONFIG_FACILITY_NONE 8u         /* config.log_facility: "daemon" */
#define CONFIG_MAX_WARNINGS  64u
#define CONFIG_NO_STATE_DIR  "no state directory: set HOME, XDG_STATE_HOME or `state_dir`"

struct config_address {
    char *host;
    unsigned port;
};

struct config_addresses { /* of a bridge; or of ntp_listener, where host may be NULL */
    struct config_address *v;
    size_t n;
};

struct config_topic { /* as struct bridge_topic; "" where nothing is written */
    char *pattern, *local, *remote;
    unsigned direction, qos;
};

struct config_topics {
    struct config_topic *v;
    size_t n;
};

struct config_restart { /* seconds; the same: no growing */
    unsigned base, cap;
};

struct config_bridge { /* `connection NAME` and what follows it */
    char *name;
    char *file; /* where it is opened */
    unsigned line;
    struct config_addresses addresses;
    struct config_topics topics;
    struct config_restart restart;
    char *remote_id, *local_id; /* NULL: HOSTNAME.name, and local. before it   */
    char *username, *password;  /* NULL: none                                  */
    char *notification_topic;
    char *cafile, *capath, *certfile, *keyfile, *psk, *identity;
    char *bind_address;
    unsigned tls_version, level, keepalive_s, start, idle_timeout_s, threshold;
    unsigned local_clean; /* 1 true, 2 false, 0 as clean_session */
    size_t max_packet_size;
    bool clean_session, notify, notify_local_only, try_private, attempt_unsubscribe;
    bool outgoing_retain, round_robin, insecure, os_certs;
};

struct config {
    struct config_listener *listeners;
    size_t n_listeners;
    struct config_bridge *bridges;
    size_t n_bridges;
    bool home_listeners; /* the embedded defaults: the file opened none */
    bool connection_messages;
    bool per_listener_settings;
    struct config_access access; /* see config_access_of() */
    char *client_id_prefix;      /* NULL: any              */
    unsigned meross_auth;        /* enum meross_auth       */
    unsigned meross_lan;         /* 1: plugs are asked over the LAN, 0: they are not */
    unsigned meross_lan_port;
    unsigned meross_offline_delay; /* seconds */
    char *state_dir;               /* NULL: config_state_dir() */
    char *journal_dir;             /* NULL: in memory, where there is some for us */
    char *pid_file;                /* NULL: none               */
    char *psk_file;                /* for listeners with psk_hint */
    bool set_tcp_nodelay;
    char **meross_keys; /* NULL-terminated; NULL: none.  Secret. */
    char *meross_topic, *meross_timezone;
    unsigned meross_timer_monday; /* 1: bit 0 of a plug's timers is Monday, 0: Sunday */
    struct config_addresses ntp_listeners;
    unsigned log_types;    /* enum config_log_type, or'ed */
    unsigned log_dests;    /* enum config_log_dest, or'ed; 0: not set */
    unsigned log_facility; /* 0..7 = local0..7, CONFIG_FACILITY_NONE */
    char *log_file;        /* of CONFIG_TO_FILE */
    bool log_timestamp;
    char *log_timestamp_format; /* strftime(3); NULL: ours */
    char *user;                 /* who root becomes; NULL: nobody else */
    bool persistence;           /* false: only certificates and plugs are kept */
    unsigned persistence_sync;  /* seconds, or CONFIG_SYNC_ALWAYS, CONFIG_SYNC_OFF */
    char *persistence_location, *persistence_file; /* mosquitto's, for `merossd import` */
    unsigned sys_interval;                         /* seconds; 0: no $SYS topics */
    char **included; /* files of include_dir, NULL-terminated; NULL: none */
    char **warnings; /* NULL-terminated, "FILE:LINE: ..."; NULL: none */
    struct broker_limits limits;
};

/* Reads `text`, the contents of `file` (the name is for messages).
 *
 * *out  given: config_free().  Untouched on failure.
 * err   "FILE:LINE: what is wrong and what is allowed"; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int config_parse(struct config *out, const char *file, struct span text,
                             char err[CONFIG_ERR_MAX]);

/* Reads what `include_dir` names: calls `take` for the text of each file, in order, until it fails.
 * Errors: those of `take`; MD_IO and MD_TOOBIG with err set; MD_NOMEM. */
typedef int (*config_take_cb)(void *reader, const char *file, struct span text);
struct config_includes {
    int (*each)(const char *dir, config_take_cb take, void *reader, char err[CONFIG_ERR_MAX]);
};

/* config_parse() that follows include_dir; without `includes` that option is an error. */
MD_MUST_USE int config_parse_with(struct config *out, const char *file, struct span text,
                                  const struct config_includes *includes, char err[CONFIG_ERR_MAX]);

/* The same for a file; NULL: the defaults alone.  Errors: as above, MD_IO, MD_TOOBIG. */
MD_MUST_USE int config_load(struct config *out, const char *file, char err[CONFIG_ERR_MAX]);

/* Adds what nobody wrote.  Without listeners, those of a home: TLS on CONFIG_TLS_PORT on every
 * address for plugs, in clear on loopback for people.  `plain_port` is `-p PORT`, or -1: it
 * moves the plain home listener, or adds one on loopback to the file's listeners.
 * Errors: MD_NOMEM, MD_FULL (CONFIG_MAX_LISTENERS), MD_EXIST (a listener of the file has that
 * port). */
MD_MUST_USE int config_complete(struct config *c, int plain_port, char err[CONFIG_ERR_MAX]);

/* Puts what listeners have of limits into c->limits, by their place plus one; part of
 * config_complete(). */
void config_listener_limits(struct config *c);

/* False: what the section asks for would have to be left out, encryption for one. */
bool config_bridge_usable(const struct config_bridge *b);

void config_free(struct config *c); /* fine on a zeroed one */

/* The access options that hold for listener i; lent. */
const struct config_access *config_access_of(const struct config *c, size_t i);

/* The folder that systemd made for the service and names in STATE_DIRECTORY or RUNTIME_DIRECTORY
 * (systemd.exec(5)), the first of several; false: none. */
bool config_service_dir(const char *variable, char *out, size_t cap);

/* Where things are kept: `state_dir`, else $STATE_DIRECTORY, else /var/lib/merossd for root, else
 * $XDG_STATE_HOME/merossd or $HOME/.local/state/merossd.  Reads the environment.
 * Errors: MD_INVAL (neither is set, or too long): say CONFIG_NO_STATE_DIR. */
MD_MUST_USE int config_state_dir(const struct config *c, char *out, size_t cap);

#endif

/* serve_int.h - the running broker, for cmd_serve.c and serve_tls.c only. */
#ifndef TOOLS_SERVE_INT_H
#define TOOLS_SERVE_INT_H

#include "broker/access/access.h"
#include "broker/broker.h"
#include "broker/server.h"
#include "broker/store/store.h"
#include "certs/certs.h"
#include "meross/meross.h"
#include "tools/config/config.h"
#include "tools/hostnet.h"
#include "tools/serve/logsink.h"
#include "tools/serve/notify.h"
#include "tools/serve/serve_clients.h"
#include "tools/serve/serve_host.h"
#include "tools/serve/serve_network.h"
#include "tools/serve/state.h"
#include "tools/serve/zonewatch.h"

#include <stdatomic.h>

struct serve_tls { /* the self-made certificate; serve_tls.c */
    struct certs_paths paths;
    bool wanted;          /* a listener has `tls auto`                             */
    atomic_bool stopping; /* read by the thread pool, too                 */
    bool busy;            /* the thread pool has it: leave `names` and below alone */
    bool made;            /* certs_ensure() succeeded at least once                */
    uint64_t made_ms;
    struct hostnet names;    /* of this computer: what the work puts in       */
    struct hostnet *current; /* what the certificate in use was checked for   */
    int result;
    char what[CERTS_ERR_MAX], why[CERTS_ERR_MAX];
};

struct serve {
    struct config cfg;
    char dir[512];
    const char *config_file; /* -c; NULL: none */
    int plain_port;          /* -p; -1: none   */
    bool verbose, daemon;    /* -v, -d         */
    int lock, ready;         /* -1: none */
    bool has_pid;            /* the pid file is ours to remove */
    struct logsink sink;
    struct notify notify;
    struct serve_user user;
    struct serve_clients *clients;
    struct serve_network *network;
    struct serve_bridge *bridges; /* one for each section */
    struct store *store;
    struct server *server;
    struct meross *meross;
    struct access *access;
    struct broker *broker;
    struct zonewatch *zone;
    bool open[CONFIG_MAX_LISTENERS]; /* by the index in cfg.listeners */
    struct serve_tls tls;
    int64_t ntp_said_s; /* when "the time is not known" was said; 0: never */
    bool failed;        /* stopped by us, not by a signal */
    char err[SERVE_HOST_ERR_MAX];
};

/* Opens one listener; the index is its id less one.  Errors: as server_listen(). */
MD_MUST_USE int serve_listen(struct serve *s, size_t i);
struct server_tls serve_tls_files(const struct serve *s, size_t i); /* lent by `s` */

/* serve_tls.c: opens the listeners with `tls auto`, at once when their certificate is there,
 * otherwise when it is made; and keeps it up to date while the server runs.
 * Errors: MD_IO, MD_NOMEM, MD_INVAL, with s->err set. */
MD_MUST_USE int serve_tls_start(struct serve *s);

/* The server stops: no listener is opened any more, and keys under way are given up. */
void serve_tls_stop(struct serve *s);

/* Reads all certificate files again. */
void serve_tls_reload(struct serve *s);

/* serve_log.c: starts the log; changes it after the configuration changed, and opens its file again;
 * says the warnings of the configuration; and lets lines go to topics, once there is a broker. */
void serve_log_start(struct serve *s, FILE *err, FILE *std, const struct env *env);
void serve_log_apply(struct serve *s);
void serve_log_warnings(const struct serve *s);
void serve_log_to_topics(struct serve *s);

/* serve_bridge.c.  Errors: as server_bridge(), with s->err set. */
MD_MUST_USE int serve_bridges_open(struct serve *s);
void serve_bridges_free(struct serve *s);

/* serve_ntp.c: the sockets of `ntp_listener`.  Errors: as server_udp(), with s->err set. */
MD_MUST_USE int serve_ntp_open(struct serve *s);
/* SIGHUP: they stay as they are, in `next` as well. */
void serve_ntp_keep(struct config *running, struct config *next);

/* serve_lan.c: whether plugs are asked over the LAN, as the configuration has it. */
void serve_lan_apply(struct serve *s);

/* serve_reload.c: SIGHUP. */
void serve_reload(struct serve *s);

/* Ends the server from within, as a failure. */
void serve_fail(struct serve *s);

#endif

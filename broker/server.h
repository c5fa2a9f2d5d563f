/* server.h - sockets, TLS and the loop, for tools/cmd_serve.c only. */
#ifndef BROKER_SERVER_H
#define BROKER_SERVER_H

#include "broker/bridge.h"
#include "broker/broker.h"

struct server;

#define SERVER_ERR_MAX 320

struct server_tls {
    const char *cert_file, *key_file;   /* PEM paths                                        */
    const char *cert_file2, *key_file2; /* a second, ECDSA pair, or NULL                    */
    /* Who may connect: certificates by these CAs (PEM file, or a folder of them), less those that
     * the CRL lists.  Both CAs NULL: no client certificate is asked for.  */
    const char *ca_file, *ca_path, *crl_file;
    const char *ciphers;  /* names with colons between, as in mosquitto; NULL = our list */
    const char *psk_file; /* `identity:hex` lines; clients may use a key instead of a
                             certificate; NULL = they may not                            */
    unsigned min_version; /* 10, 11, 12, 13; 0 = 12                                      */
};

enum server_domain { SERVER_ANY_DOMAIN = 0, SERVER_IPV4 = 4, SERVER_IPV6 = 6 };

struct server_listener {          /* everything is copied */
    const char *host;             /* address or name to bind; NULL or "" = every address   */
    uint16_t port;                /* 0 = any free one, see server_port()                   */
    unsigned id;                  /* handed to hooks as broker_client.listener             */
    const struct server_tls *tls; /* NULL: in clear                                        */
    const char *unix_path;        /* a Unix socket instead of host and port; NULL = TCP    */
    unsigned unix_mode;           /* its permission bits                                   */
    const char *interface;        /* only connections that come in there; NULL = any       */
    enum server_domain domain;
    bool websockets;            /* MQTT over WebSockets instead of bare MQTT             */
    const char *const *origins; /* pages that may connect; ends with NULL; NULL = all    */
    size_t max_packet;          /* the broker's, for WebSockets; 0 = the protocol's      */
    unsigned max_connections;   /* further ones are closed at once; 0 = no limit         */
    unsigned max_handshakes;    /* TLS handshakes under way; 0 = no limit                */
    const char *mount;          /* prefix of its clients' topics; NULL: none             */
    bool nagle;                 /* small packets may wait for one another: no TCP_NODELAY */
};

/* *out given: server_free().  From here on SIGTERM, SIGINT, SIGHUP and SIGUSR1 end nothing: they
 * wait for server_run().  Errors: MD_NOMEM, MD_IO. */
MD_MUST_USE int server_new(struct server **out);
void server_free(struct server *s); /* NULL is fine; closes what is open */

const struct env *server_env(struct server *s); /* real clock and getrandom(2); lent */

/* Opens a listening socket; it accepts once server_run() runs.
 * err      a sentence with cause and next step; untouched on MD_OK.
 * Errors: MD_IO (resolve, bind, listen), MD_TLS (certificate or key), MD_NOMEM. */
MD_MUST_USE int server_listen(struct server *s, const struct server_listener *l,
                              char err[SERVER_ERR_MAX]);
uint16_t server_port(const struct server *s, unsigned id); /* the bound port; 0 = no such id */

/* Another limit for messages over WebSockets, of connections from now on; see server_listener. */
void server_set_max_packet(struct server *s, size_t max);

/* New TLS files for a listener: connections from now on use them, those that are open keep the
 * old ones.  Errors as server_listen(); on failure nothing changes. */
MD_MUST_USE int server_reload_tls(struct server *s, unsigned id, const struct server_tls *tls,
                                  char err[SERVER_ERR_MAX]);

enum server_start { SERVER_AUTOMATIC, SERVER_LAZY, SERVER_ONCE };

struct server_address {
    const char *host;
    uint16_t port;
};

struct server_bridge { /* all of it is kept until server_free() */
    struct bridge_config core;
    const struct server_address *addresses;
    size_t n_addresses;           /* at least 1                                                */
    const char *bind_address;     /* a number of this host to come from; NULL = any            */
    const struct server_tls *tls; /* NULL: in clear                                           */
    bool insecure;                /* the certificate may be in another name                    */
    bool round_robin;             /* go on with the next address, not again with the first     */
    enum server_start start;
    unsigned idle_timeout_s, threshold;     /* SERVER_LAZY: when it ends and begins               */
    unsigned restart_base_s, restart_cap_s; /* between attempts; cap > base: growing, at random */
};

/* Makes a bridge of `b`, after broker_restore(); it connects once server_run() runs, and again
 * whenever the connection ends.
 * Errors: those of bridge_new() and MD_IO, MD_TLS (its files), with err set; MD_NOMEM. */
MD_MUST_USE int server_bridge(struct server *s, struct broker *b, const struct server_bridge *cfg,
                              char err[SERVER_ERR_MAX]);

struct server_moment { /* the time of this host */
    int64_t s;         /* seconds since 1970-01-01 UTC */
    uint32_t ns;
};

#define SERVER_UDP_MAX 512 /* bytes of a datagram; of a longer one the rest is lost */

struct server_udp {
    const char *host; /* address or name to bind; copied; NULL = every address          */
    uint16_t port;    /* 0 = any free one, see server_udp_port()                        */
    unsigned id;
    /* Writes the answer to a datagram and returns its length, at most that of the request; 0: no
     * answer.  Called on the loop thread. */
    size_t (*answer)(void *ctx, struct span request, const struct server_moment *now,
                     uint8_t out[SERVER_UDP_MAX]);
    void *ctx; /* kept until server_free() */
};

/* Opens a UDP socket that answers once server_run() runs, from the address that was asked, and one
 * client no faster than once in two seconds, after eight at once.
 * err  a sentence with cause and next step; untouched on MD_OK.
 * Errors: MD_IO (resolve, bind), MD_NOMEM. */
MD_MUST_USE int server_udp(struct server *s, const struct server_udp *cfg,
                           char err[SERVER_ERR_MAX]);
uint16_t server_udp_port(const struct server *s, unsigned id); /* 0 = no such id */

enum server_reach { SERVER_LOOPBACK, SERVER_LOCAL, SERVER_PUBLIC };

struct server_outgoing { /* one destination that was connected to, or tried */
    char address[46];
    unsigned port;
    char why[48]; /* "bridge office" */
    enum server_reach reach;
    uint64_t attempts;
    uint64_t first_ms, last_ms; /* monotonic */
};

struct server_outgoings { /* lent until the server runs on */
    const struct server_outgoing *v;
    size_t n;
    unsigned more;    /* attempts to destinations beyond those that are told apart   */
    unsigned lookups; /* names that were looked up, which asks the system's resolver */
};

/* Every connection that was made from here since server_new(). */
struct server_outgoings server_outgoing(const struct server *s);

struct
    server_exchange { /* one question and its answer, over a TCP connection of its own, in clear */
    const char *host; /* an address as a number; no name */
    uint16_t port;
    struct span send;    /* copied */
    unsigned timeout_ms; /* for all of it: at least 1 */
    size_t max;          /* bytes of the answer at most: at least 1 */
    /* What came; false: that is all.  Then, or when the peer closed or reset the connection or
     * `max` is reached: done(MD_OK).  MD_IO it could not be reached, MD_TIMEOUT, MD_CLOSED the
     * server stops.  Both are called from the loop only, never from server_exchange(). */
    bool (*take)(void *ctx, struct span bytes);
    void (*done)(void *ctx, int err);
    void *ctx; /* kept until done */
};

/* Begins an exchange; done() is called exactly once when MD_OK is returned, and never otherwise.
 * Errors: MD_INVAL not an address, MD_IO, MD_NOMEM, MD_CLOSED the server stops. */
MD_MUST_USE int server_exchange(struct server *s, const struct server_exchange *ask);

/* Runs `work` in the thread pool, then `done` on the loop thread, always both.  ctx kept.
 * Errors: MD_NOMEM. */
MD_MUST_USE int server_work(struct server *s, void (*work)(void *ctx), void (*done)(void *ctx),
                            void *ctx);

/* Calls `tick` on the loop thread about every period_ms while the server runs.  ctx kept.
 * Errors: MD_NOMEM. */
MD_MUST_USE int server_every(struct server *s, uint64_t period_ms, void (*tick)(void *ctx),
                             void *ctx);

struct server_signals {          /* NULL members: ignored */
    void (*on_ready)(void *ctx); /* once, when the loop runs                              */
    void (*on_stop)(void *ctx);  /* once, on SIGTERM or SIGINT: what is published now is
                                    still delivered, then every connection ends          */
    void (*on_hup)(void *ctx);   /* SIGHUP  */
    void (*on_usr1)(void *ctx);  /* SIGUSR1 */
    void *ctx;
};

/* Runs until SIGTERM or SIGINT, then closes every connection within `grace_ms`.
 * store  flushed in the thread pool within two seconds after it became dirty, and before this
 *        returns; NULL = none.
 * Errors: MD_IO, MD_NOMEM; the log has said which and what to do. */
MD_MUST_USE int server_run(struct server *s, struct broker *b, struct store *store,
                           const struct server_signals *signals, unsigned grace_ms);

#endif

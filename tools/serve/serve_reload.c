/* serve_reload.c - SIGHUP: read everything, then swap; a fault anywhere leaves all as it was. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tools/config/access_input.h"
#include "tools/config/config_check.h"
#include "tools/serve/serve_int.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_place(const struct config_listener *a, const struct config_listener *b)
{
    return a->port == b->port && same_text(a->host, b->host);
}

static struct config_listener *find(struct config *c, const struct config_listener *like)
{
    for (size_t i = 0; i < c->n_listeners; i++)
        if (same_place(&c->listeners[i], like))
            return &c->listeners[i];
    return NULL;
}

static void swap_text(char **a, char **b)
{
    char *t = *a;
    *a = *b;
    *b = t;
}

static void say_restart(const char *what, const struct config_listener *l)
{
    log_warn("server", "SIGHUP: the listener on %s port %u %s; that needs a restart",
             l->host != NULL ? l->host : "every address", l->port, what);
}

/* Where the file has it, and who may connect to it. */
static void take_access(struct config_listener *running, struct config_listener *now)
{
    struct config_access access = running->access;
    running->access = now->access;
    now->access = access;
    running->username_is_client_id = now->username_is_client_id;
    running->cn_is_username = now->cn_is_username;
    running->subject_is_username = now->subject_is_username;
    swap_text(&running->file, &now->file);
    running->line = now->line;
    running->is_default = now->is_default;
}

static bool same_texts(char *const *a, char *const *b)
{
    while (a != NULL && b != NULL && *a != NULL && same_text(*a, *b)) {
        a++;
        b++;
    }
    return (a == NULL || *a == NULL) && (b == NULL || *b == NULL);
}

/* The first option that was given to the socket and is another now; NULL: none. */
static const char *of_socket(const struct config_listener *a, const struct config_listener *b)
{
    return a->protocol != b->protocol                         ? "protocol"
           : !same_texts(a->origins, b->origins)              ? "websockets_origin"
           : !same_text(a->bind_interface, b->bind_interface) ? "bind_interface"
           : a->socket_domain != b->socket_domain             ? "socket_domain"
           : a->max_connections != b->max_connections         ? "max_connections"
           : a->max_handshakes != b->max_handshakes           ? "max_handshakes"
           : !same_text(a->mount_point, b->mount_point)       ? "mount_point"
           : !same_text(a->unix_mode, b->unix_mode)           ? "unix_socket_mode"
                                                              : NULL;
}

/* What may change while the socket stays open. */
static void take_over(struct config_listener *running, struct config_listener *now)
{
    const char *other = of_socket(running, now);
    if (other != NULL) {
        char what[64];
        (void)snprintf(what, sizeof what, "has another %s", other);
        say_restart(what, running);
    }
    take_access(running, now);
    if (running->tls_auto != now->tls_auto || config_has_tls(running) != config_has_tls(now)) {
        say_restart("changes between TLS and clear, or to a certificate of another kind", running);
        return;
    }
    swap_text(&running->certfile, &now->certfile);
    swap_text(&running->keyfile, &now->keyfile);
    swap_text(&running->cafile, &now->cafile);
    swap_text(&running->capath, &now->capath);
    swap_text(&running->crlfile, &now->crlfile);
    swap_text(&running->ciphers, &now->ciphers);
    swap_text(&running->psk_hint, &now->psk_hint);
    running->require_certificate = now->require_certificate;
    running->tls_version = now->tls_version;
    running->max_qos = now->max_qos;
}

/* The sockets that are open keep their places, which are their numbers; `next` gets the running
 * list with what is new in it. */
static void keep_listeners(struct config *running, struct config *next)
{
    for (size_t i = 0; i < next->n_listeners; i++)
        if (find(running, &next->listeners[i]) == NULL)
            say_restart("is new", &next->listeners[i]);
    for (size_t i = 0; i < running->n_listeners; i++) {
        struct config_listener *now = find(next, &running->listeners[i]);
        if (now == NULL)
            say_restart("is gone from the file", &running->listeners[i]);
        else
            take_over(&running->listeners[i], now);
    }
    struct config_listener *list = next->listeners;
    size_t n = next->n_listeners;
    if (running->n_bridges > 0 || next->n_bridges > 0)
        log_info("server", "SIGHUP: bridges stay as they are; changes to them need a restart");
    struct config_bridge *bridges = next->bridges;
    size_t n_bridges = next->n_bridges;
    next->bridges = running->bridges;
    next->n_bridges = running->n_bridges;
    running->bridges = bridges;
    running->n_bridges = n_bridges;
    next->listeners = running->listeners;
    next->n_listeners = running->n_listeners;
    next->home_listeners = running->home_listeners;
    running->listeners = list;
    running->n_listeners = n;
    config_listener_limits(next);
}

static void keep_text(const char *name, char **running, char **next)
{
    if (same_text(*running, *next))
        return;
    log_warn("server", "SIGHUP: option '%s' has changed; that needs a restart", name);
    swap_text(running, next);
}

static void keep_bool(const char *name, bool running, bool *next)
{
    if (running != *next)
        log_warn("server", "SIGHUP: option '%s' has changed; that needs a restart", name);
    *next = running;
}

/* What is decided once, when the program starts. */
static void keep_fixed(struct config *running, struct config *next)
{
    keep_text("state_dir", &running->state_dir, &next->state_dir);
    keep_text("journal_dir", &running->journal_dir, &next->journal_dir);
    keep_text("pid_file", &running->pid_file, &next->pid_file);
    keep_text("user", &running->user, &next->user);
    keep_text("meross_topic", &running->meross_topic, &next->meross_topic);
    keep_bool("persistence", running->persistence, &next->persistence);
    serve_ntp_keep(running, next);
    keep_bool("set_tcp_nodelay", running->set_tcp_nodelay, &next->set_tcp_nodelay);
}

/* Users and rights of the sockets that are open, which have the numbers of the running list. */
static int read_access(const struct serve *s, struct config *next, struct rules **out, char *why)
{
    struct config_listener open[CONFIG_MAX_LISTENERS];
    struct config view = *next;
    if (s->cfg.per_listener_settings != next->per_listener_settings) {
        /* What one that is gone from the file has to go by could not be told any more. */
        (void)snprintf(why, CONFIG_ERR_MAX,
                       "option 'per_listener_settings' has changed; that needs a restart");
        return MD_INVAL;
    }
    for (size_t i = 0; i < s->cfg.n_listeners; i++) {
        const struct config_listener *now = find(next, &s->cfg.listeners[i]);
        open[i] = now != NULL ? *now : s->cfg.listeners[i];
    }
    view.listeners = open;
    view.n_listeners = s->cfg.n_listeners;
    return access_input_read(out, &view, server_env(s->server), why);
}

static int read_all(struct serve *s, struct config *next, struct rules **access,
                    char why[CONFIG_ERR_MAX])
{
    int err = config_load(next, s->config_file, why);
    if (err != MD_OK)
        return err;
    *access = NULL;
    err = config_complete(next, s->plain_port, why);
    if (err == MD_OK)
        err = config_check(next, server_env(s->server), why);
    if (err == MD_OK)
        err = read_access(s, next, access, why);
    if (err == MD_OK && (err = meross_set_keys(s->meross, (const char *const *)next->meross_keys)))
        (void)snprintf(why, CONFIG_ERR_MAX, "option 'meross_key': %s", md_err_text(err));
    if (err != MD_OK) {
        access_drop(*access);
        config_free(next);
    }
    return err;
}

void serve_reload(struct serve *s)
{
    struct config next;
    struct rules *access;
    char why[CONFIG_ERR_MAX] = "out of memory";
    notify_reloading(&s->notify);
    if (read_all(s, &next, &access, why) != MD_OK) {
        log_error("server", "SIGHUP: nothing was changed: %s", why);
        serve_log_apply(s); /* the log file is opened again all the same: it may be rotated */
        notify_say(&s->notify, "READY=1\nSTATUS=Running with the old configuration: %s", why);
        return;
    }
    keep_fixed(&s->cfg, &next);
    keep_listeners(&s->cfg, &next);
    struct config old = s->cfg;
    s->cfg = next;
    serve_log_apply(s);
    config_free(&old);
    serve_log_warnings(s);
    broker_set_limits(s->broker, &s->cfg.limits);
    if (broker_sys(s->broker, s->cfg.sys_interval, MD_VERSION) != MD_OK)
        log_warn("server", "SIGHUP: out of memory: the $SYS topics stand still");
    server_set_max_packet(s->server, s->cfg.limits.max_packet_size);
    meross_set_auth(s->meross, s->cfg.meross_auth);
    meross_set_timer_first_day(s->meross, s->cfg.meross_timer_monday != 0);
    serve_lan_apply(s);
    meross_set_offline_delay(s->meross, s->cfg.meross_offline_delay);
    access_swap(s->access, access);
    serve_tls_reload(s);
    log_info("server", "SIGHUP: the configuration was read again");
    notify_say(&s->notify, "READY=1\nSTATUS=Running");
}

/* cmd_serve.c - `merossd serve`: the broker; puts all rooms together. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "tools/config/access_input.h"
#include "tools/cmd.h"
#include "tools/interrupt.h"
#include "tools/serve/serve_int.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define GRACE_MS 2000u

static int complain(struct serve *s, int err, const char *what)
{
    (void)snprintf(s->err, sizeof s->err, "%s: %s", what, md_err_text(err));
    return err;
}

/* --- zone ---------------------------------------------------------------------------------- */

static struct hostzone_places zone_places(const struct serve *s)
{
    return (struct hostzone_places){
        .option = s->cfg.meross_timezone, .tz = getenv("TZ"), .root = ""};
}

static int start_zone(struct serve *s)
{
    struct hostzone_places places = zone_places(s);
    s->zone = mem_need(sizeof *s->zone, "the time zone");
    int err = zonewatch_start(s->zone, &places);
    if (err != MD_OK) {
        (void)snprintf(s->err, sizeof s->err, "%s", s->zone->what);
        return err;
    }
    meross_set_zone(s->meross, &s->zone->zone);
    meross_set_timer_first_day(s->meross, s->cfg.meross_timer_monday != 0);
    return MD_OK;
}

static void look_at_zone(struct serve *s, bool sure)
{
    struct hostzone_places places = zone_places(s);
    if (!zonewatch_look(s->zone, &places, env_wall_s(server_env(s->server)), sure))
        return;
    meross_set_zone(s->meross, &s->zone->zone);
    log_info("zone", "changed: plugs are told %s", s->zone->what);
}

static void check_zone(void *ctx) { look_at_zone(ctx, false); }

static void tick_log(void *ctx)
{
    struct serve *s = ctx;
    logsink_tick(&s->sink);
}

/* --- listeners ----------------------------------------------------------------------------- */

static const char *where(const struct config_listener *l)
{
    return l->host == NULL ? "every address" : l->host;
}

static const char *speaks(const struct config_listener *l)
{
    if (l->protocol == CONFIG_WEBSOCKETS)
        return config_has_tls(l) ? "WebSockets over TLS" : "WebSockets in clear";
    return config_has_tls(l) ? "TLS" : "in clear";
}

static struct server_listener describe(const struct serve *s, size_t i,
                                       const struct server_tls *tls)
{
    const struct config_listener *l = &s->cfg.listeners[i];
    const char *path = config_unix_path(l);
    return (struct server_listener){
        .host = path == NULL ? l->host : NULL,
        .port = (uint16_t)l->port,
        .id = (unsigned)i + 1,
        .tls = config_has_tls(l) ? tls : NULL,
        .unix_path = path,
        .unix_mode = l->unix_mode == NULL ? 0660 : (unsigned)strtoul(l->unix_mode, NULL, 8),
        .interface = l->bind_interface,
        .domain = (enum server_domain)l->socket_domain,
        .websockets = l->protocol == CONFIG_WEBSOCKETS,
        .origins = (const char *const *)l->origins,
        .max_packet = s->cfg.limits.max_packet_size,
        .max_connections = l->max_connections,
        .max_handshakes = l->max_handshakes,
        .mount = l->mount_point,
        .nagle = !s->cfg.set_tcp_nodelay};
}

int serve_listen(struct serve *s, size_t i)
{
    const struct config_listener *l = &s->cfg.listeners[i];
    struct server_tls files = serve_tls_files(s, i);
    struct server_listener cfg = describe(s, i, &files);
    char why[SERVER_ERR_MAX] = "out of memory";
    int err = server_listen(s->server, &cfg, why);
    if (err != MD_OK) {
        (void)snprintf(s->err, sizeof s->err, "%s", why);
        return err;
    }
    s->open[i] = true;
    if (cfg.unix_path != NULL)
        log_info("server", "listening on the Unix socket %s, %s", cfg.unix_path, speaks(l));
    else
        log_info("server", "listening on %s, port %u, %s", where(l), server_port(s->server, cfg.id),
                 speaks(l));
    return MD_OK;
}

void serve_fail(struct serve *s)
{
    s->failed = true;
    (void)raise(SIGTERM); /* the server's own way to stop */
}

/* The plain ones and those with own files; `tls auto` follows in serve_tls_start(). */
static int open_listeners(struct serve *s)
{
    for (size_t i = 0; i < s->cfg.n_listeners; i++) {
        const struct config_listener *l = &s->cfg.listeners[i];
        if (l->tls_auto)
            continue;
        int err = serve_listen(s, i);
        /* A host without IPv6 may lack [::1]; a stranger who has that port is another matter:
         * clients of "localhost" would reach him. */
        if (err != MD_OK &&
            (!l->optional || serve_host_port_free(l->host, l->port, s->err) != MD_OK))
            return err;
    }
    return MD_OK;
}

/* --- parts --------------------------------------------------------------------------------- */

static int pool(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    return server_work(ctx, work, done, arg);
}

static int make_access(struct serve *s, const struct broker_hooks *inner)
{
    struct access_input *in;
    int err = access_input_load(&in, &s->cfg, s->err);
    if (err != MD_OK)
        return err;
    struct access_work work = {pool, s->server};
    err =
        access_new(&s->access, access_input_config(in), inner, work, server_env(s->server), s->err);
    access_input_free(in);
    return err;
}

static int restore(struct serve *s)
{
    /* With `persistence false` the plugs are kept all the same: their keys are nowhere else. */
    int err = s->cfg.persistence ? broker_restore(s->broker, s->store) : MD_OK;
    store_loaded(s->store);
    return err == MD_OK ? MD_OK : complain(s, err, "cannot restore the state");
}

/* meross -> access -> broker: who connects is asked in that order. */
static int make_broker(struct serve *s)
{
    struct meross_listener listeners[CONFIG_MAX_LISTENERS];
    for (size_t i = 0; i < s->cfg.n_listeners; i++) {
        const struct config_listener *l = &s->cfg.listeners[i];
        listeners[i] = (struct meross_listener){l->host, l->port, config_has_tls(l)};
    }
    struct meross_config mc = {.listeners = listeners,
                               .n_listeners = s->cfg.n_listeners,
                               .keys = (const char *const *)s->cfg.meross_keys,
                               .topic = s->cfg.meross_topic,
                               .auth = s->cfg.meross_auth,
                               .offline_delay_s = s->cfg.meross_offline_delay,
                               .version = MD_VERSION};
    const struct env *env = server_env(s->server);
    int err = meross_new(&s->meross, &mc, env, s->store);
    if (err != MD_OK)
        return complain(s, err, "cannot start the Meross part (meross_key, meross_topic)");
    serve_lan_apply(s);
    err = start_zone(s);
    if (err != MD_OK)
        return err;
    struct broker_hooks hooks = meross_hooks(s->meross);
    err = make_access(s, &hooks);
    if (err != MD_OK)
        return err;
    hooks = access_hooks(s->access);
    err = broker_new(&s->broker, &s->cfg.limits, &hooks, env);
    if (err == MD_OK && (err = restore(s)) != MD_OK)
        return err;
    if (err == MD_OK)
        access_attach(s->access, s->broker);
    if (err == MD_OK)
        err = meross_attach(s->meross, s->broker);
    if (err == MD_OK)
        err = broker_sys(s->broker, s->cfg.sys_interval, MD_VERSION);
    if (err == MD_OK)
        err = serve_clients_new(&s->clients, s->broker, s->cfg.meross_topic);
    if (err == MD_OK)
        err = serve_network_new(&s->network, s);
    if (err == MD_OK)
        err = server_every(s->server, ZONEWATCH_MS, check_zone, s);
    if (err == MD_OK)
        err = server_every(s->server, FLOOD_MS, tick_log, s);
    return err == MD_OK ? MD_OK : complain(s, err, "cannot start");
}

static void watchdog(void *ctx)
{
    struct serve *s = ctx;
    notify_say(&s->notify, "WATCHDOG=1");
}

static int start_watchdog(struct serve *s)
{
    notify_open(&s->notify, getenv("NOTIFY_SOCKET"), getenv("WATCHDOG_USEC"),
                getenv("WATCHDOG_PID"));
    if (s->notify.watchdog_ms == 0)
        return MD_OK;
    int err = server_every(s->server, s->notify.watchdog_ms, watchdog, s);
    return err == MD_OK ? MD_OK : complain(s, err, "cannot start the watchdog");
}

/* What the user may later have to remove or open again.  It runs without, too, until then. */
static void give_files(const struct serve *s)
{
    const char *pid = s->cfg.pid_file;
    if (pid != NULL && lchown(pid, s->user.uid, s->user.gid) != 0)
        log_warn("server",
                 "cannot give the pid file %s to %s: %s. It will be left behind: put it into a "
                 "directory of that user (`pid_file`).",
                 pid, s->user.name, strerror(errno));
    if (s->sink.file != NULL && fchown(fileno(s->sink.file), s->user.uid, s->user.gid) != 0)
        log_warn("server",
                 "cannot give the log file %s to %s: %s. It cannot be opened again on SIGHUP: make "
                 "that user its owner (chown).",
                 s->cfg.log_file, s->user.name, strerror(errno));
}

/* The rest needs no root: ports and keys are open, and what is written from now on is the
 * user's.  A listener with `tls auto` opens later, because its certificate may have to be made
 * first; its port must be one that the user may open. */
static int become_user(struct serve *s)
{
    int err = state_give(s->dir, &s->cfg, &s->user, s->err);
    if (err == MD_OK && s->user.wanted)
        give_files(s);
    return err == MD_OK ? serve_host_become(&s->user, s->err) : err;
}

static int start_core(struct serve *s)
{
    int err = state_open(&s->store, s->dir, &s->cfg, s->err);
    if (err == MD_OK && (err = server_new(&s->server)) != MD_OK)
        (void)complain(s, err, "cannot start the event loop");
    if (err == MD_OK)
        err = make_broker(s);
    return err;
}

static int start(struct serve *s)
{
    int err = serve_host_user(s->cfg.user, &s->user, s->err);
    if (err == MD_OK)
        err = serve_host_dir(s->dir, &s->lock, s->err);
    if (err == MD_OK)
        err = serve_host_whole(s->dir, s->err);
    if (err == MD_OK)
        err = start_core(s);
    if (err == MD_OK)
        err = open_listeners(s);
    if (err == MD_OK)
        err = serve_bridges_open(s);
    if (err == MD_OK)
        err = serve_ntp_open(s);
    if (err == MD_OK && s->cfg.pid_file != NULL)
        err = serve_host_pid(s->cfg.pid_file, &s->has_pid, s->err);
    if (err == MD_OK)
        err = become_user(s);
    if (err == MD_OK)
        err = serve_tls_start(s);
    return err == MD_OK ? start_watchdog(s) : err;
}

/* --- life ---------------------------------------------------------------------------------- */

/* Plugs come over the network, with MQTT in TLS. */
static bool is_for_plugs(const struct config_listener *l)
{
    return config_has_tls(l) && l->protocol == CONFIG_MQTT && config_unix_path(l) == NULL;
}

/* The first listener for plugs; SIZE_MAX: none. */
static size_t plug_listener(const struct serve *s)
{
    for (size_t i = 0; i < s->cfg.n_listeners; i++)
        if (is_for_plugs(&s->cfg.listeners[i]))
            return i;
    return SIZE_MAX;
}

static void say_where_plugs_go(const struct serve *s, size_t i)
{
    const struct config_listener *l = &s->cfg.listeners[i];
    unsigned port = s->open[i] ? server_port(s->server, (unsigned)i + 1) : l->port;
    const char *ca = l->tls_auto ? s->tls.paths.ca : l->cafile;
    log_info("server", "plugs: point them at %s, port %u; other clients trust it with --cafile %s",
             s->tls.names.list[0], port, ca != NULL ? ca : "FILE, the CA of your certificate");
}

/* What a newcomer needs to know, and nothing else. */
static void welcome(const struct serve *s)
{
    size_t i = plug_listener(s);
    log_info("zone", "plugs are told the time zone %s", s->zone->what);
    log_info("server", "merossd %s runs; its state directory is %s", MD_VERSION, s->dir);
    const char *lacks = tls_library_warning(tls_library_has_rsa_kx());
    if (i != SIZE_MAX && lacks != NULL)
        log_warn("tls", "%s", lacks);
    if (i != SIZE_MAX)
        say_where_plugs_go(s, i);
    else
        log_warn("server", "no port has TLS: Meross plugs cannot connect; add `listener 8883` "
                           "and `tls auto`");
    log_info("server", "next: `merossd list` shows the plugs, `merossd on NAME` switches one, "
                       "`merossd help` has the rest");
}

static void on_hup(void *ctx)
{
    struct serve *s = ctx;
    serve_reload(s);
    look_at_zone(s, true);
}

static void on_usr1(void *ctx)
{
    struct serve *s = ctx;
    broker_dump(s->broker);
}

static void on_ready(void *ctx)
{
    struct serve *s = ctx;
    welcome(s); /* whoever reads it may send a signal at once */
    if (s->ready >= 0)
        s->sink.out = s->sink.std = NULL; /* gone in a moment */
    serve_host_ready(s->ready);
    s->ready = -1;
    notify_say(&s->notify, "READY=1\nSTATUS=Running\nMAINPID=%ld", (long)getpid());
}

/* While clients are still there, so that they hear that the plugs are out of reach. */
static void on_stop(void *ctx)
{
    struct serve *s = ctx;
    access_stop(s->access);
    serve_tls_stop(s);
    meross_detach(s->meross);
    notify_say(&s->notify, "STOPPING=1\nSTATUS=Stopping");
}

static int live(struct serve *s)
{
    struct server_signals signals = {
        .on_ready = on_ready, .on_stop = on_stop, .on_hup = on_hup, .on_usr1 = on_usr1, .ctx = s};
    serve_log_to_topics(s);
    int err = server_run(s->server, s->broker, s->store, &signals, GRACE_MS);
    return err == MD_OK && !s->failed ? CLI_DONE : CLI_FAILED;
}

/* Its directory may not be ours any more; an empty file names no process, at least. */
static void remove_pid(const char *path)
{
    if (unlink(path) != 0 && truncate(path, 0) != 0)
        log_warn("server",
                 "cannot remove the pid file %s: %s; remove it before something believes it", path,
                 strerror(errno));
}

static void stop(struct serve *s)
{
    struct interrupt before;
    s->sink.publish = NULL;
    serve_clients_free(s->clients);
    serve_network_free(s->network);
    if (s->meross != NULL)
        meross_detach(s->meross);
    broker_free(s->broker);
    access_free(s->access);
    meross_free(s->meross);
    store_close(s->store);
    if (s->has_pid)
        remove_pid(s->cfg.pid_file);
    interrupt_hold(&before); /* the server's handlers go with it, and we have only to leave */
    server_free(s->server);
    serve_bridges_free(s);
    mem_free(s->zone);
    mem_free(s->tls.current);
    if (s->lock >= 0)
        (void)close(s->lock);
    logsink_stop(&s->sink);
    logsink_close(&s->sink);
    notify_close(&s->notify);
    config_free(&s->cfg);
    mem_free(s);
}

static int read_config(struct serve *s)
{
    char why[CONFIG_ERR_MAX];
    int err = config_load(&s->cfg, s->config_file, why);
    if (err == MD_OK)
        err = config_complete(&s->cfg, s->plain_port, why);
    if (err == MD_OK && config_state_dir(&s->cfg, s->dir, sizeof s->dir) != MD_OK) {
        (void)snprintf(why, sizeof why, "%s", CONFIG_NO_STATE_DIR);
        err = MD_INVAL;
    }
    if (err != MD_OK)
        (void)snprintf(s->err, sizeof s->err, "%s", why);
    return err;
}

static void take_args(struct serve *s, const struct args *a)
{
    s->lock = s->ready = s->notify.fd = -1;
    s->config_file = a->config;
    s->plain_port = a->port;
    s->verbose = a->verbose;
    s->daemon = a->daemon;
}

int cmd_serve(struct cli *c)
{
    struct serve *s = mem_need(sizeof *s, "the broker");
    take_args(s, c->args);
    int err = read_config(s);
    if (err == MD_OK)
        serve_log_start(s, c->err, c->out, c->env);
    if (err == MD_OK && c->args->daemon)
        err = serve_host_background(&s->ready, s->err);
    if (err == MD_OK)
        err = start(s);
    int status = CLI_FAILED;
    if (err == MD_OK)
        status = live(s);
    else
        fprintf(c->err, "merossd: %s\n", s->err);
    stop(s);
    return status;
}

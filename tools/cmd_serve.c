/* cmd_serve.c - `merossd serve`: the broker; puts all rooms together. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tools/cmd.h"
#include "tools/hostzone.h"
#include "tools/serve_int.h"
#include "tools/table.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONE_CHECK_MS 3600000u
#define GRACE_MS      2000u

static int complain(struct serve *s, int err, const char *what)
{
    (void)snprintf(s->err, sizeof s->err, "%s: %s", what, md_err_text(err));
    return err;
}

/* --- zone ---------------------------------------------------------------------------------- */

static int read_zone(const struct serve *s, struct zone *out, char what[HOSTZONE_WHAT_MAX])
{
    struct hostzone_places p = {.option = s->cfg.meross_timezone, .tz = getenv("TZ"), .root = ""};
    return hostzone_find(out, &p, what);
}

static int start_zone(struct serve *s)
{
    s->zone = mem_need(sizeof *s->zone, "the time zone");
    int err = read_zone(s, s->zone, s->zone_what);
    if (err != MD_OK) {
        (void)snprintf(s->err, sizeof s->err, "%s", s->zone_what);
        return err;
    }
    meross_set_zone(s->meross, s->zone);
    return MD_OK;
}

static void check_zone(void *ctx)
{
    struct serve *s = ctx;
    char what[HOSTZONE_WHAT_MAX];
    struct zone *now = mem_alloc(sizeof *now);
    if (now == NULL)
        return; /* the next hour is as good */
    if (read_zone(s, now, what) == MD_OK &&
        !hostzone_same(now, s->zone, env_wall_s(server_env(s->server)))) {
        meross_set_zone(s->meross, now);
        *s->zone = *now;
        log_info("zone", "changed: plugs are told %s", what);
    }
    mem_free(now);
}

/* --- listeners ----------------------------------------------------------------------------- */

static const char *where(const struct config_listener *l)
{
    return l->host == NULL ? "every address" : l->host;
}

static bool has_tls(const struct config_listener *l) { return l->tls_auto || l->certfile != NULL; }

int serve_listen(struct serve *s, size_t i)
{
    const struct config_listener *l = &s->cfg.listeners[i];
    struct server_tls files = serve_tls_files(s, i);
    struct server_listener cfg = {.host = l->host,
                                  .port = (uint16_t)l->port,
                                  .id = (unsigned)i + 1,
                                  .tls = has_tls(l) ? &files : NULL};
    char why[SERVER_ERR_MAX] = "out of memory";
    int err = server_listen(s->server, &cfg, why);
    if (err != MD_OK) {
        (void)snprintf(s->err, sizeof s->err, "%s", why);
        return err;
    }
    s->open[i] = true;
    log_info("server", "listening on %s, port %u, %s", where(l), server_port(s->server, cfg.id),
             has_tls(l) ? "TLS" : "in clear");
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

static int open_store(struct serve *s)
{
    char note[256] = "";
    int err = store_file_open(&s->store, s->dir, note);
    if (err == MD_OK && note[0] != '\0')
        log_warn("store", "%s", note);
    else if (note[0] != '\0')
        (void)snprintf(s->err, sizeof s->err, "%s", note);
    else if (err != MD_OK)
        (void)complain(s, err, "cannot open the store");
    return err;
}

static int make_access(struct serve *s, const struct broker_hooks *inner)
{
    struct access_listener v[CONFIG_MAX_LISTENERS];
    for (size_t i = 0; i < s->cfg.n_listeners; i++)
        v[i] = (struct access_listener){(unsigned)i + 1, s->cfg.allow_anonymous};
    return access_new(&s->access, v, s->cfg.n_listeners, inner);
}

/* meross -> access -> broker: who connects is asked in that order. */
static int make_broker(struct serve *s)
{
    struct meross_listener listeners[CONFIG_MAX_LISTENERS];
    for (size_t i = 0; i < s->cfg.n_listeners; i++) {
        const struct config_listener *l = &s->cfg.listeners[i];
        listeners[i] = (struct meross_listener){l->host, l->port, has_tls(l)};
    }
    struct meross_config mc = {.listeners = listeners,
                               .n_listeners = s->cfg.n_listeners,
                               .keys = (const char *const *)s->cfg.meross_keys,
                               .topic = s->cfg.meross_topic,
                               .version = MD_VERSION};
    const struct env *env = server_env(s->server);
    int err = meross_new(&s->meross, &mc, env, s->store);
    if (err != MD_OK)
        return complain(s, err, "cannot start the Meross part (meross_key, meross_topic)");
    err = start_zone(s);
    if (err != MD_OK)
        return err;
    struct broker_hooks hooks = meross_hooks(s->meross);
    err = make_access(s, &hooks);
    if (err != MD_OK)
        return complain(s, err, "cannot start");
    hooks = access_hooks(s->access);
    err = broker_new(&s->broker, &s->cfg.limits, &hooks, env);
    if (err == MD_OK)
        err = meross_attach(s->meross, s->broker);
    if (err == MD_OK)
        err = server_every(s->server, ZONE_CHECK_MS, check_zone, s);
    return err == MD_OK ? MD_OK : complain(s, err, "cannot start");
}

static int start(struct serve *s)
{
    int err = serve_host_dir(s->dir, &s->lock, s->err);
    if (err == MD_OK)
        err = open_store(s);
    if (err == MD_OK && (err = server_new(&s->server)) != MD_OK)
        (void)complain(s, err, "cannot start the event loop");
    if (err == MD_OK)
        err = make_broker(s);
    if (err == MD_OK)
        err = open_listeners(s);
    if (err == MD_OK && s->cfg.pid_file != NULL)
        err = serve_host_pid(s->cfg.pid_file, &s->has_pid, s->err);
    if (err == MD_OK)
        err = serve_tls_start(s);
    return err;
}

/* --- life ---------------------------------------------------------------------------------- */

/* The first listener for plugs; SIZE_MAX: none. */
static size_t plug_listener(const struct serve *s)
{
    for (size_t i = 0; i < s->cfg.n_listeners; i++)
        if (has_tls(&s->cfg.listeners[i]))
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
    log_info("zone", "plugs are told the time zone %s", s->zone_what);
    log_info("server", "merossd %s runs; its state directory is %s", MD_VERSION, s->dir);
    if (i != SIZE_MAX)
        say_where_plugs_go(s, i);
    else
        log_warn("server", "no listener has TLS: Meross plugs cannot connect; add `listener 8883` "
                           "and `tls auto`");
    log_info("server", "next: `merossd list` shows the plugs, `merossd on NAME` switches one, "
                       "`merossd help` has the rest");
}

static void on_hup(void *ctx)
{
    struct serve *s = ctx;
    log_info("server", "SIGHUP: reading certificates and the time zone again");
    serve_tls_reload(s);
    check_zone(s);
}

/* While clients are still there, so that they hear that the plugs are out of reach. */
static void on_stop(void *ctx)
{
    struct serve *s = ctx;
    serve_tls_stop(s);
    meross_detach(s->meross);
}

static int live(struct serve *s)
{
    struct server_signals signals = {.on_stop = on_stop, .on_hup = on_hup, .ctx = s};
    welcome(s);
    if (s->ready >= 0)
        s->sink.out = NULL; /* syslog, before stderr is gone */
    serve_host_ready(s->ready);
    s->ready = -1;
    int err = server_run(s->server, s->broker, s->store, &signals, GRACE_MS);
    if (err != MD_OK)
        log_error("server", "stopped: %s", md_err_text(err));
    return err == MD_OK && !s->failed ? CLI_DONE : CLI_FAILED;
}

static void stop(struct serve *s)
{
    if (s->meross != NULL)
        meross_detach(s->meross);
    broker_free(s->broker);
    access_free(s->access);
    meross_free(s->meross);
    store_close(s->store);
    server_free(s->server);
    mem_free(s->zone);
    mem_free(s->tls.current);
    if (s->has_pid)
        (void)unlink(s->cfg.pid_file);
    if (s->lock >= 0)
        (void)close(s->lock);
    config_free(&s->cfg);
    logsink_stop();
    mem_free(s);
}

static int read_config(struct serve *s, const struct args *a)
{
    char why[CONFIG_ERR_MAX];
    int err = config_load(&s->cfg, a->config, why);
    if (err == MD_OK)
        err = config_complete(&s->cfg, a->port, why);
    if (err == MD_OK && config_state_dir(&s->cfg, s->dir, sizeof s->dir) != MD_OK) {
        (void)snprintf(why, sizeof why,
                       "no state directory: set HOME, XDG_STATE_HOME or `state_dir`");
        err = MD_INVAL;
    }
    if (err != MD_OK)
        (void)snprintf(s->err, sizeof s->err, "%s", why);
    return err;
}

static void start_log(struct serve *s, const struct cli *c)
{
    s->sink = (struct logsink){.env = c->env,
                               .out = c->err,
                               .coloured = table_coloured(c->err),
                               .connections = s->cfg.connection_messages || c->args->verbose,
                               .types = c->args->verbose ? CONFIG_LOG_ALL : s->cfg.log_types};
    logsink_start(&s->sink);
}

int cmd_serve(struct cli *c)
{
    struct serve *s = mem_need(sizeof *s, "the broker");
    s->lock = s->ready = -1;
    int err = read_config(s, c->args);
    if (err == MD_OK)
        start_log(s, c);
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

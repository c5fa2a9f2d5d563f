#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tools/serve/serve_int.h"

#include <unistd.h>

#define CHECK_MS 300000u   /* addresses change when a router likes it          */
#define DAY_MS   86400000u /* a certificate also ends without any such change  */

static bool is_auto(const struct serve *s, size_t i) { return s->cfg.listeners[i].tls_auto; }

struct server_tls serve_tls_files(const struct serve *s, size_t i)
{
    const struct config_listener *l = &s->cfg.listeners[i];
    const struct certs_paths *p = &s->tls.paths;
    struct server_tls t = {.cert_file = l->certfile,
                           .key_file = l->keyfile,
                           .ca_file = l->require_certificate ? l->cafile : NULL,
                           .ca_path = l->require_certificate ? l->capath : NULL,
                           .crl_file = l->require_certificate ? l->crlfile : NULL,
                           .ciphers = l->ciphers,
                           .psk_file = l->psk_hint != NULL ? s->cfg.psk_file : NULL,
                           .min_version = l->tls_version};
    if (!l->tls_auto)
        return t;
    bool ec = access(p->cert_ec, R_OK) == 0 && access(p->key_ec, R_OK) == 0;
    t.cert_file = p->cert;
    t.key_file = p->key;
    t.cert_file2 = ec ? p->cert_ec : NULL;
    t.key_file2 = ec ? p->key_ec : NULL;
    return t;
}

static void reload(struct serve *s, size_t i)
{
    char why[SERVER_ERR_MAX];
    struct server_tls t = serve_tls_files(s, i);
    if (server_reload_tls(s->server, (unsigned)i + 1, &t, why) != MD_OK)
        log_error("tls", "port %u keeps its old certificate: %s", s->cfg.listeners[i].port, why);
    else
        log_info("tls", "port %u uses %s from now on", s->cfg.listeners[i].port,
                 t.cert_file != NULL ? t.cert_file : t.psk_file);
}

void serve_tls_reload(struct serve *s)
{
    for (size_t i = 0; i < s->cfg.n_listeners; i++)
        if (s->open[i] && config_has_tls(&s->cfg.listeners[i]))
            reload(s, i);
}

static void open_or_fail(struct serve *s, size_t i)
{
    if (serve_listen(s, i) == MD_OK)
        return;
    log_error("tls", "%s", s->err);
    serve_fail(s);
}

/* A first certificate opens what waits for it; a new one replaces the old. */
static void put_to_use(struct serve *s)
{
    for (size_t i = 0; i < s->cfg.n_listeners; i++) {
        if (!is_auto(s, i))
            continue;
        if (!s->open[i])
            open_or_fail(s, i);
        else if (s->tls.what[0] != '\0')
            reload(s, i);
    }
}

static bool all_open(const struct serve *s)
{
    for (size_t i = 0; i < s->cfg.n_listeners; i++)
        if (is_auto(s, i) && !s->open[i])
            return false;
    return true;
}

static bool is_stopping(void *ctx)
{
    struct serve *s = ctx;
    return atomic_load(&s->tls.stopping);
}

void serve_tls_stop(struct serve *s) { atomic_store(&s->tls.stopping, true); }

/* In the thread pool: no log, no shared state. */
static void work(void *ctx)
{
    struct serve *s = ctx;
    struct certs_config cfg = {
        .dir = s->dir, .names = s->tls.names.list, .stop = is_stopping, .ctx = s};
    s->tls.result = certs_ensure(&cfg, server_env(s->server), s->tls.what, s->tls.why);
}

static void done(void *ctx)
{
    struct serve *s = ctx;
    struct serve_tls *t = &s->tls;
    t->busy = false;
    if (is_stopping(s))
        return;
    if (t->result != MD_OK) {
        log_error("tls", "%s", t->why[0] != '\0' ? t->why : md_err_text(t->result));
        if (!all_open(s))
            serve_fail(s);
        return;
    }
    t->made = true;
    t->made_ms = env_mono_ms(server_env(s->server));
    memcpy(t->current->names, t->names.names, sizeof t->names.names);
    t->current->n = t->names.n;
    if (t->what[0] != '\0')
        log_info("tls", "%s", t->what);
    put_to_use(s);
}

static int start_work(struct serve *s)
{
    struct serve_tls *t = &s->tls;
    t->what[0] = t->why[0] = '\0';
    int err = server_work(s->server, work, done, s);
    t->busy = err == MD_OK;
    return err;
}

static bool up_to_date(const struct serve_tls *t, uint64_t now_ms)
{
    return t->made && now_ms - t->made_ms < DAY_MS && t->names.n == t->current->n &&
           memcmp(t->names.names, t->current->names, sizeof t->names.names) == 0;
}

static void tick(void *ctx)
{
    struct serve *s = ctx;
    if (s->tls.busy || is_stopping(s))
        return;
    hostnet_read(&s->tls.names);
    if (!up_to_date(&s->tls, env_mono_ms(server_env(s->server))) && start_work(s) != MD_OK)
        log_warn("tls", "the certificate could not be checked: out of memory");
}

/* With files of an earlier run the port opens at once; whether they still fit is looked
 * at afterwards.  Without, or with unusable ones, it waits, but a taken port is an error now. */
static int open_early(struct serve *s, size_t i, bool have_files)
{
    const struct config_listener *l = &s->cfg.listeners[i];
    int err = have_files ? serve_listen(s, i) : MD_TLS;
    if (err != MD_TLS)
        return err;
    if (config_unix_path(l) != NULL)
        return MD_OK;
    return serve_host_port_free(l->host, l->port, s->err);
}

int serve_tls_start(struct serve *s)
{
    struct serve_tls *t = &s->tls;
    int err = certs_locate(s->dir, &t->paths);
    if (err != MD_OK) {
        (void)snprintf(s->err, sizeof s->err, "the path of the state directory is too long");
        return err;
    }
    hostnet_read(&t->names);
    bool have_files = access(t->paths.cert, R_OK) == 0 && access(t->paths.key, R_OK) == 0;
    for (size_t i = 0; i < s->cfg.n_listeners && err == MD_OK; i++) {
        if (!is_auto(s, i))
            continue;
        t->wanted = true;
        err = open_early(s, i, have_files);
    }
    if (err != MD_OK || !t->wanted)
        return err;
    t->current = mem_need(sizeof *t->current, "the names of this computer");
    if (!all_open(s))
        log_info("tls",
                 "making keys and a certificate for %s, once; this takes a few seconds, then "
                 "plugs can connect",
                 t->names.list[0]);
    err = start_work(s);
    if (err == MD_OK)
        err = server_every(s->server, CHECK_MS, tick, s);
    if (err != MD_OK)
        (void)snprintf(s->err, sizeof s->err, "%s", md_err_text(err));
    return err;
}

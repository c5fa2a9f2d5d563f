/* cmd_check.c - `merossd check FILE`: would the broker start with it? */
#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "certs/certs.h"
#include "tools/cmd.h"
#include "tools/config.h"
#include "tools/hostzone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int readable(struct cli *c, const struct config_listener *l, const char *what,
                    const char *file)
{
    if (file == NULL || access(file, R_OK) == 0)
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "invalid", "%s: listener of line %u: cannot read %s %s: %s",
                    c->args->words[0], l->line, what, file, strerror(errno));
}

static int bad_listener(struct cli *c, const struct config_listener *l, const char *why, int err)
{
    return cli_fail(c, CLI_FAILED, "invalid", "%s: listener of line %u: %s", c->args->words[0],
                    l->line, why[0] != '\0' ? why : md_err_text(err));
}

/* As the broker will load it: readable, and the key belongs to the certificate. */
static int check_pair(struct cli *c, const struct config_listener *l)
{
    static const enum tls_version versions[] = {TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3};
    struct tls_config t = {.server = true, .cert_file = l->certfile, .key_file = l->keyfile};
    struct tls_ctx *ctx;
    char why[TLS_ERR_MAX] = "";
    if (l->certfile == NULL)
        return CLI_DONE;
    if (l->tls_version != 0)
        t.min = versions[l->tls_version - 10];
    int err = tls_ctx_new(&ctx, &t, 1, why);
    if (err != MD_OK)
        return bad_listener(c, l, why, err);
    tls_ctx_free(ctx);
    return CLI_DONE;
}

static int check_ca(struct cli *c, const struct config_listener *l)
{
    char why[CERTS_ERR_MAX] = "";
    if (l->cafile == NULL)
        return CLI_DONE;
    struct certs_info *info = mem_need(sizeof *info, "the certificate");
    int err = certs_read(l->cafile, info, why);
    mem_free(info);
    return err == MD_OK ? CLI_DONE : bad_listener(c, l, why, err);
}

static int check_listener(struct cli *c, const struct config_listener *l)
{
    int status = readable(c, l, "certfile", l->certfile);
    if (status == CLI_DONE)
        status = readable(c, l, "keyfile", l->keyfile);
    if (status == CLI_DONE)
        status = readable(c, l, "cafile", l->cafile);
    if (status == CLI_DONE)
        status = check_pair(c, l);
    return status == CLI_DONE ? check_ca(c, l) : status;
}

static int check_zone(struct cli *c, const struct config *cfg)
{
    char what[HOSTZONE_WHAT_MAX];
    struct hostzone_places p = {.option = cfg->meross_timezone, .tz = getenv("TZ"), .root = ""};
    struct zone *z = mem_need(sizeof *z, "the time zone");
    int err = hostzone_find(z, &p, what);
    mem_free(z);
    if (err == MD_OK)
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "invalid", "%s: %s", c->args->words[0], what);
}

static int check(struct cli *c, struct config *cfg)
{
    char why[CONFIG_ERR_MAX];
    int err = config_load(cfg, c->args->words[0], why);
    if (err == MD_OK)
        err = config_complete(cfg, -1, why);
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "invalid", "%s", why);
    int status = check_zone(c, cfg);
    for (size_t i = 0; i < cfg->n_listeners && status == CLI_DONE; i++)
        status = check_listener(c, &cfg->listeners[i]);
    return status;
}

int cmd_check(struct cli *c)
{
    struct config cfg = {.n_listeners = 0};
    int status = check(c, &cfg);
    if (status == CLI_DONE && c->args->json)
        fputs("{\"status\":\"ok\"}\n", c->out);
    else if (status == CLI_DONE)
        fprintf(c->out, "%s is fine: %zu listeners%s\n", c->args->words[0], cfg.n_listeners,
                cfg.home_listeners ? " (the built-in ones, for it opens none)" : "");
    config_free(&cfg);
    return status;
}

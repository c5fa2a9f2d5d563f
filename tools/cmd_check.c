/* cmd_check.c - `merossd check FILE`: would the broker start with it? */
#include "meross/wire/json_write.h"
#include "tools/cmd.h"
#include "tools/config/config.h"
#include "tools/config/config_check.h"

static int check(struct cli *c, struct config *cfg)
{
    char why[CONFIG_ERR_MAX];
    int err = config_load(cfg, c->args->words[0], why);
    if (err == MD_OK)
        err = config_complete(cfg, -1, why);
    if (err == MD_OK)
        err = config_check(cfg, c->env, why);
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "invalid", "%s", why);
}

static int say_json(struct cli *c, const struct config *cfg)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair(&j.w, "status", "ok");
    json_write_name(&j.w, "warnings");
    json_write_open(&j.w, '[');
    for (char **it = cfg->warnings; it != NULL && *it != NULL; it++)
        json_write_str(&j.w, *it);
    json_write_close(&j.w, ']');
    return cli_json_end(c, &j);
}

static int say(struct cli *c, const struct config *cfg)
{
    for (char **it = cfg->warnings; it != NULL && *it != NULL; it++)
        fprintf(c->out, "warning: %s\n", *it);
    fprintf(c->out, "%s is fine: %zu listener%s%s\n", c->args->words[0], cfg->n_listeners,
            cli_s(cfg->n_listeners),
            cfg->home_listeners ? " (the built-in ones, for it opens none)" : "");
    return CLI_DONE;
}

int cmd_check(struct cli *c)
{
    struct config cfg = {.n_listeners = 0};
    int status = check(c, &cfg);
    if (status == CLI_DONE)
        status = c->args->json ? say_json(c, &cfg) : say(c, &cfg);
    config_free(&cfg);
    return status;
}

/* cmd_adopt.c - `merossd adopt`: a plug that is in the network already gets this broker. */
#include "tools/cmd.h"

#include "broker/base/mem.h"
#include "tools/config/config.h"
#include "tools/pair_world.h"
#include "tools/pairing/adopt.h"

struct adoption { /* `world` first: it is the context of pair_io */
    struct pair_world world;
    struct config config;
    bool has_config;
    struct adopt_keys keys;
    char given[SIGN_KEY_MAX + 1], asked[SIGN_KEY_MAX + 1];
};

static const char *ask_key(void *world, unsigned attempt)
{
    struct adoption *a = world;
    if (attempt > 0)
        fprintf(a->world.human, "That is not its key either.\n");
    return prompt_secret(&a->world.prompt,
                         "Key of the plug (of the vendor's account, or of its old broker): ",
                         a->asked, sizeof a->asked)
               ? a->asked
               : NULL;
}

static void add_key(struct adoption *a, const char *key)
{
    for (unsigned i = 0; i < a->keys.n; i++)
        if (strcmp(a->keys.v[i], key) == 0)
            return;
    if (a->keys.n < ADOPT_KEYS_MAX)
        a->keys.v[a->keys.n++] = key;
}

static int collect_keys(struct adoption *a, struct cli *c)
{
    char why[CONFIG_ERR_MAX];
    if (c->args->key_file != NULL) {
        if (!pair_world_first_line(c->args->key_file, a->given, sizeof a->given, why, sizeof why))
            return cli_fail(c, CLI_USAGE, "invalid", "%s", why);
        add_key(a, a->given);
    }
    add_key(a, "");
    add_key(a, "meross");
    if (c->args->config != NULL) {
        if (config_load(&a->config, c->args->config, why) != MD_OK)
            return cli_fail(c, CLI_USAGE, "invalid", "%s", why);
        a->has_config = true;
        for (char **k = a->config.meross_keys; k != NULL && *k != NULL; k++)
            add_key(a, *k);
    }
    return CLI_DONE;
}

static int adopt(struct adoption *a, struct cli *c)
{
    struct pair *p = &a->world.pair;
    if (c->args->name != NULL)
        (void)snprintf(p->name, sizeof p->name, "%s", c->args->name);
    if (prompt_terminal(&a->world.prompt))
        a->keys.ask = ask_key;
    adopt_run(p, &a->keys);
    return pair_world_result(&a->world);
}

int cmd_adopt(struct cli *c)
{
    struct adoption *a = mem_alloc(sizeof *a);
    if (a == NULL)
        return cli_fail(c, CLI_FAILED, "internal", "out of memory");
    int status = collect_keys(a, c);
    if (status == CLI_DONE) {
        status = pair_world_open(&a->world, c, c->args->words[0]);
        if (status == CLI_DONE)
            status = adopt(a, c);
        pair_world_close(&a->world);
    }
    if (a->has_config)
        config_free(&a->config);
    mem_wipe(a, sizeof *a);
    mem_free(a);
    return status;
}

#include "tools/backup/passphrase.h"

#include "broker/base/mem.h"
#include "tools/prompt.h"

#include <errno.h>
#include <string.h>

static int refuse(struct cli *c, const char *what)
{
    return cli_fail(c, CLI_FAILED, "refused", "%s; nothing was changed", what);
}

static int from_file(struct cli *c, char out[PASSPHRASE_MAX])
{
    FILE *f = fopen(c->args->passphrase_file, "re");
    if (f == NULL)
        return cli_fail(c, CLI_FAILED, "failed", "cannot read %.300s: %s", c->args->passphrase_file,
                        strerror(errno));
    struct prompt p = {.in = f, .out = c->err};
    bool ok = prompt_line(&p, "", out, PASSPHRASE_MAX);
    (void)fclose(f);
    return ok ? CLI_DONE : refuse(c, "the first line of the passphrase file is empty or too long");
}

static int from_person(struct cli *c, const struct prompt *p, bool new_one,
                       char out[PASSPHRASE_MAX])
{
    char again[PASSPHRASE_MAX] = "";
    if (!prompt_secret(p, "Passphrase of the backup: ", out, PASSPHRASE_MAX))
        return refuse(c, "no passphrase was given");
    if (!new_one || !prompt_terminal(p))
        return CLI_DONE;
    bool same = prompt_secret(p, "Again: ", again, sizeof again) && strcmp(out, again) == 0;
    mem_wipe(again, sizeof again);
    return same ? CLI_DONE : refuse(c, "the passphrase was not given twice the same");
}

int passphrase_get(struct cli *c, bool new_one, char out[PASSPHRASE_MAX])
{
    struct prompt p = {.in = c->in, .out = c->err};
    int status =
        c->args->passphrase_file != NULL ? from_file(c, out) : from_person(c, &p, new_one, out);
    if (status == CLI_DONE && new_one && strlen(out) < PASSPHRASE_MIN)
        return refuse(c, "a passphrase needs at least 8 characters");
    return status;
}

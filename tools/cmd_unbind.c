/* cmd_unbind.c - `merossd unbind`: a plug forgets its Wi-Fi and its key, and is forgotten. */
#include "tools/cmd.h"
#include "tools/prompt.h"

#include "meross/wire/text.h"

#include <unistd.h>

#define NAME_BYTES 128

/* Its name has to be typed: what it loses does not come back. */
static int confirm(struct cli *c, const char *name, const char *mac)
{
    char question[NAME_BYTES * 2 + 160], line[NAME_BYTES];
    struct prompt p = {.in = c->in, .out = c->err};
    (void)snprintf(question, sizeof question,
                   "%s (%s) will forget its Wi-Fi, its key and its timers, and be in set-up mode.\n"
                   "Type its name to reset it: ",
                   name, mac);
    if (prompt_line(&p, question, line, sizeof line) && strcmp(line, name) == 0)
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "refused", "nothing was changed: that is not its name");
}

static int find(struct cli *c, char name[NAME_BYTES], char mac[NAME_BYTES])
{
    struct cli_answer answer;
    int status = cli_ask(c, "show", c->args->words[0], NULL, &answer);
    if (status != CLI_DONE)
        return status;
    (void)cli_answer_text(&answer, "name", name, NAME_BYTES);
    (void)cli_answer_text(&answer, "mac", mac, NAME_BYTES);
    cli_answer_free(&answer);
    return CLI_DONE;
}

static int unbind(struct cli *c, const char *name)
{
    struct cli_answer answer;
    int status = cli_ask(c, "unbind", name, NULL, &answer);
    if (status != CLI_DONE)
        return status;
    if (c->args->json)
        status = cli_print_json(c, buf_view(&answer.text));
    else
        fprintf(c->out,
                "%s is reset and forgotten (LED: amber and green in turn); `merossd pair` sets it "
                "up again\n",
                name);
    cli_answer_free(&answer);
    return status;
}

int cmd_unbind(struct cli *c)
{
    char name[NAME_BYTES] = "", mac[NAME_BYTES] = "";
    if (!c->args->yes && isatty(fileno(c->in)) != 1)
        return cli_fail(c, CLI_USAGE, "invalid",
                        "unbind asks before it acts; without a terminal give --yes");
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = find(c, name, mac);
    if (status == CLI_DONE && !c->args->yes)
        status = confirm(c, name, mac);
    if (status == CLI_DONE)
        status = unbind(c, name);
    cli_close(c);
    return status;
}

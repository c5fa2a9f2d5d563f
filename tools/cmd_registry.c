/* cmd_registry.c - `merossd rename` and `merossd forget`: what the broker remembers of a plug. */
#include "tools/cmd.h"
#include "tools/config/config_value.h"
#include "tools/part.h"
#include "tools/table.h"

#include <unistd.h>

#define NAME_BYTES 128

/* The name in the answer, under which the plug was or is known; what was typed when it has none. */
static void name_in(struct cli *c, const struct cli_answer *answer, const char *member, char *out)
{
    if (!cli_answer_text(answer, member, out, NAME_BYTES))
        table_clean(span_str(c->args->words[0]), out, NAME_BYTES);
}

/* What PART means; of a plug that is not there nothing is said here. */
static int find_part(struct cli *c, struct part *part)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    *part = (struct part){.channel = -1};
    if (c->args->n_words < 3)
        return CLI_DONE;
    int status = cli_ask(c, "show", c->args->words[0], NULL, &answer);
    if (status == CLI_DONE && part_find(part, answer.data, c->args->words[1]) != MD_OK)
        status = cli_fail(c, CLI_FAILED, "invalid",
                          "%s has no such part; `merossd show %s` lists what it has",
                          c->args->words[0], c->args->words[0]);
    cli_answer_free(&answer);
    return status;
}

static int rename_it(struct cli *c, const char *name, struct cli_answer *answer)
{
    struct part part;
    struct json_writer w;
    struct buf body;
    int status = find_part(c, &part);
    if (status != CLI_DONE)
        return status;
    cli_request_start(c, &w, &body);
    json_write_pair(&w, "plug", c->args->words[0]);
    json_write_pair(&w, "name", name);
    part_write(&w, &part);
    return cli_verb(c, "rename", &w, &body, answer);
}

int cmd_rename(struct cli *c)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    char was[NAME_BYTES];
    const char *name = c->args->words[c->args->n_words - 1];
    if (!topics_name_ok(span_str(name)))
        return cli_fail(
            c, CLI_USAGE, "invalid",
            "a name has 1 to %d bytes, none of / + #, nothing invisible, no space at its "
            "ends, and is not \"%s\"",
            TOPICS_NAME_MAX, TOPICS_BROKER);
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = rename_it(c, name, &answer);
    if (status == CLI_DONE && c->args->json)
        status = cli_print_json(c, buf_view(&answer.text));
    else if (status == CLI_DONE) {
        name_in(c, &answer, "was", was);
        if (c->args->n_words < 3)
            fprintf(c->out, "%s is now called %s\n", was, name);
        else
            fprintf(c->out, "%s of %s is now called %s\n", was, c->args->words[0], name);
    }
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

/* Which plug that is, before it is too late. */
static int confirm(struct cli *c)
{
    struct cli_answer answer;
    char line[16] = "", name[NAME_BYTES], type[NAME_BYTES], mac[NAME_BYTES];
    int status = cli_ask(c, "show", c->args->words[0], NULL, &answer);
    if (status != CLI_DONE)
        return status;
    name_in(c, &answer, "name", name);
    (void)cli_answer_text(&answer, "type", type, sizeof type);
    (void)cli_answer_text(&answer, "mac", mac, sizeof mac);
    cli_answer_free(&answer);
    fprintf(c->err,
            "Forget %s (%s, %s)? Its name is lost; if it is still connected it comes back "
            "as new. [y/N] ",
            name, type, mac);
    fflush(c->err);
    if (fgets(line, sizeof line, c->in) != NULL && (line[0] == 'y' || line[0] == 'Y'))
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "refused", "nothing was changed");
}

static int forget(struct cli *c)
{
    struct cli_answer answer;
    char name[NAME_BYTES];
    int status = cli_ask(c, "forget", c->args->words[0], NULL, &answer);
    if (status != CLI_DONE)
        return status;
    name_in(c, &answer, "name", name);
    if (c->args->json)
        status = cli_print_json(c, buf_view(&answer.text));
    else
        fprintf(c->out, "%s is forgotten\n", name);
    cli_answer_free(&answer);
    return status;
}

int cmd_forget(struct cli *c)
{
    if (!c->args->yes && isatty(fileno(c->in)) != 1)
        return cli_fail(c, CLI_USAGE, "invalid",
                        "forget asks before it acts; without a terminal "
                        "give --yes");
    int status = cli_open(c);
    if (status == CLI_DONE && !c->args->yes)
        status = confirm(c);
    if (status == CLI_DONE)
        status = forget(c);
    cli_close(c);
    return status;
}

static int permit(struct cli *c, uint64_t seconds)
{
    struct json_writer w;
    struct buf body;
    struct cli_answer answer;
    cli_request_start(c, &w, &body);
    json_write_pair_int(&w, "seconds", (int64_t)seconds);
    int status = cli_verb(c, "permit", &w, &body, &answer);
    if (status != CLI_DONE)
        return status;
    if (c->args->json)
        status = cli_print_json(c, buf_view(&answer.text));
    else if (seconds == 0)
        fputs("new plugs are no longer let in\n", c->out);
    else
        fprintf(c->out, "new plugs are let in for %llu seconds\n", (unsigned long long)seconds);
    cli_answer_free(&answer);
    return status;
}

int cmd_permit(struct cli *c)
{
    uint64_t seconds = 120;
    if (c->args->n_words > 0 &&
        config_value_number(span_str(c->args->words[0]), 0, 3600, &seconds) != MD_OK)
        return cli_fail(c, CLI_USAGE, "invalid", "SECONDS is a number from 0 to 3600");
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = permit(c, seconds);
    cli_close(c);
    return status;
}

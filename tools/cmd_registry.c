#include "tools/cmd.h"
#include "tools/config_value.h"
#include "tools/table.h"

#include <unistd.h>

/* Sends {"plug": uuid or name, ...} to broker/request/<verb>. */
static int ask_broker(struct cli *c, const char *verb, const struct plug *p, const char *name)
{
    struct json_writer w;
    struct buf body;
    struct cli_answer answer;
    char leaf[40], ask[TOPICS_MAX], reply[TOPICS_MAX];
    (void)snprintf(leaf, sizeof leaf, TOPICS_REQUEST "/%s", verb);
    topics_of_broker(&c->topics, ask, leaf);
    topics_answer(&c->topics, reply, span_str(verb));
    cli_request_start(c, &w, &body);
    json_write_pair(&w, "plug", p->uuid[0] != '\0' ? p->uuid : p->name);
    if (name != NULL)
        json_write_pair(&w, "name", name);
    int status = cli_request(c, ask, reply, &w, &body, &answer);
    if (status != CLI_DONE)
        return status;
    if (c->args->json)
        fprintf(c->out, "%.*s\n", SPAN_ARG(buf_view(&answer.text)));
    cli_answer_free(&answer);
    return CLI_DONE;
}

static int with_plug(struct cli *c, int (*act)(struct cli *c, const struct plug *p))
{
    struct cli_answer answer = {.data = {NULL, 0}};
    struct plugs all = {NULL, 0};
    const struct plug *p;
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = cli_list(c, &answer, &all);
    if (status == CLI_DONE)
        status = cli_find(c, &all, c->args->words[0], &p);
    if (status == CLI_DONE)
        status = act(c, p);
    plugs_free(&all);
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

static int rename_plug(struct cli *c, const struct plug *p)
{
    int status = ask_broker(c, "rename", p, c->args->words[1]);
    if (status == CLI_DONE && !c->args->json)
        fprintf(c->out, "%s is now called %s\n", p->name, c->args->words[1]);
    return status;
}

int cmd_rename(struct cli *c)
{
    if (!topics_name_ok(span_str(c->args->words[1])))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "a name has 1 to %d bytes, none of / + #, no space at its ends, and is not "
                        "\"%s\"",
                        TOPICS_NAME_MAX, TOPICS_BROKER);
    return with_plug(c, rename_plug);
}

static bool confirmed(struct cli *c, const struct plug *p)
{
    char line[16] = "";
    if (c->args->yes)
        return true;
    fprintf(c->err,
            "Forget %s (%s, %s)? Its name is lost; if it is still connected it comes back "
            "as new. [y/N] ",
            p->name, p->type, p->mac);
    fflush(c->err);
    return fgets(line, sizeof line, c->in) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static int forget_plug(struct cli *c, const struct plug *p)
{
    if (!confirmed(c, p))
        return cli_fail(c, CLI_FAILED, "refused", "nothing was changed");
    int status = ask_broker(c, "forget", p, NULL);
    if (status == CLI_DONE && !c->args->json)
        fprintf(c->out, "%s is forgotten\n", p->name);
    return status;
}

int cmd_forget(struct cli *c)
{
    if (!c->args->yes && isatty(fileno(c->in)) != 1)
        return cli_fail(c, CLI_USAGE, "invalid",
                        "forget asks before it acts; without a terminal "
                        "give --yes");
    return with_plug(c, forget_plug);
}

static int permit(struct cli *c, uint64_t seconds)
{
    struct json_writer w;
    struct buf body;
    struct cli_answer answer;
    char ask[TOPICS_MAX], reply[TOPICS_MAX];
    topics_of_broker(&c->topics, ask, TOPICS_REQUEST "/permit");
    topics_answer(&c->topics, reply, span_str("permit"));
    cli_request_start(c, &w, &body);
    json_write_pair_int(&w, "seconds", (int64_t)seconds);
    int status = cli_request(c, ask, reply, &w, &body, &answer);
    if (status != CLI_DONE)
        return status;
    if (c->args->json)
        fprintf(c->out, "%.*s\n", SPAN_ARG(buf_view(&answer.text)));
    else if (seconds == 0)
        fputs("new plugs are no longer let in\n", c->out);
    else
        fprintf(c->out, "new plugs are let in for %llu seconds\n", (unsigned long long)seconds);
    cli_answer_free(&answer);
    return CLI_DONE;
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

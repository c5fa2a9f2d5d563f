/* cmd_help.c - `merossd help`: the verbs, one of them, or the options of the file. */
#include "tools/cmd.h"
#include "tools/config/config_options.h"

#include <string.h>

static void option_line(void *ctx, const char *option, const char *text)
{
    fprintf(ctx, "  %-16s %s\n", option, text);
}

static int overview(FILE *out)
{
    const struct cmd *v;
    fputs("merossd - MQTT broker for Meross plugs and everything else in the house\n\n"
          "Usage: merossd [-c FILE] [-p PORT] [-v] [-d]    run the broker\n"
          "       merossd VERB [words] [options]\n"
          "       merossd --version\n\nVerbs:\n",
          out);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        fprintf(out, "  %-7s %-15s  %s\n", v->name, v->words, v->help);
    fputs(
        "\nOptions of the verbs that talk to a broker (also as MEROSSD_HOST, MEROSSD_PORT, ...):\n",
        out);
    args_help(ARGS_CLIENT | ARGS_JSON, option_line, out);
    fputs("\nPLUG is a name, the beginning of one, a uuid or a MAC address.\n"
          "Exit status: 0 done, 1 failed, 2 usage, 3 no such plug, 4 no answer.\n",
          out);
    return CLI_DONE;
}

static int one(FILE *out, const struct cmd *v)
{
    fprintf(out, "merossd %s%s%s [options] - %s\n", v->name, v->words[0] != '\0' ? " " : "",
            v->words, v->help);
    if (v->more != NULL)
        fprintf(out, "%s\n", v->more);
    if (v->groups != 0)
        fputs("\nOptions:\n", out);
    args_help(v->groups, option_line, out);
    return CLI_DONE;
}

int cmd_help(struct cli *c)
{
    if (c->args->n_words == 0)
        return overview(c->out);
    const char *name = c->args->words[0];
    const struct cmd *v = verbs_find(name);
    if (v != NULL)
        return one(c->out, v);
    if (strcmp(name, "config") == 0) {
        config_options_example(c->out);
        return CLI_DONE;
    }
    if (strcmp(name, "options") == 0) {
        config_options_table(c->out);
        return CLI_DONE;
    }
    fprintf(c->err, "merossd: no verb \"%.40s\"; `merossd help` lists them.\n", name);
    return CLI_USAGE;
}

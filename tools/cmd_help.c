/* cmd_help.c - `merossd help`: the verbs, one of them, or the options of the file. */
#include "tools/cmd.h"
#include "tools/config/config_options.h"
#include "tools/wrap.h"

#include <string.h>

#define VERB_TEXT   27u /* the column where the text of a verb begins, and that of an option */
#define OPTION_TEXT 19u

static const char *blanks(size_t n)
{
    static const char b[VERB_TEXT + 1] = "                           ";
    return b + VERB_TEXT - n;
}

/* What to type, and the way to `column`; in the next line when it is too long. */
static void head(FILE *out, const char *what, size_t column)
{
    size_t n = strlen(what) + 2;
    fprintf(out, "  %s", what);
    if (n >= column)
        fprintf(out, "\n%s", blanks(column));
    else
        fputs(blanks(column - n), out);
}

static void option_line(void *ctx, const char *option, const char *text)
{
    head(ctx, option, OPTION_TEXT);
    wrap_text(ctx, OPTION_TEXT, blanks(OPTION_TEXT), text);
}

static void verb_line(FILE *out, const struct cmd *v)
{
    char what[64];
    (void)snprintf(what, sizeof what, "%-7s %s", v->name, v->words);
    head(out, what, VERB_TEXT);
    fprintf(out, "%s\n", v->help);
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
        verb_line(out, v);
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
    fprintf(out, "Usage: merossd %s%s%s%s\n\n%s\n", v->name, v->words[0] != '\0' ? " " : "",
            v->words, v->groups != 0 ? " [options]" : "", v->help);
    if (v->more != NULL) {
        fputc('\n', out);
        wrap_text(out, 0, "", v->more);
    }
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
    return verbs_none(c, name);
}

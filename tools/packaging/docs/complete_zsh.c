/* complete_zsh.c - a function of zsh that completes the command line, with what each word does. */
#include "tools/packaging/docs/docs.h"
#include "tools/packaging/docs/places.h"

#include <string.h>

/* Text in single quotes, where [ ] and : mean something to _arguments and _describe. */
static void quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL)
            fputc('\\', out);
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    }
}

static void option(void *ctx, const char *words, const char *text)
{
    FILE *out = ctx;
    size_t n = strcspn(words, " ");
    fprintf(out, " \\\n            '%.*s[", (int)n, words);
    quoted(out, text);
    fputc(']', out);
    if (places_option_has_value(words))
        fprintf(out, ":%s:%s", words + n + 1, places_option_is_file(words) ? "_files" : "");
    fputc('\'', out);
}

static void place(FILE *out, unsigned at, const struct place *p)
{
    static const char *const actions[] = {"", "_merossd_plugs", "_files", "_merossd_verbs"};
    static const char *const titles[] = {"word", "plug", "file", "verb"};
    fprintf(out, " \\\n            '%u:%s:", at, titles[p->kind]);
    if (p->kind != PLACE_OTHER)
        fputs(actions[p->kind], out);
    else if (p->words[0] != '\0')
        fprintf(out, "(%s)", p->words);
    fputc('\'', out);
}

static void verb(FILE *out, const struct cmd *v)
{
    struct place places[PLACES_MAX];
    unsigned n = places_of(v, places);
    fprintf(out, "    %s)\n        _arguments -S", v->name);
    args_help(v->groups, option, out);
    for (unsigned i = 0; i < n; i++)
        place(out, i + 1, &places[i]);
    fputs("\n        ;;\n", out);
}

static const char before[] =
    "#compdef merossd\n"
    "# zsh completion for merossd; made by merossd-docs from the program's own tables\n"
    "\n"
    "# The names of the plugs; none when no broker answers at once.\n"
    "_merossd_plugs()\n"
    "{\n"
    "    local -a plugs\n"
    "    plugs=(${(f)\"$(timeout 2 merossd list --json 2>/dev/null |\n"
    "        grep -o '{\"name\":\"[^\"]*\",\"uuid\"' | cut -d'\"' -f4)\"})\n"
    "    compadd -a plugs\n"
    "}\n"
    "\n"
    "_merossd_verbs()\n"
    "{\n"
    "    local -a verbs\n"
    "    verbs=(\n";

static const char after[] = "    )\n"
                            "    _describe verb verbs\n"
                            "}\n"
                            "\n"
                            "_merossd()\n"
                            "{\n"
                            "    local verb=serve\n"
                            "    if [[ ${words[2]} != -* ]]; then\n"
                            "        if ((CURRENT == 2)); then\n"
                            "            _merossd_verbs\n"
                            "            return\n"
                            "        fi\n"
                            "        verb=${words[2]}\n"
                            "        shift words\n"
                            "        ((CURRENT--))\n"
                            "    fi\n"
                            "    case $verb in\n";

void docs_zsh(FILE *out)
{
    const struct cmd *v;
    fputs(before, out);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++) {
        fprintf(out, "        '%s:", v->name);
        quoted(out, v->help);
        fputs("'\n", out);
    }
    fputs(after, out);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        verb(out, v);
    fputs("    esac\n}\n\n_merossd \"$@\"\n", out);
}

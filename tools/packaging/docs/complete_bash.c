/* complete_bash.c - a function of bash that completes the command line: a table, and how it is
 * walked. */
#include "tools/packaging/docs/docs.h"
#include "tools/packaging/docs/places.h"

#include <string.h>

static void name(FILE *out, const char *words)
{
    fprintf(out, " %.*s", (int)strcspn(words, " "), words);
}

static void any(void *ctx, const char *words, const char *text)
{
    (void)text;
    name(ctx, words);
}

static void with_value(void *ctx, const char *words, const char *text)
{
    (void)text;
    if (places_option_has_value(words))
        name(ctx, words);
}

static void with_file(void *ctx, const char *words, const char *text)
{
    (void)text;
    if (places_option_is_file(words))
        name(ctx, words);
}

static void place(FILE *out, const struct place *p)
{
    static const char *const kinds[] = {"", "@plug", "@file", "@verb"};
    fprintf(out, " '%s%s%s'", kinds[p->kind],
            p->kind != PLACE_OTHER && p->words[0] != '\0' ? " " : "", p->words);
}

static void verb(FILE *out, const struct cmd *v)
{
    struct place places[PLACES_MAX];
    unsigned n = places_of(v, places);
    fprintf(out, "    %s)\n        options='", v->name);
    args_help(v->groups, any, out);
    fputs(" '\n        values='", out);
    args_help(v->groups, with_value, out);
    fputs(" '\n        files='", out);
    args_help(v->groups, with_file, out);
    fputs(" '\n        places=(", out);
    for (unsigned i = 0; i < n; i++)
        place(out, &places[i]);
    fputs(" )\n        ;;\n", out);
}

static const char before[] =
    "# bash completion for merossd; made by merossd-docs from the program's own tables\n"
    "\n"
    "# The names of the plugs, one a line; none when no broker answers at once.\n"
    "_merossd_plugs()\n"
    "{\n"
    "    timeout 2 merossd list --json 2>/dev/null | grep -o '{\"name\":\"[^\"]*\",\"uuid\"' |\n"
    "        cut -d'\"' -f4\n"
    "}\n"
    "\n"
    "# Sets what the verb $1 takes.\n"
    "_merossd_verb()\n"
    "{\n"
    "    options='' values='' files='' places=()\n"
    "    case $1 in\n";

static const char after[] =
    "    esac\n"
    "}\n"
    "\n"
    "_merossd_words()\n"
    "{\n"
    "    local word\n"
    "    while IFS= read -r word; do\n"
    "        [[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$(printf %q \"$word\")\")\n"
    "    done\n"
    "}\n"
    "\n"
    "_merossd_place()\n"
    "{\n"
    "    local kind\n"
    "    for kind in $1; do\n"
    "        case $kind in\n"
    "        @plug) _merossd_words < <(_merossd_plugs) ;;\n"
    "        @file) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
    "        @verb) _merossd_words < <(printf '%s\\n' \"${verbs[@]}\") ;;\n"
    "        *) _merossd_words <<<\"$kind\" ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "\n"
    "_merossd()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} verb='' at=0 before='' word i\n"
    "    local options values files\n"
    "    local -a places verbs\n";

static const char last[] = "    COMPREPLY=()\n"
                           "    _merossd_verb serve\n"
                           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                           "        word=${COMP_WORDS[i]}\n"
                           "        if [[ -n $before ]]; then\n"
                           "            before=''\n"
                           "        elif [[ $values == *\" $word \"* ]]; then\n"
                           "            before=$word\n"
                           "        elif [[ $word == -* ]]; then\n"
                           "            :\n"
                           "        elif [[ -z $verb ]]; then\n"
                           "            verb=$word\n"
                           "            _merossd_verb \"$verb\"\n"
                           "        else\n"
                           "            at=$((at + 1))\n"
                           "        fi\n"
                           "    done\n"
                           "    if [[ -n $before ]]; then\n"
                           "        [[ $files != *\" $before \"* ]] || _merossd_place @file\n"
                           "    elif [[ $cur == -* ]]; then\n"
                           "        [[ -n $verb ]] || options+='--version '\n"
                           "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
                           "    elif [[ -z $verb ]]; then\n"
                           "        _merossd_place @verb\n"
                           "    else\n"
                           "        _merossd_place \"${places[at]-}\"\n"
                           "    fi\n"
                           "}\n"
                           "complete -F _merossd merossd\n";

void docs_bash(FILE *out)
{
    const struct cmd *v;
    fputs(before, out);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        verb(out, v);
    fputs(after, out);
    fputs("    verbs=(", out);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", v->name);
    fputs(")\n", out);
    fputs(last, out);
}

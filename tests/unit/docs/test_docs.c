/* The manual pages and completions say everything that the tables of the program hold, and are
 * proper text of their kind. */
#include "tests/unit/cmocka.h"
#include "tools/cmd.h"
#include "tools/config/config_options.h"
#include "tools/packaging/docs/docs.h"
#include "tools/packaging/docs/places.h"
#include "tools/packaging/docs/roff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[200000];

/* What `write` writes, in `text`. */
static void page(void (*write)(FILE *out, const char *date))
{
    FILE *f = fmemopen(text, sizeof text, "w");
    assert_non_null(f);
    write(f, "2026-11-24");
    assert_int_equal(fflush(f), 0);
    long n = ftell(f);
    assert_true(n > 0 && (size_t)n < sizeof text - 1); /* it was not cut */
    fclose(f);
}

static void bash(FILE *out, const char *date)
{
    (void)date;
    docs_bash(out);
}

static void zsh(FILE *out, const char *date)
{
    (void)date;
    docs_zsh(out);
}

static void has(const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing", what);
}

/* "--json" as a man page spells it. */
static void has_in_roff(const char *words, size_t n)
{
    char spelt[200];
    size_t k = 0;
    for (size_t i = 0; i < n && k + 3 < sizeof spelt; i++) {
        if (words[i] == '-')
            spelt[k++] = '\\';
        spelt[k++] = words[i];
    }
    spelt[k] = '\0';
    has(spelt);
}

static void option_in_roff(void *ctx, const char *words, const char *help)
{
    (void)ctx;
    (void)help;
    has_in_roff(words, strcspn(words, " "));
}

static void option_as_it_is(void *ctx, const char *words, const char *help)
{
    char name[60];
    (void)help;
    (void)snprintf(name, sizeof name, ctx, (int)strcspn(words, " "), words);
    has(name);
}

static void variable(void *ctx, const char *name, const char *option)
{
    (void)ctx;
    (void)option;
    has(name);
}

static void the_page_of_the_program_has_every_verb_and_option(void **state)
{
    (void)state;
    const struct cmd *v;
    char head[80];
    page(docs_man_program);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++) {
        size_t dash = strcspn(v->name, "-");
        (void)snprintf(head, sizeof head, ".TP\n\\fB%.*s%s", (int)dash, v->name,
                       v->name[dash] != '\0' ? "\\-" : "");
        has(head);
        args_help(v->groups, option_in_roff, NULL);
    }
    args_environment(variable, NULL);
    has("merossd.conf (5)");
}

static void the_page_of_the_file_has_every_option_once(void **state)
{
    (void)state;
    const struct config_option *o;
    char head[80];
    page(docs_man_config);
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        (void)snprintf(head, sizeof head, ".TP\n\\fB%s\\fR\n", o->name);
        has(head);
        assert_null(strstr(strstr(text, head) + 1, head));
    }
}

/* A line that begins with . is a request of man(7), and we use few. */
static void no_text_becomes_a_request(void **state)
{
    (void)state;
    static const char *const known[] = {".\\\" ", ".TH ",  ".SH ",  ".TP\n", ".RS\n",
                                        ".RE\n",  ".PP\n", ".br\n", ".sp\n", ".nf\n",
                                        ".fi\n",  ".nh\n", ".ad l", ".BR ",  ".I "};
    for (int which = 0; which < 2; which++) {
        page(which == 0 ? docs_man_program : docs_man_config);
        for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
            line += *line == '\n';
            bool ok = *line != '.' && *line != '\'';
            for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
                ok = ok || strncmp(line, known[i], strlen(known[i])) == 0;
            if (!ok)
                fail_msg("%.60s", line);
        }
    }
}

static void roff(void (*write)(FILE *out, const char *t), const char *in, const char *want)
{
    text[0] = '\0';
    FILE *f = fmemopen(text, sizeof text, "w");
    assert_non_null(f);
    write(f, in);
    fclose(f);
    assert_string_equal(text, want);
}

static void text_stays_text(void **state)
{
    (void)state;
    roff(roff_text, ".TH 'x' \\n -1 ~ ^", "\\&.TH \\(aqx\\(aq \\en \\-1 \\(ti \\(ha\n");
    roff(roff_text, "'a", "\\&\\(aqa\n");
    roff(roff_text, "one `two three` four.  Five", "one \\fBtwo three\\fR four.\nFive\n");
    roff(roff_text, "a\nb", "a\n.br\nb\n");
    roff(roff_text, "do this   it helps\nsaid", ".RS\n.TP\n\\fBdo this\\fR\nit helps\n.RE\nsaid\n");
    roff(roff_text, "", "");
    roff(roff_words, "--key-file FILE ", "\\fB\\-\\-key\\-file\\fR \\fIFILE\\fR\n");
    roff(roff_words, "-D [-P N]", "\\fB\\-D\\fR [\\fB\\-P\\fR \\fIN\\fR]\n");
    roff(roff_words, "PLUG[/PART] ADDRESS_2", "\\fIPLUG\\fR[/\\fIPART\\fR] \\fIADDRESS_2\\fR\n");
}

static void long_text_is_broken_at_blanks(void **state)
{
    (void)state;
    char in[400] = "", *at = in;
    for (int i = 0; i < 60; i++)
        at += sprintf(at, "%s%c", i > 0 ? " " : "", 'a' + i % 26);

    FILE *f = fmemopen(text, sizeof text, "w");
    roff_text(f, in);
    fclose(f);
    assert_non_null(strchr(text, '\n'));
    assert_true(strcspn(text, "\n") <= 80);
    f = fmemopen(text, sizeof text, "w");
    memset(in, 'x', 300); /* no blank: it stays whole */
    in[300] = '\0';
    roff_text(f, in);
    fclose(f);
    assert_int_equal(strcspn(text, "\n"), 300);
}

static void completions_have_every_verb_and_option(void **state)
{
    (void)state;
    const struct cmd *v;
    char head[40];
    for (int which = 0; which < 2; which++) {
        page(which == 0 ? bash : zsh);
        for (size_t i = 0; (v = verbs_at(i)) != NULL; i++) {
            (void)snprintf(head, sizeof head, "\n    %s)\n", v->name);
            has(head);
            args_help(v->groups, option_as_it_is, which == 0 ? " %.*s " : "'%.*s[");
        }
    }
}

static struct place place_of(const char *words, unsigned at, unsigned want)
{
    struct place out[PLACES_MAX];
    struct cmd v = {.name = "x", .words = words};
    assert_int_equal(places_of(&v, out), want);
    return out[at];
}

static void places_are_read_from_the_table(void **state)
{
    (void)state;
    assert_int_equal(place_of("PLUG", 0, 1).kind, PLACE_PLUG);
    assert_int_equal(place_of("[PLUG]", 0, 1).kind, PLACE_PLUG);
    assert_int_equal(place_of("PLUG[/PART] KEY=VALUE...", 0, 2).kind, PLACE_PLUG);
    assert_int_equal(place_of("PLUG[/PART] KEY=VALUE...", 1, 2).kind, PLACE_OTHER);
    assert_int_equal(place_of("FILE USER", 0, 2).kind, PLACE_FILE);
    assert_int_equal(place_of("[VERB | config]", 0, 1).kind, PLACE_VERB);
    assert_string_equal(place_of("[VERB | config]", 0, 1).words, "config");
    assert_string_equal(place_of("mosquitto [CONF]", 0, 2).words, "mosquitto");
    assert_int_equal(place_of("mosquitto [CONF]", 1, 2).kind, PLACE_FILE);
    (void)place_of("", 0, 0);
    (void)place_of("A B C D E F", 5, PLACES_MAX);
    (void)place_of("A B C D E F G", 5, PLACES_MAX); /* one past: left out */
    assert_true(places_option_is_file("--cafile FILE"));
    assert_false(places_option_is_file("--host HOST"));
    assert_true(places_option_has_value("--host HOST"));
    assert_false(places_option_has_value("--json "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_the_program_has_every_verb_and_option),
        cmocka_unit_test(the_page_of_the_file_has_every_option_once),
        cmocka_unit_test(no_text_becomes_a_request),
        cmocka_unit_test(text_stays_text),
        cmocka_unit_test(long_text_is_broken_at_blanks),
        cmocka_unit_test(completions_have_every_verb_and_option),
        cmocka_unit_test(places_are_read_from_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tools/doctor/doctor_hello.h"

#include "meross/wire/json.h"
#include "meross/wire/text.h"
#include "tools/doctor/hello_form.h"
#include "tools/json_cut.h"

#define KINDS 4u

/* Who it is, as far as that may be known. */
static const char *const kinds[KINDS] = {"type", "hardware", "firmware", "chip"};

struct offer {
    char kind[KINDS][40];
    char line[2048]; /* "" = it is not known */
};

static int take(struct span plug, struct offer *out)
{
    struct json j;
    int err = json_parse(&j, plug);
    if (err != MD_OK)
        return err;
    for (size_t i = 0; i < KINDS; i++) {
        (void)json_text(json_get(json_root(&j), kinds[i]), out->kind[i], sizeof out->kind[i]);
        text_tame(out->kind[i]);
    }
    (void)json_text(json_get(json_root(&j), "hello"), out->line, sizeof out->line);
    text_tame(out->line);
    json_free(&j);
    return MD_OK;
}

/* What stands behind the # differs from one connection to the next. */
static bool same(const struct offer *a, const struct offer *b)
{
    size_t n = strcspn(a->line, "#");
    return memcmp(a->kind, b->kind, sizeof a->kind) == 0 && n == strcspn(b->line, "#") &&
           memcmp(a->line, b->line, n) == 0;
}

/* Did one of the plugs before `until` offer the same?  A house has many of one kind. */
static bool shown(struct span list, struct span until, const struct offer *o)
{
    struct span one;
    while (json_cut_element(&list, &one) && one.p < until.p) {
        struct offer other = {.line = ""};
        if (take(one, &other) == MD_OK && same(&other, o))
            return true;
    }
    return false;
}

static void print(FILE *out, const struct offer *o)
{
    for (size_t i = 0; i < KINDS; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", o->kind[i][0] != '\0' ? o->kind[i] : "?");
    fprintf(out, "\n  %s\n", o->line);
    if (!hello_form_print(out, o->line))
        fprintf(out, "  (this program does not understand the line)\n");
    fprintf(out, "\n");
}

static void write(struct json_writer *w, const struct offer *o)
{
    json_write_open(w, '{');
    for (size_t i = 0; i < KINDS; i++)
        json_write_pair(w, kinds[i], o->kind[i]);
    json_write_pair(w, "hello", o->line);
    json_write_name(w, "offers");
    if (!hello_form_write(w, o->line))
        json_write_raw(w, span_str("null"));
    json_write_close(w, '}');
}

static int each(struct cli *c, struct span list, struct json_writer *w, unsigned *n)
{
    struct span rest = list, one;
    int err = MD_OK;
    while (err == MD_OK && json_cut_element(&rest, &one)) {
        struct offer o = {.line = ""};
        err = take(one, &o);
        if (err != MD_OK || o.line[0] == '\0' || shown(list, one, &o))
            continue;
        ++*n;
        if (c->args->json)
            write(w, &o);
        else
            print(c->out, &o);
    }
    return err;
}

int doctor_hello(struct cli *c, struct span house)
{
    struct span list = {NULL, 0};
    struct json_writer w;
    struct buf b;
    unsigned n = 0;
    (void)json_cut_member(house, "plugs", &list);
    buf_init(&b, 4u << 20);
    json_write_start(&w, &b);
    json_write_open(&w, '[');
    int err = each(c, list, &w, &n);
    json_write_close(&w, ']');
    err = err == MD_OK ? w.err : err;
    if (err == MD_OK && c->args->json)
        fprintf(c->out, "%.*s\n", SPAN_ARG(buf_view(&b)));
    else if (err == MD_OK && n == 0)
        fputs("No plug has shown what its TLS offers yet: it is recorded when one connects.\n",
              c->out);
    buf_free(&b);
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "internal", "%s", md_err_text(err));
}

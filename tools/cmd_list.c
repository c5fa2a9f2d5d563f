/* cmd_list.c - `merossd list` and `merossd show`: the plugs as a table, one of them in full. */
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/table.h"

#include <inttypes.h>

static int add_row(struct table *t, const struct plug *p)
{
    char state[200];
    plugs_state(p, state, sizeof state);
    const char *cells[] = {p->name,
                           p->type,
                           p->firmware,
                           state,
                           p->online ? "online" : "offline",
                           p->address[0] != '\0' ? p->address : "-"};
    bool on = strcmp(p->state, "ON") == 0;
    enum table_colour colours[] = {TABLE_BOLD,
                                   TABLE_PLAIN,
                                   TABLE_PLAIN,
                                   p->online && on ? TABLE_GREEN : TABLE_PLAIN,
                                   p->online ? TABLE_GREEN : TABLE_DIM,
                                   TABLE_PLAIN};
    int err = MD_OK;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0] && err == MD_OK; i++)
        err = table_add(t, cells[i], colours[i]);
    return err;
}

static int fill_table(struct table *t, const struct plugs *all)
{
    static const char *const heads[] = {"NAME", "TYPE", "FIRMWARE", "STATE", "ONLINE", "ADDRESS"};
    int err = MD_OK;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0] && err == MD_OK; i++)
        err = table_add(t, heads[i], TABLE_DIM);
    for (size_t i = 0; i < all->n && err == MD_OK; i++)
        err = add_row(t, &all->v[i]);
    return err;
}

static int print_list(struct cli *c, const struct plugs *all)
{
    struct table *t;
    if (all->n == 0) {
        fputs("No plug yet. Point one at this broker, port 8883; it appears here by itself.\n",
              c->out);
        return CLI_DONE;
    }
    int err = table_new(&t, 6);
    if (err == MD_OK) {
        err = fill_table(t, all);
        if (err == MD_OK)
            table_print(t, c->out, table_coloured(c->out));
        table_free(t);
    }
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "internal", "out of memory");
}

int cmd_list(struct cli *c)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    struct plugs all = {NULL, 0};
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = cli_list(c, &answer, &all);
    if (status == CLI_DONE)
        status = c->args->json ? cli_print_json(c, answer.data) : print_list(c, &all);
    plugs_free(&all);
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

/* --- show ---------------------------------------------------------------------------------- */

static void line(FILE *out, const char *name, const char *value)
{
    if (value[0] != '\0')
        fprintf(out, "  %-12s %s\n", name, value);
}

static void ago(FILE *out, int64_t seconds)
{
    static const struct {
        int64_t per;
        const char *unit;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    size_t i = 0;
    while (i < 3 && seconds < 2 * units[i].per)
        i++;
    fprintf(out, "  %-12s %" PRId64 " %s ago\n", "last seen", seconds / units[i].per,
            units[i].unit);
}

static const char *key_words(const char *key)
{
    static const char *const words[][2] = {
        {"configured", "one of meross_key"},
        {"own", "one of its own"},
        {"empty", "the empty key"},
        {"default", "the factory key"},
        {"unknown", "another key: add `meross_key KEY` to the configuration, or pair it again"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(key, words[i][0]) == 0)
            return words[i][1];
    return key;
}

/* What the plug measures: every plain member of its state but the switch itself. */
static void print_measures(FILE *out, struct json_at state)
{
    char name[40], value[80], clean[80];
    for (struct json_at n = json_first_name(state); json_exists(n); n = json_next_name(n)) {
        if (!json_text(n, name, sizeof name) || strcmp(name, "state") == 0 ||
            !json_text(json_value(n), value, sizeof value))
            continue;
        table_clean(span_str(value), clean, sizeof clean);
        table_clean(span_str(name), value, sizeof value);
        line(out, value, clean);
    }
}

static void print_plug(struct cli *c, const struct plug *p)
{
    char text[200];
    FILE *out = c->out;
    plugs_state(p, text, sizeof text);
    fprintf(out, "%s\n", p->name);
    line(out, "state", text);
    line(out, "online", p->online ? "yes" : "no");
    line(out, "bound", p->bound ? "yes" : "not yet");
    line(out, "type", p->type);
    line(out, "hardware", p->hardware);
    line(out, "firmware", p->firmware);
    line(out, "chip", p->chip);
    line(out, "address", p->address);
    line(out, "MAC", p->mac);
    line(out, "uuid", p->uuid);
    line(out, "key", key_words(p->key));
    if (p->last_seen_s > 0 && !p->online && env_wall_s(c->env) >= p->last_seen_s)
        ago(out, env_wall_s(c->env) - p->last_seen_s);
    fprintf(out, "  %-12s %u\n", "sockets", p->n_channels);
    fprintf(out, "  %-12s %u\n", "abilities", p->n_abilities);
}

static int show(struct cli *c, struct span data)
{
    struct plugs one;
    struct json j;
    if (c->args->json)
        return cli_print_json(c, data);
    if (plugs_parse_one(&one, data) != MD_OK)
        return cli_fail(c, CLI_FAILED, "internal",
                        "the broker's answer makes no sense to this program; are both the same "
                        "version?");
    print_plug(c, &one.v[0]);
    if (json_parse(&j, data) == MD_OK) {
        print_measures(c->out, json_get(json_root(&j), "state"));
        json_free(&j);
    }
    plugs_free(&one);
    return CLI_DONE;
}

int cmd_show(struct cli *c)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = cli_ask(c, "show", c->args->words[0], NULL, &answer);
    if (status == CLI_DONE)
        status = show(c, answer.data);
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

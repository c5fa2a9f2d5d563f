/* cmd_list.c - `merossd list`: the plugs as a table. */
#include "tools/cmd.h"
#include "tools/table.h"

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

/* cmd_power.c - `merossd power`: what the plugs measure now. */
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/json_cut.h"
#include "tools/table.h"

#define COLUMNS 7
#define OLD_S   180 /* a reading older than that is none */

static void cell(struct json_at channel, const char *name, const char *unit, bool shown,
                 char out[40])
{
    char text[24];
    if (shown && cli_member_text(channel, name, text, sizeof text))
        (void)snprintf(out, 40, "%s %s", text, unit);
    else
        memcpy(out, "-", 2);
}

static int add_channel(struct table *t, struct json_at channel, const char *name, bool online)
{
    int64_t number = 0, age = 0;
    char where[8] = "", power[40], volts[40], amperes[40], today[40], total[40];
    (void)json_int(json_get(channel, "channel"), &number);
    (void)json_int(json_get(channel, "age"), &age);
    bool fresh = online && age <= OLD_S;
    (void)snprintf(where, sizeof where, "%u", (unsigned)number & 0xffu);
    cell(channel, "power", "W", fresh, power);
    cell(channel, "voltage", "V", fresh, volts);
    cell(channel, "current", "A", fresh, amperes);
    cell(channel, "energy_today", "kWh", true, today);
    cell(channel, "energy", "kWh", true, total);
    const char *cells[COLUMNS] = {name, where, power, volts, amperes, today, total};
    int err = MD_OK;
    for (size_t i = 0; i < COLUMNS && err == MD_OK; i++)
        err = table_add(t, cells[i], i == 0 ? TABLE_BOLD : fresh ? TABLE_PLAIN : TABLE_DIM);
    return err;
}

static int add_plug(struct table *t, struct span text, size_t *rows)
{
    struct json j;
    char name[80];
    int64_t online = 0;
    int err = json_parse(&j, text);
    if (err != MD_OK)
        return err;
    (void)cli_member_text(json_root(&j), "name", name, sizeof name);
    (void)json_int(json_get(json_root(&j), "online"), &online);
    JSON_EACH(it, json_get(json_root(&j), "channels"))
    {
        if (err == MD_OK)
            err = add_channel(t, it, name, online != 0);
        ++*rows;
    }
    json_free(&j);
    return err;
}

static int fill(struct table *t, struct span list, size_t *rows)
{
    static const char *const heads[COLUMNS] = {"NAME",    "CHANNEL", "POWER", "VOLTAGE",
                                               "CURRENT", "TODAY",   "TOTAL"};
    struct span plug;
    int err = MD_OK;
    for (size_t i = 0; i < COLUMNS && err == MD_OK; i++)
        err = table_add(t, heads[i], TABLE_DIM);
    while (err == MD_OK && json_cut_element(&list, &plug))
        err = add_plug(t, plug, rows);
    return err;
}

static int print(struct cli *c, struct span data)
{
    struct table *t;
    struct span list;
    size_t rows = 0;
    if (!json_cut_member(data, "plugs", &list))
        return cli_fail(c, CLI_FAILED, "internal", "the broker's answer has no list of plugs");
    int err = table_new(&t, COLUMNS);
    if (err == MD_OK) {
        err = fill(t, list, &rows);
        if (err == MD_OK && rows > 0)
            table_print(t, c->out, table_coloured(c->out));
        table_free(t);
    }
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "internal", "%s", md_err_text(err));
    if (rows == 0)
        fputs(c->args->n_words > 0 ? "It has not told its power yet. Try again in a minute.\n"
                                   : "No plug has told its power yet; those that measure do so "
                                     "within a minute of connecting.\n",
              c->out);
    return CLI_DONE;
}

static int ask(struct cli *c, struct cli_answer *answer)
{
    struct json_writer w;
    struct buf body;
    cli_request_start(c, &w, &body);
    if (c->args->n_words > 0)
        json_write_pair(&w, "plug", c->args->words[0]);
    return cli_verb(c, "power", &w, &body, answer);
}

int cmd_power(struct cli *c) { return cli_show(c, ask, print); }

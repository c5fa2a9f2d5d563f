/* cmd_energy.c - `merossd energy`: what the plugs have counted, by day and by hour. */
#include "meross/time/date.h"
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/config/config_value.h"
#include "tools/json_cut.h"
#include "tools/table.h"

#include <inttypes.h>

#define DAYS_MAX 400

/* --- what is asked for ------------------------------------------------------------------------ */

static int usage(struct cli *c, const char *what)
{
    return cli_fail(c, CLI_USAGE, "invalid", "%s", what);
}

static int check_dates(struct cli *c)
{
    const struct args *a = c->args;
    int32_t day;
    uint64_t n;
    char clean[40];
    table_clean(span_str(a->day != NULL     ? a->day
                         : a->month != NULL ? a->month
                                            : ""),
                clean, sizeof clean);
    if (a->day != NULL && date_parse(span_str(a->day), &day) != MD_OK)
        return cli_fail(c, CLI_USAGE, "invalid", "\"%s\" is no day: write it as 2026-04-03", clean);
    if (a->month != NULL && date_parse_month(span_str(a->month), &day) != MD_OK)
        return cli_fail(c, CLI_USAGE, "invalid", "\"%s\" is no month: write it as 2026-04", clean);
    if (a->days != NULL && config_value_number(span_str(a->days), 1, DAYS_MAX, &n) != MD_OK)
        return cli_fail(c, CLI_USAGE, "invalid", "--days takes a number from 1 to %d", DAYS_MAX);
    return CLI_DONE;
}

static int check(struct cli *c)
{
    const struct args *a = c->args;
    int periods = (a->day != NULL) + (a->month != NULL) + (a->days != NULL) + a->hours;
    if (periods > 1)
        return usage(c, "give one of --day, --month, --days and --hours");
    if (a->csv && a->json)
        return usage(c, "give --csv or --json, not both");
    if (a->n_words == 0 && a->hours)
        return usage(c, "--hours needs a plug: merossd energy PLUG --hours");
    if (a->n_words == 0 && a->channel >= 0)
        return usage(c, "--channel needs a plug: merossd energy PLUG --channel N");
    return check_dates(c);
}

static int ask(struct cli *c, struct cli_answer *answer)
{
    const struct args *a = c->args;
    struct json_writer w;
    struct buf body;
    uint64_t n;
    cli_request_start(c, &w, &body);
    if (a->n_words > 0)
        json_write_pair(&w, "plug", a->words[0]);
    if (a->channel >= 0)
        json_write_pair_int(&w, "channel", a->channel);
    if (a->day != NULL)
        json_write_pair(&w, "day", a->day);
    if (a->month != NULL)
        json_write_pair(&w, "month", a->month);
    if (a->days != NULL && config_value_number(span_str(a->days), 1, DAYS_MAX, &n) == MD_OK)
        json_write_pair_int(&w, "days", (int64_t)n);
    if (a->hours)
        json_write_pair_bool(&w, "hours", true);
    return cli_verb(c, "energy", &w, &body, answer);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A small object of the answer, or what is left of one when its rows are cut out. */
static int64_t number_of(struct span object, const char *name)
{
    struct span value;
    uint64_t n = 0;
    if (json_cut_member(object, name, &value) &&
        config_value_number(value, 0, INT64_MAX, &n) != MD_OK)
        n = 0;
    return (int64_t)n;
}

static void text_of(struct span object, const char *name, char *out, size_t cap)
{
    struct json j;
    char list[300], raw[256] = "";
    struct span value = {NULL, 0};
    int n = -1;
    if (json_cut_member(object, name, &value))
        n = snprintf(list, sizeof list, "[%.*s]", SPAN_ARG(value)); /* JSON of its own */
    if (n > 0 && (size_t)n < sizeof list && json_parse(&j, span_str(list)) == MD_OK) {
        (void)json_text(json_first(json_root(&j)), raw, sizeof raw);
        json_free(&j);
    }
    table_clean(span_str(raw), out, cap);
}

static void kwh(int64_t wh, char out[32])
{
    (void)snprintf(out, 32, "%" PRId64 ".%03d", wh / 1000, (int)(wh % 1000));
}

static void kwh_cell(int64_t wh, char *out, size_t cap)
{
    char text[32];
    kwh(wh, text);
    (void)snprintf(out, cap, "%s kWh", text);
}

/* A field of a CSV file; a name may hold anything. */
static void print_field(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', out);
}

/* --- one plug --------------------------------------------------------------------------------- */

static bool by_hour(const struct args *a) { return a->hours || a->day != NULL; }

struct view { /* of one channel of one plug */
    struct cli *c;
    char name[80];
    unsigned channel;
    struct table *t;
};

static int add_row(const struct view *v, struct span row)
{
    char when[40], wh[32];
    text_of(row, by_hour(v->c->args) ? "hour" : "day", when, sizeof when);
    if (v->c->args->csv) {
        print_field(v->c->out, v->name);
        fprintf(v->c->out, ",%u,%s,%" PRId64 "\n", v->channel, when, number_of(row, "wh"));
        return MD_OK;
    }
    kwh(number_of(row, "wh"), wh);
    int err = table_add(v->t, when, TABLE_PLAIN);
    return err == MD_OK ? table_add(v->t, wh, TABLE_PLAIN) : err;
}

static int add_sum(const struct view *v, const char *what, int64_t wh)
{
    char text[32];
    kwh(wh, text);
    int err = table_add(v->t, what, TABLE_BOLD);
    return err == MD_OK ? table_add(v->t, text, TABLE_BOLD) : err;
}

static int add_sums(const struct view *v, struct span channel)
{
    int64_t wh = number_of(channel, "wh"), unknown = wh - number_of(channel, "sum");
    int err = MD_OK;
    if (unknown > 0) /* of a day: its first hours, before merossd knew the plug */
        err = add_sum(v, "at unknown hours", unknown);
    if (err == MD_OK)
        err = add_sum(v, "together", wh);
    return err == MD_OK ? add_sum(v, "since it is counted", number_of(channel, "total")) : err;
}

static int add_rows(const struct view *v, struct span channel)
{
    struct span rows, row;
    int err = MD_OK;
    if (!json_cut_member(channel, "rows", &rows))
        return MD_PROTO;
    while (err == MD_OK && json_cut_element(&rows, &row))
        err = add_row(v, row);
    return err == MD_OK && v->t != NULL ? add_sums(v, channel) : err;
}

static int print_channel(struct view *v, struct span channel, bool several)
{
    int err = table_new(&v->t, 2);
    if (err != MD_OK)
        return err;
    if (several)
        fprintf(v->c->out, "channel %u\n", v->channel);
    err = table_add(v->t, by_hour(v->c->args) ? "HOUR" : "DAY", TABLE_DIM);
    if (err == MD_OK)
        err = table_add(v->t, "kWh", TABLE_DIM);
    if (err == MD_OK)
        err = add_rows(v, channel);
    if (err == MD_OK)
        table_print(v->t, v->c->out, table_coloured(v->c->out));
    table_free(v->t);
    v->t = NULL;
    return err;
}

static int print_plug(struct cli *c, struct span data)
{
    struct view v = {.c = c};
    struct span list, count, channel;
    unsigned n = 0;
    int err = MD_OK;
    if (!json_cut_member(data, "channels", &list))
        return MD_PROTO;
    text_of(data, "name", v.name, sizeof v.name);
    for (count = list; json_cut_element(&count, &channel);)
        n++;
    if (c->args->csv)
        fprintf(c->out, "plug,channel,%s,wh\n", by_hour(c->args) ? "hour" : "day");
    else if (n == 0)
        fputs("It has counted nothing yet. Try again in a few minutes.\n", c->out);
    while (err == MD_OK && json_cut_element(&list, &channel)) {
        v.channel = (unsigned)number_of(channel, "channel");
        err = c->args->csv ? add_rows(&v, channel) : print_channel(&v, channel, n > 1);
    }
    return err;
}

/* --- all plugs -------------------------------------------------------------------------------- */

#define ALL_COLUMNS 6

static int add_plug(struct cli *c, struct table *t, struct span plug)
{
    char cells[ALL_COLUMNS][80];
    static const char *const names[ALL_COLUMNS] = {"name",  "channel", "today",
                                                   "month", "wh",      "total"};
    int err = MD_OK;
    text_of(plug, "name", cells[0], sizeof cells[0]);
    if (c->args->csv)
        print_field(c->out, cells[0]);
    for (size_t i = 1; i < ALL_COLUMNS; i++) {
        int64_t n = number_of(plug, names[i]);
        if (c->args->csv)
            fprintf(c->out, ",%" PRId64, n);
        else if (i == 1)
            (void)snprintf(cells[1], sizeof cells[1], "%" PRId64, n);
        else
            kwh_cell(n, cells[i], sizeof cells[i]);
    }
    if (c->args->csv)
        fputc('\n', c->out);
    for (size_t i = 0; i < ALL_COLUMNS && t != NULL && err == MD_OK; i++)
        err = table_add(t, cells[i], i == 0 ? TABLE_BOLD : TABLE_PLAIN);
    return err;
}

static const char *period_name(const struct args *a, char out[40])
{
    if (a->day != NULL || a->month != NULL)
        table_clean(span_str(a->day != NULL ? a->day : a->month), out, 40);
    else
        (void)snprintf(out, 40, "%s DAYS", a->days != NULL ? a->days : "7");
    return out;
}

static int print_all(struct cli *c, struct span data)
{
    struct span list, plug;
    struct table *t = NULL;
    char period[40];
    const char *heads[ALL_COLUMNS] = {
        "NAME", "CHANNEL", "TODAY kWh", "MONTH", period_name(c->args, period), "TOTAL"};
    int err = json_cut_member(data, "plugs", &list) ? MD_OK : MD_PROTO;
    size_t rows = 0;
    if (err == MD_OK && c->args->csv)
        fputs("plug,channel,today_wh,month_wh,period_wh,total_wh\n", c->out);
    else if (err == MD_OK)
        err = table_new(&t, ALL_COLUMNS);
    for (size_t i = 0; i < ALL_COLUMNS && t != NULL && err == MD_OK; i++)
        err = table_add(t, heads[i], TABLE_DIM);
    for (; err == MD_OK && json_cut_element(&list, &plug); rows++)
        err = add_plug(c, t, plug);
    if (err == MD_OK && t != NULL && rows > 0)
        table_print(t, c->out, table_coloured(c->out));
    else if (err == MD_OK && t != NULL)
        fputs("No plug has counted anything yet.\n", c->out);
    table_free(t);
    return err;
}

static int print(struct cli *c, struct span data)
{
    int err = c->args->n_words > 0 ? print_plug(c, data) : print_all(c, data);
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "internal", "%s", md_err_text(err));
}

int cmd_energy(struct cli *c)
{
    int status = check(c);
    return status == CLI_DONE ? cli_show(c, ask, print) : status;
}

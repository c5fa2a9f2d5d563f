/* cmd_timer.c - `merossd timer`: what a plug does by itself. */
#include "broker/base/mem.h"
#include "meross/wire/timer.h"
#include "tools/cmd.h"
#include "tools/table.h"

#include <inttypes.h>
#include <string.h>

#define ASK_MS 30000 /* a plug is asked for each of its timers, one after another */

enum action { LIST, ADD, REMOVE, ENABLE, DISABLE, AUTO_OFF };

static const struct {
    const char *word;   /* as it is typed           */
    const char *action; /* as the broker is asked   */
    unsigned words;     /* with PLUG and the action */
    const char *usage;
} actions[] = {{"list", "list", 2, "list"},
               {"add", "add", 4, "add HH:MM on|off"},
               {"remove", "remove", 3, "remove ID"},
               {"enable", "enable", 3, "enable ID"},
               {"disable", "disable", 3, "disable ID"},
               {"auto-off", "auto_off", 3, "auto-off MINUTES|off"}};

#define N_ACTIONS (sizeof actions / sizeof actions[0])

struct wish { /* the command line, understood */
    enum action action;
    unsigned minute, after_s;
    bool on;
};

static int bad(struct cli *c, const char *fmt, const char *word)
{
    char clean[80];
    table_clean(span_str(word), clean, sizeof clean);
    return cli_fail(c, CLI_USAGE, "invalid", fmt, clean);
}

/* --- the command line ---------------------------------------------------------------------- */

static int read_action(struct cli *c, struct wish *w)
{
    const struct args *a = c->args;
    w->action = LIST;
    if (a->n_words < 2)
        return CLI_DONE;
    for (unsigned i = 0; i < N_ACTIONS; i++) {
        if (strcmp(a->words[1], actions[i].word) != 0)
            continue;
        w->action = (enum action)i;
        return a->n_words == actions[i].words
                   ? CLI_DONE
                   : cli_fail(c, CLI_USAGE, "invalid", "it is `merossd timer PLUG %s`",
                              actions[i].usage);
    }
    return bad(c, "no action \"%s\": list, add, remove, enable, disable or auto-off", a->words[1]);
}

static int read_add(struct cli *c, struct wish *w)
{
    const struct args *a = c->args;
    unsigned days;
    if (!timer_read_time(a->words[2], &w->minute))
        return bad(
            c,
            "\"%s\" is no time of the day, as in 07:30; sunrise and sunset cannot be used: how "
            "a plug wants them is not known",
            a->words[2]);
    w->on = strcmp(a->words[3], "on") == 0;
    if (!w->on && strcmp(a->words[3], "off") != 0)
        return bad(c, "\"%s\" is neither on nor off", a->words[3]);
    if (a->days != NULL && !timer_read_days(a->days, &days))
        return bad(c, "--days \"%s\": daily, weekdays, weekend, or days like mon,wed,sun", a->days);
    if (a->days != NULL && a->once)
        return bad(c, "%s is the next time that it is so late: it goes with no --days", "--once");
    if (a->name != NULL && (strlen(a->name) == 0 || strlen(a->name) > TIMER_NAME_MAX))
        return bad(c, "the name \"%s\" is not 1 to 32 bytes long", a->name);
    return CLI_DONE;
}

static int check_options(struct cli *c, const struct wish *w)
{
    const struct args *a = c->args;
    const char *extra = a->days != NULL   ? "--days"
                        : a->once         ? "--once"
                        : a->name != NULL ? "--name"
                                          : NULL;
    if (w->action != ADD && extra != NULL)
        return bad(c, "%s goes with `add` only", extra);
    if (w->action != ADD && w->action != AUTO_OFF && a->channel >= 0)
        return bad(c, "%s goes with `add` and `auto-off` only", "--channel");
    return CLI_DONE;
}

static int read_wish(struct cli *c, struct wish *w)
{
    int status = read_action(c, w);
    if (status == CLI_DONE)
        status = check_options(c, w);
    if (status != CLI_DONE)
        return status;
    if (w->action == ADD)
        return read_add(c, w);
    if (w->action == AUTO_OFF && !timer_read_after(c->args->words[2], &w->after_s))
        return bad(c, "\"%s\" is no time span from one minute to a day: 15, 90s, 2h, or off",
                   c->args->words[2]);
    return CLI_DONE;
}

/* --- asking -------------------------------------------------------------------------------- */

static void write_wish(struct json_writer *j, const struct cli *c, const struct wish *w)
{
    const struct args *a = c->args;
    char time[8];
    json_write_pair(j, "plug", a->words[0]);
    json_write_pair(j, "action", actions[w->action].action);
    if (a->channel >= 0)
        json_write_pair_int(j, "channel", a->channel);
    if (w->action == AUTO_OFF)
        json_write_pair_int(j, "after", w->after_s);
    else if (w->action != LIST && w->action != ADD)
        json_write_pair(j, "id", a->words[2]);
    if (w->action != ADD)
        return;
    (void)snprintf(time, sizeof time, "%02u:%02u", w->minute / 60 % 24, w->minute % 60);
    json_write_pair(j, "time", time);
    json_write_pair(j, "state", w->on ? "ON" : "OFF");
    if (a->days != NULL)
        json_write_pair(j, "days", a->days);
    if (a->once)
        json_write_pair_bool(j, "once", true);
    if (a->name != NULL)
        json_write_pair(j, "name", a->name);
}

static int ask(struct cli *c, const struct wish *w, struct cli_answer *out)
{
    struct json_writer j;
    struct buf body;
    cli_request_start(c, &j, &body);
    write_wish(&j, c, w);
    return cli_verb(c, "timer", &j, &body, out);
}

/* --- the answer ---------------------------------------------------------------------------- */

static void text_of(struct json_at t, const char *name, char *out, size_t cap)
{
    char raw[128];
    if (!json_text(json_get(t, name), raw, sizeof raw))
        raw[0] = '\0';
    table_clean(span_str(raw), out, cap);
}

static bool is_true(struct json_at t, const char *name)
{
    int64_t n = 0;
    return json_int(json_get(t, name), &n) && n == 1;
}

/* "21:00 daily", "07:30 once", "after 15 min". */
static void when_text(struct json_at t, char *out, size_t cap)
{
    char time[16], days[64];
    int64_t n = 0;
    if (json_int(json_get(t, "after"), &n)) {
        (void)snprintf(out, cap, n % 60 == 0 ? "after %" PRId64 " min" : "after %" PRId64 " s",
                       n % 60 == 0 ? n / 60 : n);
        return;
    }
    text_of(t, "time", time, sizeof time);
    text_of(t, "days", days, sizeof days);
    (void)snprintf(out, cap, "%s %s%s", time, is_true(t, "once") ? "once" : days,
                   json_exists(json_get(t, "sun_offset")) ? " (by the sun)" : "");
}

static int add_row(struct table *t, struct json_at timer)
{
    char id[64], when[128], state[16], channel[16], name[64];
    text_of(timer, "id", id, sizeof id);
    when_text(timer, when, sizeof when);
    text_of(timer, "state", state, sizeof state);
    text_of(timer, "channel", channel, sizeof channel);
    text_of(timer, "name", name, sizeof name);
    const char *const cells[] = {id,
                                 when,
                                 state[0] != '\0' ? state : "?",
                                 channel,
                                 is_true(timer, "enabled") ? "" : "disabled",
                                 name};
    int err = MD_OK;
    for (unsigned i = 0; i < 6 && err == MD_OK; i++)
        err = table_add(t, cells[i], TABLE_PLAIN);
    return err;
}

static int print_list(struct cli *c, struct json_at timers)
{
    static const char *const heads[] = {"ID", "WHEN", "STATE", "SOCKET", "", "NAME"};
    struct table *t;
    unsigned n = 0;
    int err = table_new(&t, 6);
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "internal", "out of memory");
    for (unsigned i = 0; i < 6 && err == MD_OK; i++)
        err = table_add(t, heads[i], TABLE_BOLD);
    JSON_EACH(it, timers)
    {
        if (err == MD_OK && json_type(it) == JSON_OBJECT) {
            err = add_row(t, it);
            n++;
        }
    }
    if (err == MD_OK && n > 0)
        table_print(t, c->out, table_coloured(c->out));
    else if (err == MD_OK)
        fprintf(c->out, "The plug has no timers.\n");
    table_free(t);
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "internal", "out of memory");
}

static void print_one(struct cli *c, struct json_at timer, const char *what)
{
    char id[64], when[128], state[16];
    text_of(timer, "id", id, sizeof id);
    when_text(timer, when, sizeof when);
    text_of(timer, "state", state, sizeof state);
    fprintf(c->out, "%s: %s, %s, %s%s\n", what, id, when, state,
            is_true(timer, "enabled") ? "" : ", disabled");
}

static void print_first_day(struct cli *c, struct json_at root)
{
    char day[16];
    text_of(root, "first_day", day, sizeof day);
    if (day[0] == '\0')
        return;
    fprintf(
        c->out,
        "Days: nobody has published how a plug counts them; this takes its first bit for %s\n"
        "(meross_timer_first_day). To check, add a timer for today alone, two minutes from now:\n"
        "if it does not switch, set the option to %s.\n",
        day, strcmp(day, "sunday") == 0 ? "monday" : "sunday");
}

static int print(struct cli *c, struct span data)
{
    struct json j;
    int status = CLI_DONE;
    if (c->args->json)
        return cli_print_json(c, data);
    if (json_parse(&j, data) != MD_OK)
        return cli_fail(c, CLI_FAILED, "internal", "the broker's answer is no proper JSON");
    struct json_at root = json_root(&j);
    if (json_exists(json_get(root, "removed")))
        print_one(c, json_get(root, "removed"), "removed");
    else if (json_exists(json_get(root, "timer")))
        print_one(c, json_get(root, "timer"), "the plug keeps it");
    else
        status = print_list(c, json_get(root, "timers"));
    if (status == CLI_DONE)
        print_first_day(c, root);
    json_free(&j);
    return status;
}

int cmd_timer(struct cli *c)
{
    struct wish w = {.action = LIST};
    struct cli_answer answer = {.data = {NULL, 0}};
    int status = read_wish(c, &w);
    if (status != CLI_DONE)
        return status;
    status = cli_open(c);
    c->timeout_ms = ASK_MS;
    if (status == CLI_DONE)
        status = ask(c, &w, &answer);
    if (status == CLI_DONE)
        status = print(c, answer.data);
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

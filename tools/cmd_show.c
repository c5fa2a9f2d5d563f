/* cmd_show.c - `merossd show`: all that is known about a plug. */
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/doctor/hello_form.h"
#include "tools/table.h"
#include "tools/units.h"

#include <inttypes.h>

#define WIDTH 18 /* of the names on the left */

static void line(FILE *out, const char *name, const char *value)
{
    if (value[0] != '\0')
        fprintf(out, "  %-*s %s\n", WIDTH, name, value);
}

static bool plain_text(struct json_at v, char *out, size_t cap)
{
    int64_t value;
    if (json_type(v) == JSON_BOOL && json_int(v, &value))
        return span_to_str(span_str(value ? "yes" : "no"), out, cap);
    return json_text(v, out, cap);
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
    fprintf(out, "  %-*s %" PRId64 " %s ago\n", WIDTH, "last seen", seconds / units[i].per,
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

/* The plain members of an object: what it measures, and what can be set. */
static void print_measures(FILE *out, struct json_at state)
{
    char name[40], value[80], clean[100];
    for (struct json_at n = json_first_name(state); json_exists(n); n = json_next_name(n)) {
        if (!json_text(n, name, sizeof name) || strcmp(name, "state") == 0 ||
            !plain_text(json_value(n), value, sizeof value))
            continue;
        table_clean(span_str(value), clean, 80);
        if (json_type(json_value(n)) == JSON_NUMBER)
            (void)strncat(clean, units_of(name), 8);
        table_clean(span_str(name), value, sizeof value);
        line(out, value, clean);
    }
}

/* "ON, name lamp, brightness 60": a socket or a sub-device on one line. */
static void print_part(FILE *out, const char *head, struct json_at part)
{
    char name[40], value[80], clean[80];
    bool first = true;
    fprintf(out, "  %-*s", WIDTH, head);
    for (struct json_at n = json_first_name(part); json_exists(n); n = json_next_name(n)) {
        if (!json_text(n, name, sizeof name) || strcmp(name, "channel") == 0 ||
            strcmp(name, "id") == 0 || !plain_text(json_value(n), value, sizeof value) ||
            value[0] == '\0')
            continue;
        table_clean(span_str(value), clean, sizeof clean);
        table_clean(span_str(name), value, sizeof value);
        fprintf(out, "%s ", first ? "" : ",");
        if (strcmp(value, "state") == 0 || strcmp(value, "type") == 0)
            fputs(clean, out);
        else if (strcmp(value, "online") == 0)
            fputs(strcmp(clean, "yes") == 0 ? "online" : "offline", out);
        else
            fprintf(out, "%s %s%s", value, clean,
                    json_type(json_value(n)) == JSON_NUMBER ? units_of(value) : "");
        first = false;
    }
    fputs(first ? " -\n" : "\n", out);
}

static const char *channel_word(struct json_at channel)
{
    if (json_exists(json_get(channel, "door")))
        return "door";
    return json_exists(json_get(channel, "state")) ? "socket" : "channel";
}

static void print_parts(FILE *out, struct json_at state)
{
    char id[40], head[60];
    int64_t channel;
    struct json_at channels = json_get(state, "channels");
    JSON_EACH(it, channels)
    {
        if (!json_exists(json_next(json_first(channels))) ||
            !json_int(json_get(it, "channel"), &channel))
            continue;
        (void)snprintf(head, sizeof head, "%s %lld", channel_word(it), (long long)channel);
        print_part(out, head, it);
    }
    JSON_EACH(it, json_get(state, "subdevices"))
    {
        (void)json_text(json_get(it, "id"), id, sizeof id);
        table_clean(span_str(id), head, sizeof head);
        print_part(out, head, it);
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
    if (p->n_channels > 1)
        fprintf(out, "  %-*s %u\n", WIDTH, "channels", p->n_channels);
    fprintf(out, "  %-*s %u\n", WIDTH, "abilities", p->n_abilities);
}

/* In a few words; `merossd doctor --hello` has the rest. */
static void print_tls(FILE *out, struct json_at plug)
{
    char text[1400], cipher[80], offers[80];
    if (!json_text(json_get(plug, "hello"), text, sizeof text) ||
        !hello_form_brief(text, offers, sizeof offers))
        return;
    bool chosen = json_text(json_get(plug, "tls"), text, sizeof text);
    table_clean(span_str(chosen ? text : ""), cipher, sizeof cipher);
    fprintf(out, "  %-*s offers %s%s%s\n", WIDTH, "TLS", offers, chosen ? "; uses " : "", cipher);
}

static int print(struct cli *c, struct span data)
{
    struct plugs one;
    struct json j;
    if (plugs_parse_one(&one, data) != MD_OK)
        return cli_fail(c, CLI_FAILED, "internal",
                        "the broker's answer makes no sense to this program; are both the same "
                        "version?");
    print_plug(c, &one.v[0]);
    if (json_parse(&j, data) == MD_OK) {
        print_measures(c->out, json_get(json_root(&j), "state"));
        print_parts(c->out, json_get(json_root(&j), "state"));
        print_tls(c->out, json_root(&j));
        json_free(&j);
    }
    plugs_free(&one);
    return CLI_DONE;
}

static int ask(struct cli *c, struct cli_answer *answer)
{
    return cli_ask(c, "show", c->args->words[0], NULL, answer);
}

int cmd_show(struct cli *c) { return cli_show(c, ask, print); }

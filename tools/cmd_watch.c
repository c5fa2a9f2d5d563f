/* cmd_watch.c - `merossd watch`: what happens, one line each. */
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/json_print.h"
#include "tools/table.h"
#include "tools/units.h"

#include <inttypes.h>
#include <time.h>

#define WATCH_WAIT_MS 60000u
#define LINE_BYTES    512

struct event { /* what a topic below the base is about */
    char plug[80];
    struct span leaf; /* "": the state */
};

static bool read_topic(const struct cli *c, struct span topic, struct event *e)
{
    size_t base = strlen(c->topics.base);
    if (!span_starts(topic, c->topics.base) || topic.n <= base + 1)
        return false;
    struct span rest = span_skip(topic, base + 1);
    const uint8_t *slash = memchr(rest.p, '/', rest.n);
    size_t n = slash == NULL ? rest.n : (size_t)(slash - rest.p);
    table_clean(span_of(rest.p, n), e->plug, sizeof e->plug);
    e->leaf = span_skip(rest, n + 1);
    return true;
}

/* State, availability and events of plugs; the broker's own online and offline. */
static bool wanted(const struct event *e)
{
    if (strcmp(e->plug, TOPICS_BROKER) == 0)
        return span_is(e->leaf, TOPICS_STATE);
    return e->leaf.n == 0 || span_is(e->leaf, TOPICS_AVAILABILITY) ||
           span_is(e->leaf, TOPICS_EVENT);
}

/* "0:ON 1:OFF" of the list of a strip's sockets; "" of a single one, which says nothing new. */
static void read_sockets(struct json_at list, char *out, size_t cap)
{
    char state[16];
    int64_t channel;
    size_t n = 0;
    out[0] = '\0';
    if (!json_exists(json_next(json_first(list))))
        return;
    JSON_EACH(it, list)
    {
        if (n + 32 < cap && json_int(json_get(it, "channel"), &channel) &&
            json_text(json_get(it, "state"), state, sizeof state))
            n += (size_t)snprintf(out + n, cap - n, "%s%" PRId64 ":%s", n > 0 ? " " : "", channel,
                                  state);
    }
}

static void read_value(const char *key, struct json_at v, char *out, size_t cap)
{
    if (json_text(v, out, cap))
        return;
    if (strcmp(key, "channels") == 0)
        read_sockets(v, out, cap);
    else
        (void)span_to_str(json_raw(v), out, cap);
}

/* Appends one member: "power=12.3 W"; the one called `alone` says what this is: no name. */
static size_t put_member(char *out, size_t n, size_t cap, struct json_at name, const char *alone)
{
    char key[40], value[200];
    if (!json_text(name, key, sizeof key) || n + 4 >= cap)
        return n;
    read_value(key, json_value(name), value, sizeof value);
    if (value[0] == '\0')
        return n;
    bool bare = strcmp(key, alone) == 0;
    int put = snprintf(out + n, cap - n, "%s%s%s%s%s", n > 0 ? "  " : "", bare ? "" : key,
                       bare ? "" : "=", value, units_of(key));
    return put < 0 || (size_t)put >= cap - n ? cap - 1 : n + (size_t)put;
}

/* A flat view of an object; text that is no JSON stays as it is. */
static void describe(struct span payload, const char *alone, char *out, size_t cap)
{
    struct json j;
    char raw[LINE_BYTES] = "";
    size_t n = 0;
    if (json_parse(&j, payload) != MD_OK) {
        table_clean(payload, out, cap);
        return;
    }
    for (struct json_at m = json_first_name(json_root(&j)); json_exists(m); m = json_next_name(m))
        n = put_member(raw, n, sizeof raw, m, alone);
    json_free(&j);
    table_clean(span_str(raw), out, cap);
}

static void print_line(struct cli *c, const struct event *e, const struct mqtt_publish *m)
{
    char when[16] = "", what[LINE_BYTES];
    time_t now = (time_t)env_wall_s(c->env);
    struct tm tm;
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(when, sizeof when, "%H:%M:%S", &tm);
    bool event = span_is(e->leaf, TOPICS_EVENT);
    describe(m->payload, event ? "event" : "state", what, sizeof what);
    fprintf(c->out, "%s  %s  %s%s\n", when, e->plug, event ? "event: " : "", what);
}

/* One message as an object.  raw: the payload is JSON and stands there as such. */
static int write_message(struct cli *c, const struct mqtt_publish *m, bool raw)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair_int(&j.w, "time", env_wall_s(c->env));
    json_write_name(&j.w, "topic");
    json_write_span(&j.w, m->topic);
    json_write_pair_bool(&j.w, "retained", m->retain);
    json_write_name(&j.w, "payload");
    if (raw)
        json_write_raw(&j.w, m->payload);
    else
        json_write_span(&j.w, m->payload);
    return json_print_end(&j, c->out);
}

/* What is no JSON, or cannot be printed as such, is a string. */
static int print_json(struct cli *c, const struct mqtt_publish *m)
{
    unsigned tokens;
    if (json_check(m->payload, &tokens) == MD_OK && write_message(c, m, true) == MD_OK)
        return MD_OK;
    return write_message(c, m, false);
}

static int print_message(struct cli *c, const struct mqtt_publish *m)
{
    struct event e;
    if (!read_topic(c, m->topic, &e) || !wanted(&e) || m->payload.n == 0)
        return MD_OK;
    if (c->args->json)
        return print_json(c, m);
    print_line(c, &e, m);
    return MD_OK;
}

/* Somebody watches: the plugs are asked for their power more often, for two minutes. */
static int ask_power(struct cli *c)
{
    char topic[TOPICS_MAX];
    topics_of_broker(&c->topics, topic, TOPICS_REQUEST "/power");
    return mqtt_client_publish(c->mqtt, span_str(topic), span_str("{}"));
}

static int follow(struct cli *c)
{
    struct mqtt_publish m;
    int64_t asked = INT64_MIN / 2;
    char filter[TOPICS_MAX];
    (void)snprintf(filter, sizeof filter, "%s/#", c->topics.base);
    int err = mqtt_client_subscribe(c->mqtt, span_str(filter), MQTT_QOS0);
    if (err == MD_DENIED)
        return cli_fail(c, CLI_FAILED, "refused",
                        "the broker does not let this client read %s; give -u and -P", filter);
    while (err == MD_OK || err == MD_TIMEOUT) {
        int64_t now = (int64_t)env_mono_ms(c->env);
        if (now - asked >= WATCH_WAIT_MS) {
            asked = now;
            err = ask_power(c);
        }
        if (err == MD_OK || err == MD_TIMEOUT)
            err = mqtt_client_next(c->mqtt, WATCH_WAIT_MS, &m);
        if (err == MD_OK)
            err = print_message(c, &m);
        if (fflush(c->out) != 0)
            return CLI_FAILED; /* nobody reads any more */
    }
    return cli_fail(c, CLI_FAILED, "connection", "lost the broker: %s. Is it being restarted?",
                    md_err_text(err));
}

int cmd_watch(struct cli *c)
{
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = follow(c);
    cli_close(c);
    return status;
}

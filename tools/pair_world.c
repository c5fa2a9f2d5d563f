#include "tools/pair_world.h"

#include "meross/wire/gateway.h"
#include "tools/bind_probe.h"
#include "tools/file.h"
#include "tools/pair_ask.h"
#include "tools/pair_target.h"
#include "tools/table.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define SLICE_MS 100

const char *pair_world_probe(const struct env *env, const char *host, unsigned port, char *why,
                             size_t cap)
{
    char cause[MQTT_CLIENT_ERR_MAX];
    enum bind_probe r = bind_probe(host, port, env, BIND_PROBE_TIMEOUT_MS, cause, sizeof cause);
    if (r == BIND_PROBE_ANSWERED)
        return NULL;
    (void)snprintf(why, cap, "%s:%u %s", host, port, bind_probe_text(r));
    return why;
}

bool pair_world_first_line(const char *path, char *out, size_t cap, char *why, size_t why_cap)
{
    struct buf text;
    buf_init(&text, 65536);
    int err = file_read(path, &text);
    if (err != MD_OK) {
        (void)snprintf(why, why_cap, "cannot read %.200s: %s", path,
                       err == MD_IO ? strerror(errno) : md_err_text(err));
        buf_wipe(&text);
        return false;
    }
    size_t n = 0;
    while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
        n++;
    bool ok = span_to_str(span_of(text.p, n), out, cap);
    buf_wipe(&text);
    if (!ok)
        (void)snprintf(why, why_cap, "the first line of %.200s is too long", path);
    return ok;
}

/* --- pair_io ---------------------------------------------------------------------------------- */

static bool stopped(void *world)
{
    (void)world;
    return interrupt_came();
}

/* What the plug is told goes out to its end, see pair.h. */
static bool post_stopped(void *world)
{
    const struct pair_world *w = world;
    return w->pair.step != PAIR_BROKER && w->pair.step != PAIR_WIFI && interrupt_came();
}

static enum talk_net post(void *world, struct span request, unsigned timeout_ms,
                          struct http_reader *in)
{
    struct pair_world *w = world;
    return lan_post(&w->post, request, timeout_ms, in);
}

static void pause_for(void *world, unsigned ms)
{
    const struct pair_world *w = world;
    uint64_t end = env_mono_ms(w->c->env) + ms;
    while (env_mono_ms(w->c->env) < end && !interrupt_came())
        (void)poll(NULL, 0, SLICE_MS);
}

static const char *const step_words[PAIR_STEPS] = {[PAIR_PROBE] = "does the broker answer plugs?",
                                                   [PAIR_JOIN] = "find the plug",
                                                   [PAIR_READ] = "what plug is it?",
                                                   [PAIR_NETWORKS] = "which networks does it see?",
                                                   [PAIR_CHOOSE] = "choose its network",
                                                   [PAIR_KEY] = "store its key",
                                                   [PAIR_TIME] = "tell it the time",
                                                   [PAIR_BROKER] = "tell it the broker",
                                                   [PAIR_WIFI] = "tell it the Wi-Fi",
                                                   [PAIR_LEAVE] = "leave its network",
                                                   [PAIR_ARRIVE] = "it comes to the broker",
                                                   [PAIR_BIND] = "it binds",
                                                   [PAIR_READING] = "it is read"};

static void say(void *world, enum pair_step step, enum pair_mark mark, const char *text)
{
    static const char *const signs[] = {
        [PAIR_DONE] = "✓", [PAIR_NOTE] = "!", [PAIR_WAITS] = "…", [PAIR_FAILED] = "✗"};
    static const char *const colours[] = {[PAIR_DONE] = "\033[32m",
                                          [PAIR_NOTE] = "\033[33m",
                                          [PAIR_WAITS] = "\033[2m",
                                          [PAIR_FAILED] = "\033[31m"};
    const struct pair_world *w = world;
    fprintf(w->human, " %s%s%s %s\n", w->coloured ? colours[mark] : "", signs[mark],
            w->coloured ? "\033[0m" : "", mark == PAIR_FAILED ? step_words[step] : text);
    (void)fflush(w->human);
}

static bool io_probe(void *world, char *why, size_t cap)
{
    struct pair_world *w = world;
    return pair_world_probe(w->c->env, w->pair.host, w->pair.port, why, cap) == NULL;
}

static bool io_tell_key(void *world, const struct about *plug, const char *key, const char *name,
                        const char *address, char *why, size_t cap)
{
    struct pair_world *w = world;
    struct pair_arrival known;
    struct pair_told t = {plug->uuid, plug->mac, key, name, address};
    /* A plug that is known keeps its name until it is there: a failure must not rename it. */
    w->rename = name[0] != '\0' && pair_ask_arrival(w->c, plug->uuid, &known) &&
                known.phase != PAIR_UNKNOWN && strcmp(known.name, name) != 0;
    if (w->rename)
        t.name = "";
    return pair_ask_key(w->c, &t, why, cap);
}

static void io_take_back(void *world, const struct about *plug)
{
    struct pair_world *w = world;
    pair_ask_unkey(w->c, plug->uuid);
}

static bool io_arrival(void *world, const char *uuid, struct pair_arrival *out)
{
    struct pair_world *w = world;
    return pair_ask_arrival(w->c, uuid, out);
}

/* --- opening, ending -------------------------------------------------------------------------- */

static int check(struct cli *c)
{
    const struct args *a = c->args;
    if (a->target != NULL && !gateway_host_ok(span_str(a->target)))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "--host takes a name or an address of at most %d characters",
                        GATEWAY_HOST_MAX);
    if (a->target_port == 0)
        return cli_fail(c, CLI_USAGE, "invalid", "--port takes a number from 1 to 65535");
    if (a->timeout_s == 0)
        return cli_fail(c, CLI_USAGE, "invalid", "--timeout takes seconds, from 1 to 3600");
    if (a->name != NULL && !topics_name_ok(span_str(a->name)))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "--name: a name has 1 to %d bytes, none of / + #, nothing invisible, no "
                        "space at its ends, and is not \"%s\"",
                        TOPICS_NAME_MAX, TOPICS_BROKER);
    return CLI_DONE;
}

/* "host", "host:port" or "[v6]:port". */
static bool split_place(struct pair_world *w, const char *at)
{
    const char *colon = strrchr(at, ':'), *first = strchr(at, ':');
    size_t n = strlen(at);
    w->post.port = 80;
    if (colon != NULL && (colon == first || at[0] == '[')) {
        char *end;
        long port = strtol(colon + 1, &end, 10);
        if (colon[1] != '\0' && *end == '\0' && port >= 1 && port <= 65535 && colon[1] >= '0' &&
            colon[1] <= '9') {
            w->post.port = (unsigned)port;
            n = (size_t)(colon - at);
        } else if (at[0] != '[') {
            return false;
        }
    }
    struct span host = span_of(at, n);
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = span_of(host.p + 1, host.n - 2);
    (void)snprintf(w->dialled, sizeof w->dialled, "%s", at);
    return gateway_host_ok(host) && span_to_str(host, w->plug_host, sizeof w->plug_host);
}

static void connect_parts(struct pair_world *w, struct cli *c)
{
    w->io = (struct pair_io){.env = c->env,
                             .ctx = w,
                             .post = post,
                             .stopped = stopped,
                             .pause = pause_for,
                             .say = say,
                             .probe = io_probe,
                             .tell_key = io_tell_key,
                             .take_key_back = io_take_back,
                             .arrival = io_arrival};
    w->post.env = c->env;
    w->post.host = w->plug_host;
    w->post.stopped = post_stopped;
    w->post.ctx = w;
    w->pair.io = &w->io;
    w->pair.talk.host = w->dialled;
    w->pair.timeout_s = c->args->timeout_s > 0 ? (unsigned)c->args->timeout_s : PAIR_TIMEOUT_S;
    w->prompt = (struct prompt){.in = c->in, .out = c->err, .stopped = stopped, .ctx = w};
}

int pair_world_open(struct pair_world *w, struct cli *c, const char *plug_at)
{
    struct hostzone_places places = {NULL, getenv("TZ"), ""};
    char what[HOSTZONE_WHAT_MAX];
    w->c = c;
    w->human = c->args->json ? c->err : c->out;
    w->coloured = table_coloured(w->human);
    w->start_ms = env_mono_ms(c->env);
    interrupt_hold(&w->held);
    connect_parts(w, c);
    int status = check(c);
    if (status == CLI_DONE && !split_place(w, plug_at))
        status = cli_fail(c, CLI_USAGE, "invalid",
                          "\"%.80s\" is no address of a plug; as in 192.168.1.50", plug_at);
    if (status == CLI_DONE)
        status = cli_open(c);
    if (status == CLI_DONE)
        status = pair_target_find(c, w->target, &w->pair.port);
    w->pair.host = w->target;
    if (status == CLI_DONE && hostzone_find(&w->zone, &places, what) == MD_OK)
        w->pair.zone = &w->zone;
    return status;
}

void pair_world_close(struct pair_world *w)
{
    (void)fflush(w->c->out); /* before a signal may end the program */
    cli_close(w->c);
    interrupt_release(&w->held);
}

static int print_result(struct pair_world *w)
{
    struct json_print j;
    const struct pair *p = &w->pair;
    uint64_t seconds = (env_mono_ms(w->c->env) - w->start_ms) / 1000;
    if (!w->c->args->json) {
        fprintf(w->c->out, "%s is ready (LED: steady). %llu s.\n", p->arrival.name,
                (unsigned long long)seconds);
        return CLI_DONE;
    }
    json_print_start(&j);
    json_write_pair(&j.w, "status", "ok");
    json_write_pair(&j.w, "name", p->arrival.name);
    json_write_pair(&j.w, "uuid", p->plug.uuid);
    json_write_pair(&j.w, "mac", p->plug.mac);
    json_write_pair(&j.w, "type", p->plug.type);
    json_write_pair(&j.w, "firmware", p->plug.firmware);
    json_write_pair(&j.w, "address", p->arrival.address);
    json_write_pair_int(&j.w, "seconds", (int64_t)seconds);
    return cli_json_end(w->c, &j);
}

static const char *fault_code(enum pair_fault f)
{
    static const char *const codes[] = {[PAIR_FINE] = "ok",
                                        [PAIR_STOPPED] = "interrupted",
                                        [PAIR_NO_BROKER] = "no_broker",
                                        [PAIR_NO_AP] = "no_plug_found",
                                        [PAIR_NO_PLUG] = "no_plug",
                                        [PAIR_LOST_PLUG] = "plug_lost",
                                        [PAIR_CUT_OFF] = "cut_off",
                                        [PAIR_SEALED] = "closed",
                                        [PAIR_NOT_SETUP] = "not_in_setup",
                                        [PAIR_NO_NETWORKS] = "no_networks",
                                        [PAIR_NOT_SEEN] = "network_not_seen",
                                        [PAIR_UNUSABLE] = "network_unusable",
                                        [PAIR_BAD_PASSWORD] = "bad_password",
                                        [PAIR_NO_CHOICE] = "nothing_chosen",
                                        [PAIR_KEY_REFUSED] = "refused",
                                        [PAIR_BROKER_REFUSED] = "broker_refused",
                                        [PAIR_WIFI_REFUSED] = "wifi_refused",
                                        [PAIR_JOIN_FAILED] = "join_failed",
                                        [PAIR_NOT_ARRIVED] = "not_arrived",
                                        [PAIR_NOT_BOUND] = "not_bound",
                                        [PAIR_OTHER_KEY] = "key",
                                        [PAIR_NOT_READ] = "not_read",
                                        [PAIR_BROKEN] = "internal"};
    return codes[f];
}

static void fill_rename(struct json_writer *j, const void *what)
{
    const struct pair *p = what;
    json_write_pair(j, "plug", p->plug.uuid);
    json_write_pair(j, "name", p->name);
}

static void rename_it(struct pair_world *w)
{
    struct cli_answer answer;
    char why[PAIR_ASK_WHY];
    struct pair_question q = {"rename", fill_rename, &w->pair};
    if (pair_ask_broker(w->c, &q, &answer, why, sizeof why)) {
        cli_answer_free(&answer);
        (void)snprintf(w->pair.arrival.name, sizeof w->pair.arrival.name, "%s", w->pair.name);
    } else {
        say(w, PAIR_READING, PAIR_NOTE, why);
    }
}

int pair_world_result(struct pair_world *w)
{
    const struct pair *p = &w->pair;
    if (p->fault == PAIR_FINE && w->rename)
        rename_it(w);
    if (p->fault == PAIR_FINE)
        return print_result(w);
    bool late =
        p->fault == PAIR_NOT_ARRIVED || p->fault == PAIR_NOT_BOUND || p->fault == PAIR_NOT_READ;
    size_t n = strlen(p->text);
    bool ends = n == 0 || strchr(".?!", p->text[n - 1]) != NULL;
    return cli_fail(w->c, late ? CLI_NO_ANSWER : CLI_FAILED, fault_code(p->fault), "%s%s%s",
                    p->text, ends ? " " : ". ", p->state);
}

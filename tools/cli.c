#include "tools/cli.h"

#include "broker/base/mem.h"
#include "certs/certs.h"
#include "meross/wire/json.h"
#include "tools/config/config.h"
#include "tools/json_cut.h"
#include "tools/table.h"

#include <stdarg.h>
#include <unistd.h>

#define BODY_MAX 8192u

void cli_json_error(struct cli *c, const char *code, const char *text)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair(&j.w, "status", "error");
    json_write_pair(&j.w, "error", text);
    json_write_pair(&j.w, "code", code);
    if (json_print_end(&j, c->out) != MD_OK)
        fputs("{\"status\":\"error\"}\n", c->out);
}

int cli_fail(struct cli *c, int status, const char *code, const char *fmt, ...)
{
    char text[MQTT_CLIENT_ERR_MAX + 512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)snprintf(c->code, sizeof c->code, "%s", code);
    fprintf(c->err, "merossd: %s\n", text);
    if (c->args->json)
        cli_json_error(c, code, text);
    return status;
}

/* --- connecting ---------------------------------------------------------------------------- */

/* TLS needs something to trust: the CA that was named, or that of a broker on this host. */
static int choose_ca(struct cli *c, unsigned port, char *out, size_t cap)
{
    char dir[512];
    struct certs_paths paths;
    if (c->args->ca_file != NULL) {
        (void)snprintf(out, cap, "%s", c->args->ca_file);
        return CLI_DONE;
    }
    if (config_state_dir(NULL, dir, sizeof dir) == MD_OK && certs_locate(dir, &paths) == MD_OK &&
        access(paths.ca, R_OK) == 0) {
        (void)snprintf(out, cap, "%s", paths.ca);
        return CLI_DONE;
    }
    return cli_fail(c, CLI_USAGE, "invalid",
                    "port %u speaks TLS: give --cafile FILE, a copy of the broker's ca.pem "
                    "(`merossd cert` on the broker's host says where it is)",
                    port);
}

static unsigned choose_port(const struct args *a)
{
    if (a->port >= 0)
        return (unsigned)a->port;
    return a->ca_file != NULL ? CONFIG_TLS_PORT : CONFIG_PLAIN_PORT;
}

int cli_open(struct cli *c)
{
    char why[MQTT_CLIENT_ERR_MAX], ca[512];
    const struct args *a = c->args;
    unsigned port = choose_port(a);
    bool tls = a->ca_file != NULL || port == CONFIG_TLS_PORT;
    const char *base = a->topic == NULL ? TOPICS_BASE_DEFAULT : a->topic;
    if (topics_init(&c->topics, base) != MD_OK)
        return cli_fail(c, CLI_USAGE, "invalid",
                        "--topic takes the first levels of a topic, "
                        "without + and #, of at most %d bytes",
                        TOPICS_BASE_MAX);
    int status = tls ? choose_ca(c, port, ca, sizeof ca) : CLI_DONE;
    if (status != CLI_DONE)
        return status;
    struct mqtt_client_config cfg = {.host = a->host == NULL ? "localhost" : a->host,
                                     .port = port,
                                     .ca_file = tls ? ca : NULL,
                                     .username = a->user,
                                     .password = a->password,
                                     .timeout_ms = c->timeout_ms};
    int rc = mqtt_client_open(&c->mqtt, &cfg, c->env, why);
    return rc == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "connection", "%s", why);
}

void cli_close(struct cli *c)
{
    mqtt_client_close(c->mqtt);
    c->mqtt = NULL;
}

/* --- asking -------------------------------------------------------------------------------- */

void cli_answer_free(struct cli_answer *a)
{
    buf_free(&a->text);
    a->data = span_of(NULL, 0);
}

void cli_request_start(struct cli *c, struct json_writer *w, struct buf *body)
{
    uint8_t r[8];
    env_random(c->env, r, sizeof r);
    (void)snprintf(c->transaction, sizeof c->transaction, "%02x%02x%02x%02x%02x%02x%02x%02x", r[0],
                   r[1], r[2], r[3], r[4], r[5], r[6], r[7]);
    buf_init(body, BODY_MAX);
    json_write_start(w, body);
    json_write_open(w, '{');
    json_write_pair(w, "transaction", c->transaction);
}

static int connection_lost(struct cli *c, int err)
{
    return cli_fail(c, CLI_FAILED, "connection", "lost the broker: %s. Its log may say why.",
                    md_err_text(err));
}

static int nobody_answers(struct cli *c)
{
    if (c->plug != NULL)
        return cli_fail(c, CLI_NO_ANSWER, "timeout",
                        "plug %s did not answer within %u s; the broker did, so try again, and if "
                        "that does not help unplug it for ten seconds",
                        c->plug, c->timeout_ms / 1000);
    return cli_fail(c, CLI_NO_ANSWER, "timeout",
                    "the broker is there, but no merossd answered below the topic %s within %u s. "
                    "Is it another broker (-h, -p), or another meross_topic (--topic)?",
                    c->topics.base, c->timeout_ms / 1000);
}

/* Exit statuses for the codes of an error answer; all others are CLI_FAILED. */
static int status_of(const char *code)
{
    if (strcmp(code, "no_such_plug") == 0)
        return CLI_NO_PLUG;
    return strcmp(code, "timeout") == 0 || strcmp(code, "offline") == 0 ? CLI_NO_ANSWER
                                                                        : CLI_FAILED;
}

/* A string member of an answer that may be too long to be parsed as a whole. */
static bool member_text(struct span object, const char *name, char *out, size_t cap)
{
    char wrapped[1024];
    struct span value;
    struct json j;
    out[0] = '\0';
    if (!json_cut_member(object, name, &value) || value.n + 3 > sizeof wrapped)
        return false;
    wrapped[0] = '[';
    memcpy(wrapped + 1, value.p, value.n);
    wrapped[value.n + 1] = ']';
    if (json_parse(&j, span_of(wrapped, value.n + 2)) != MD_OK)
        return false;
    bool ok = json_text(json_first(json_root(&j)), out, cap);
    json_free(&j);
    return ok;
}

static bool is_answer(const struct cli *c, const char *topic, const struct mqtt_publish *m)
{
    char transaction[64];
    return span_is(m->topic, topic) && !m->retain &&
           member_text(m->payload, "transaction", transaction, sizeof transaction) &&
           strcmp(transaction, c->transaction) == 0;
}

static int refused(struct cli *c, struct span payload)
{
    char text[900], clean[900], code[32];
    if (!member_text(payload, "error", text, sizeof text))
        (void)snprintf(text, sizeof text, "the broker refused without a reason");
    if (!member_text(payload, "code", code, sizeof code))
        (void)snprintf(code, sizeof code, "internal");
    table_clean(span_str(text), clean, sizeof clean);
    return cli_fail(c, status_of(code), code, "%s", clean);
}

static int take_answer(struct cli *c, struct span payload, struct cli_answer *out)
{
    char status[16];
    bool good = member_text(payload, "status", status, sizeof status);
    struct cli_answer a = {.queued = good && strcmp(status, "queued") == 0};
    if (!good || (strcmp(status, "ok") != 0 && !a.queued))
        return refused(c, payload);
    buf_init(&a.text, MQTT_CLIENT_PACKET_MAX);
    if (buf_put(&a.text, payload) != MD_OK) {
        cli_answer_free(&a);
        return cli_fail(c, CLI_FAILED, "internal", "out of memory");
    }
    (void)json_cut_member(buf_view(&a.text), "data", &a.data);
    *out = a;
    return CLI_DONE;
}

static int await_answer(struct cli *c, const char *topic, struct cli_answer *out)
{
    struct mqtt_publish m;
    uint64_t end = env_mono_ms(c->env) + c->timeout_ms;
    for (;;) {
        uint64_t now = env_mono_ms(c->env);
        if (now >= end)
            return nobody_answers(c);
        int err = mqtt_client_next(c->mqtt, (unsigned)(end - now), &m);
        if (err == MD_TIMEOUT)
            continue;
        if (err != MD_OK)
            return connection_lost(c, err);
        if (is_answer(c, topic, &m))
            return take_answer(c, m.payload, out);
    }
}

int cli_request(struct cli *c, const char *ask, const char *answer, struct json_writer *w,
                struct buf *body, struct cli_answer *out)
{
    json_write_close(w, '}');
    int err = w->err;
    if (err == MD_OK)
        err = mqtt_client_subscribe(c->mqtt, span_str(answer), MQTT_QOS1);
    if (err == MD_OK)
        err = mqtt_client_publish(c->mqtt, span_str(ask), buf_view(body));
    buf_free(body);
    if (err == MD_DENIED)
        return cli_fail(c, CLI_FAILED, "refused",
                        "the broker does not let this client read %s; give -u and -P", answer);
    return err == MD_OK ? await_answer(c, answer, out) : connection_lost(c, err);
}

int cli_verb(struct cli *c, const char *verb, struct json_writer *w, struct buf *body,
             struct cli_answer *out)
{
    char leaf[40], ask[TOPICS_MAX], reply[TOPICS_MAX];
    (void)snprintf(leaf, sizeof leaf, TOPICS_REQUEST "/%s", verb);
    topics_of_broker(&c->topics, ask, leaf);
    topics_answer(&c->topics, reply, span_str(verb));
    return cli_request(c, ask, reply, w, body, out);
}

int cli_ask(struct cli *c, const char *verb, const char *ref, const char *name,
            struct cli_answer *out)
{
    struct json_writer w;
    struct buf body;
    cli_request_start(c, &w, &body);
    json_write_pair(&w, "plug", ref);
    if (name != NULL)
        json_write_pair(&w, "name", name);
    return cli_verb(c, verb, &w, &body, out);
}

bool cli_member_text(struct json_at from, const char *name, char *out, size_t cap)
{
    char text[256];
    bool ok = json_text(json_get(from, name), text, sizeof text);
    table_clean(span_str(text), out, cap);
    return ok;
}

bool cli_answer_text(const struct cli_answer *a, const char *name, char *out, size_t cap)
{
    char text[256];
    bool ok = member_text(a->data, name, text, sizeof text);
    table_clean(span_str(text), out, cap);
    return ok;
}

int cli_json_end(struct cli *c, struct json_print *j)
{
    int err = json_print_end(j, c->out);
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "internal", "%s", md_err_text(err));
}

int cli_print_json(struct cli *c, struct span json)
{
    int err = json_print(c->out, json);
    if (err == MD_OK)
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "internal", "the broker's answer is no proper JSON");
}

int cli_show(struct cli *c, int (*ask)(struct cli *c, struct cli_answer *out),
             int (*print)(struct cli *c, struct span data))
{
    struct cli_answer answer = {.data = {NULL, 0}};
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = ask(c, &answer);
    if (status == CLI_DONE)
        status = c->args->json ? cli_print_json(c, answer.data) : print(c, answer.data);
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

/* --- plugs --------------------------------------------------------------------------------- */

int cli_list(struct cli *c, struct cli_answer *answer, struct plugs *out)
{
    struct json_writer w;
    struct buf body;
    struct span list;
    cli_request_start(c, &w, &body);
    int status = cli_verb(c, "list", &w, &body, answer);
    if (status != CLI_DONE)
        return status;
    if (json_cut_member(answer->data, "plugs", &list) && plugs_parse(out, list) == MD_OK)
        return CLI_DONE;
    cli_answer_free(answer);
    return cli_fail(c, CLI_FAILED, "internal",
                    "the broker's list makes no sense to this program; are both the same version?");
}

int cli_find(struct cli *c, const struct plugs *all, const char *ref, const struct plug **out)
{
    char names[400], clean[100];
    int err = plugs_find(all, ref, out);
    if (err == MD_OK)
        return CLI_DONE;
    table_clean(span_str(ref), clean, sizeof clean);
    plugs_names(all, err == MD_EXIST ? ref : "", names, sizeof names);
    if (err == MD_EXIST)
        return cli_fail(c, CLI_NO_PLUG, "no_such_plug", "several plugs begin with \"%s\": %s",
                        clean, names);
    if (all->n == 0)
        return cli_fail(c, CLI_NO_PLUG, "no_such_plug",
                        "no plug \"%s\": the broker knows no plug yet. Point one at it, port %u.",
                        clean, CONFIG_TLS_PORT);
    return cli_fail(c, CLI_NO_PLUG, "no_such_plug", "no plug \"%s\". There are: %s", clean, names);
}

/* cmd_switch.c - `merossd on`, `off` and `toggle`. */
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/table.h"

#include <inttypes.h>

/* "ON" of the socket that was meant, or of the whole plug; "" when the answer does not say. */
static void read_state(struct span data, int channel, char *out, size_t cap)
{
    struct json j;
    int64_t n;
    out[0] = '\0';
    if (json_parse(&j, data) != MD_OK)
        return;
    struct json_at state = json_root(&j);
    JSON_EACH(it, json_get(json_root(&j), "channels"))
    {
        if (channel >= 0 && json_int(json_get(it, "channel"), &n) && n == channel)
            state = it;
    }
    (void)json_text(json_get(state, "state"), out, cap);
    json_free(&j);
}

static void report(struct cli *c, const struct plug *p, struct span data, const char *wanted,
                   uint64_t took_ms)
{
    char state[32], clean[32];
    read_state(data, c->args->channel, state, sizeof state);
    table_clean(span_str(state[0] != '\0' ? state : wanted), clean, sizeof clean);
    if (c->args->channel >= 0)
        fprintf(c->out, "%s, socket %d: %s (%" PRIu64 " ms)\n", p->name, c->args->channel, clean,
                took_ms);
    else
        fprintf(c->out, "%s: %s (%" PRIu64 " ms)\n", p->name, clean, took_ms);
}

static int switch_plug(struct cli *c, const struct plug *p, const char *state)
{
    struct json_writer w;
    struct buf body;
    struct cli_answer answer;
    char ask[TOPICS_MAX], reply[TOPICS_MAX];
    topics_of_plug(&c->topics, ask, span_str(p->name), TOPICS_SET);
    topics_of_plug(&c->topics, reply, span_str(p->name), TOPICS_RESPONSE);
    cli_request_start(c, &w, &body);
    json_write_pair(&w, "state", state);
    if (c->args->channel >= 0)
        json_write_pair_int(&w, "channel", c->args->channel);
    if (c->args->when_back)
        json_write_pair_bool(&w, "when_back", true);
    uint64_t start = env_mono_ms(c->env);
    c->plug = p->name;
    int status = cli_request(c, ask, reply, &w, &body, &answer);
    c->plug = NULL;
    if (status != CLI_DONE)
        return status;
    if (c->args->json)
        status = cli_print_json(c, answer.data);
    else if (answer.queued)
        fprintf(c->out,
                "%s is not connected: it gets %s when it is back, within a day, unless merossd "
                "restarts\n",
                p->name, state);
    else
        report(c, p, answer.data, state, env_mono_ms(c->env) - start);
    cli_answer_free(&answer);
    return status;
}

static bool has_channel(const struct plug *p, int channel)
{
    for (unsigned i = 0; i < p->n_channels; i++)
        if (p->channels[i] == (unsigned)channel)
            return true;
    return p->n_channels == 0; /* not known yet: let the broker judge */
}

static int find_and_switch(struct cli *c, const struct plugs *all, const char *state)
{
    const struct plug *p;
    int status = cli_find(c, all, c->args->words[0], &p);
    if (status != CLI_DONE)
        return status;
    if (c->args->channel >= 0 && !has_channel(p, c->args->channel))
        return cli_fail(c, CLI_FAILED, "invalid",
                        "%s has no socket %d; `merossd show %s` lists what it has", p->name,
                        c->args->channel, p->name);
    return switch_plug(c, p, state);
}

static int switch_verb(struct cli *c, const char *state)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    struct plugs all = {NULL, 0};
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = cli_list(c, &answer, &all);
    if (status == CLI_DONE)
        status = find_and_switch(c, &all, state);
    plugs_free(&all);
    cli_answer_free(&answer);
    cli_close(c);
    return status;
}

int cmd_on(struct cli *c) { return switch_verb(c, "ON"); }
int cmd_off(struct cli *c) { return switch_verb(c, "OFF"); }
int cmd_toggle(struct cli *c) { return switch_verb(c, "TOGGLE"); }

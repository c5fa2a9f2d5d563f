#include "tools/order.h"

#include "tools/table.h"

static bool has_channel(const struct plug *p, int channel)
{
    for (unsigned i = 0; i < p->n_channels; i++)
        if (p->channels[i] == (unsigned)channel)
            return true;
    return p->n_channels == 0; /* not known yet: let the broker judge */
}

static int find_part(struct cli *c, const struct plug *p, const char *ref, struct order *o)
{
    char clean[PART_REF_MAX + 1];
    int channel = c->args->channel;
    o->part = (struct part){.channel = channel};
    (void)snprintf(o->plug, sizeof o->plug, "%s", p->name);
    (void)snprintf(o->name, sizeof o->name, "%s", p->name);
    table_clean(span_str(ref), clean, sizeof clean);
    if (ref[0] != '\0' && part_find(&o->part, p->json, ref) != MD_OK)
        return cli_fail(c, CLI_FAILED, "invalid",
                        "%s has nothing called %s; `merossd show %s` lists what it has", p->name,
                        clean, p->name);
    if (channel >= 0 && !has_channel(p, channel))
        return cli_fail(c, CLI_FAILED, "invalid",
                        "%s has no socket %d; `merossd show %s` lists what it has", p->name,
                        channel, p->name);
    if (ref[0] != '\0')
        (void)snprintf(o->name, sizeof o->name, "%s, %s", p->name, clean);
    else if (channel >= 0)
        (void)snprintf(o->name, sizeof o->name, "%s, socket %d", p->name, channel);
    return CLI_DONE;
}

int order_find(struct cli *c, struct order *o)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    struct plugs all = {NULL, 0};
    const struct plug *p;
    char plug[PART_REF_MAX + 1], ref[PART_REF_MAX + 1];
    if (!part_split(c->args->words[0], plug, ref))
        return cli_fail(c, CLI_USAGE, "invalid", "a plug is named as in `kettle` or `strip/lamp`");
    if (ref[0] != '\0' && c->args->channel >= 0)
        return cli_fail(c, CLI_USAGE, "invalid", "either %s or --channel %d, not both",
                        c->args->words[0], c->args->channel);
    int status = cli_list(c, &answer, &all);
    if (status == CLI_DONE)
        status = cli_find(c, &all, plug, &p);
    if (status == CLI_DONE)
        status = find_part(c, p, ref, o);
    plugs_free(&all);
    cli_answer_free(&answer);
    return status;
}

void order_start(struct cli *c, const struct order *o, struct json_writer *w, struct buf *body)
{
    cli_request_start(c, w, body);
    part_write(w, &o->part);
    if (c->args->when_back)
        json_write_pair_bool(w, "when_back", true);
}

static int send(struct cli *c, const struct order *o, struct json_writer *w, struct buf *body,
                struct cli_answer *out)
{
    char ask[TOPICS_MAX], reply[TOPICS_MAX];
    topics_of_plug(&c->topics, ask, span_str(o->plug), TOPICS_SET);
    topics_of_plug(&c->topics, reply, span_str(o->plug), TOPICS_RESPONSE);
    c->plug = o->plug;
    int status = cli_request(c, ask, reply, w, body, out);
    c->plug = NULL;
    return status;
}

int order_give(struct cli *c, const struct order *o, struct json_writer *w, struct buf *body,
               const char *wanted, order_report_cb report)
{
    struct cli_answer answer;
    uint64_t start = env_mono_ms(c->env);
    int status = send(c, o, w, body, &answer);
    if (status != CLI_DONE)
        return status;
    if (c->args->json)
        status = cli_print_json(c, answer.data);
    else if (answer.queued)
        fprintf(c->out,
                "%s is not connected: it %s%s when it is back, within a day, unless merossd "
                "restarts\n",
                o->name, wanted != NULL ? "gets " : "is told", wanted != NULL ? wanted : "");
    else
        report(c, o, answer.data, wanted, env_mono_ms(c->env) - start);
    cli_answer_free(&answer);
    return status;
}

/* control_set.c - set and get: is it an order that makes sense for this plug? */
#include "meross/people/control.h"
#include "meross/people/level.h"
#include "meross/people/request.h"
#include "meross/people/when_back.h"
#include "meross/people/wishes.h"
#include "meross/session/energy.h"

/* The plug that a topic names, or NULL, which has been answered. */
static struct device *find(struct meross *m, const struct answer *a, struct span name)
{
    struct device *d = registry_by_name(m->registry, name);
    if (d != NULL && d->announced)
        return d;
    char text[TOPICS_NAME_MAX + 1];
    (void)span_to_str(name, text, sizeof text);
    answer_error(m, a, ANSWER_NO_SUCH_PLUG,
                 "there is no plug called %s: `merossd list` shows those there are", text);
    return NULL;
}

static bool prepare(struct meross *m, const struct topics_ref *ref, struct request *r)
{
    *r = (struct request){.next = 0};
    if (!topics_name_ok(ref->plug))
        return false; /* nobody can be called so, nor listen there */
    topics_of_plug(&m->topics, r->answer.topic, ref->plug, TOPICS_RESPONSE);
    return true;
}

static void take_transaction(struct answer *a, struct span payload)
{
    struct json json;
    if (json_parse(&json, payload) != MD_OK)
        return;
    answer_take(a, json_root(&json));
    json_free(&json);
}

static bool has_channel(struct device *d, unsigned channel)
{
    return d->n_channels == 0 || device_channel(d, channel) != NULL;
}

static bool switchable(struct meross *m, struct device *d, const struct request *r)
{
    if (d->switches == DEVICE_NO_SWITCH) {
        answer_error(m, &r->answer, ANSWER_UNSUPPORTED, "%s (%s) has nothing to switch on and off",
                     d->name, d->type);
        return false;
    }
    for (unsigned i = 0; i < r->orders.n; i++) {
        if (has_channel(d, r->orders.v[i].channel))
            continue;
        answer_error(m, &r->answer, ANSWER_INVALID,
                     "%s has no channel %u: its channels are %u to %u", d->name,
                     r->orders.v[i].channel, d->channel[0].number,
                     d->channel[d->n_channels - 1].number);
        return false;
    }
    return true;
}

/* One sentence of what a set may be. */
static bool refuse(struct meross *m, const struct device *d, const struct request *r)
{
    answer_error(m, &r->answer, ANSWER_INVALID,
                 "%s got no order it understands: send ON, OFF or TOGGLE, "
                 "{\"state\":\"ON\",\"channel\":0}, "
                 "{\"channels\":[{\"channel\":1,\"state\":\"ON\"}]}, or keys of its state",
                 d->name);
    return false;
}

static enum answer_code code_of(int err)
{
    return err == MD_NOENT   ? ANSWER_UNSUPPORTED
           : err == MD_NOMEM ? ANSWER_INTERNAL
                             : ANSWER_INVALID;
}

/* A slider that is dragged would empty the battery of a valve  (trap 38). */
static bool may_wake(struct meross *m, struct device *d, struct request *r)
{
    for (unsigned i = 0; i < r->steps.n; i++) {
        for (unsigned k = 0; k < d->subs.n; k++) {
            struct subdev *s = &d->subs.v[k];
            if (facts_sub(s->number) != r->steps.v[i].at ||
                subdevs_may_wake(s, env_mono_ms(m->env)))
                continue;
            answer_error(m, &r->answer, ANSWER_BUSY,
                         "%s of %s was given %d orders within a minute, and each costs its "
                         "battery: wait a minute",
                         s->name[0] != '\0' ? s->name : s->id, d->name, SUBDEVS_WAKES);
            family_steps_clear(&r->steps);
            return false;
        }
    }
    return true;
}

/* What it asks for beside relays; false: that has been answered. */
static bool take_wishes(struct meross *m, struct device *d, struct request *r, struct span level,
                        struct json_at root)
{
    char why[WISHES_WHY_MAX];
    bool is_switch = r->orders.n > 0;
    int err = wishes_plan(&r->steps, &r->orders, d, level, root, why);
    if (err != MD_OK)
        answer_error(m, &r->answer, code_of(err), "%s", why);
    else if (r->orders.n == 0 && r->steps.n == 0)
        return is_switch ? switchable(m, d, r) : refuse(m, d, r);
    if (err != MD_OK || !may_wake(m, d, r))
        return false;
    if (r->orders.n == 0 || switchable(m, d, r))
        return true;
    family_steps_clear(&r->steps);
    return false;
}

/* Is it an order that makes sense for d?  False: that has been answered. */
static bool understand(struct meross *m, struct device *d, struct request *r, struct span level,
                       struct span payload)
{
    struct json json = {.n = 0};
    bool is_json = json_parse(&json, payload) == MD_OK;
    struct json_at root = is_json ? json_root(&json) : (struct json_at){NULL, -1};
    bool ok = true;
    if (json_type(root) == JSON_OBJECT && !wishes_switch(root))
        answer_take(&r->answer, root);
    else
        ok = orders_read(&r->orders, level, payload, &r->answer);
    if (!ok)
        (void)refuse(m, d, r);
    else if (!orders_settle(&r->orders, d)) {
        answer_error(m, &r->answer, ANSWER_INVALID,
                     "the order for %s contradicts itself: channel 0 is all of its outlets; leave "
                     "it out",
                     d->name);
        ok = false;
    } else
        ok = take_wishes(m, d, r, level, root);
    json_free(&json);
    return ok;
}

void control_again(struct meross *m, struct device *d, struct span level, struct span payload)
{
    struct request r = {.next = 0};
    topics_of_plug(&m->topics, r.answer.topic, span_str(d->name), TOPICS_RESPONSE);
    bool ok = understand(m, d, &r, level, payload); /* it may have another firmware than before */
    r.answer.has_transaction = false;
    if (ok)
        request_start(m, d, &r);
}

/* Which part of d the topic means; false: that has been answered. */
static bool find_part(struct meross *m, struct device *d, const struct answer *a,
                      const struct level *level, int err)
{
    char part[TOPICS_NAME_MAX + 1];
    if (err == MD_OK)
        return true;
    if (err == MD_INVAL)
        answer_error(m, a, ANSWER_INVALID,
                     "the order for %s names a part, and so does its topic: leave one out",
                     d->name);
    else if (err != MD_NOENT)
        answer_error(m, a, ANSWER_INTERNAL, "%s was not asked: %s", d->name, md_err_text(err));
    else
        answer_error(m, a, ANSWER_INVALID,
                     "%s has no part called %s: `merossd show %s` lists what it has", d->name,
                     span_to_str(level->channel, part, sizeof part) ? part : "that", d->name);
    return false;
}

void control_set(struct meross *m, const struct topics_ref *ref, struct span payload)
{
    struct request r;
    struct level level;
    if (!prepare(m, ref, &r))
        return;
    take_transaction(&r.answer, payload);
    struct device *d = find(m, &r.answer, ref->plug);
    if (d == NULL)
        return;
    int err = level_read(&level, d, ref->part, payload);
    if (find_part(m, d, &r.answer, &level, err) &&
        understand(m, d, &r, level.channel, level.payload)) {
        if (when_back_take(m, d, level.channel, level.payload, &r.answer))
            family_steps_clear(&r.steps);
        else
            request_start(m, d, &r);
    }
    level_free(&level);
}

void control_get(struct meross *m, const struct topics_ref *ref, struct span payload)
{
    struct request r;
    if (!prepare(m, ref, &r))
        return;
    take_transaction(&r.answer, payload);
    struct device *d = find(m, &r.answer, ref->plug);
    if (d == NULL)
        return;
    energy_watch(d->plug);
    request_start(m, d, &r);
}

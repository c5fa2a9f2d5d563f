/* plan.c - from a wish to SETs: who can do that, is the value in range, which payload says so. */
#include "meross/family/family_int.h"

#include "meross/wire/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define PAYLOAD_MAX 1024

__attribute__((format(printf, 2, 3))) static int say(char why[FAMILY_WHY_MAX], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, FAMILY_WHY_MAX, fmt, ap);
    va_end(ap);
    return MD_INVAL;
}

bool family_wishes(const struct family_ask *ask, const char *name)
{
    return facts_get(ask->wish, FACTS_DEVICE, name) != NULL;
}

int64_t family_wish(const struct family_ask *ask, const char *name, unsigned decimals)
{
    const struct fact *it = facts_get(ask->wish, FACTS_DEVICE, name);
    if (it != NULL && it->kind == FACT_BOOL)
        return it->value;
    return facts_value(ask->wish, FACTS_DEVICE, name, decimals, 0);
}

int family_wish_word(const struct family_ask *ask, const char *name, const char *const *words)
{
    const struct fact *it = facts_get(ask->wish, FACTS_DEVICE, name);
    for (int i = 0; it != NULL && words[i] != NULL; i++)
        if (text_eq_nocase(span_str(it->text), span_str(words[i])))
            return i;
    return -1;
}

void family_write_kept(struct json_writer *w, const struct family_ask *ask, const char *member,
                       const char *fact, unsigned decimals)
{
    const struct fact *it = facts_get(ask->wish, FACTS_DEVICE, fact);
    if (it == NULL)
        it = facts_get(&ask->d->facts, ask->at, fact);
    if (it == NULL)
        it = facts_get(&ask->d->facts, FACTS_DEVICE, fact);
    if (it != NULL && it->kind != FACT_TEXT)
        json_write_pair_int(w, member, facts_scaled(it, it->kind == FACT_BOOL ? 0 : decimals));
}

/* --- who can ------------------------------------------------------------------------------- */

static bool has_row(const struct device *d, const struct family_row *row, bool sub)
{
    return row->keys != NULL && (row->by == FAMILY_BY_SUB) == sub && device_has_ability(d, row->ns);
}

static const struct family_key *key_of(const struct device *d, const struct family_row *row,
                                       const char *name)
{
    for (const struct family_key *k = row->keys; k->name != NULL; k++)
        if (strcmp(k->name, name) == 0 && (k->can == NULL || k->can(d)))
            return k;
    return NULL;
}

struct search {
    const struct device *d;
    bool sub;
    const char *name;
    const struct family_row *row;
    const struct family_key *key;
};

static bool look(void *ctx, const struct family_row *row)
{
    struct search *s = ctx;
    s->key = has_row(s->d, row, s->sub) ? key_of(s->d, row, s->name) : NULL;
    s->row = row;
    return s->key == NULL;
}

static bool find(struct search *s)
{
    s->key = NULL;
    family_each(look, s);
    return s->key != NULL;
}

bool family_settable(const struct device *d, bool sub, const char *name)
{
    struct search s = {.d = d, .sub = sub, .name = name};
    return find(&s);
}

static bool look_switch(void *ctx, const struct family_row *row)
{
    struct search *s = ctx;
    s->row =
        has_row(s->d, row, s->sub) && row->switches != NULL && row->switches(s->d) ? row : NULL;
    return s->row == NULL;
}

static const struct family_row *switch_of(const struct device *d, bool sub)
{
    struct search s = {.d = d, .sub = sub};
    family_each(look_switch, &s);
    return s.row;
}

struct listing {
    const struct device *d;
    bool sub;
    char *out;
    size_t cap, n;
};

static void add_name(struct listing *l, const char *name)
{
    int n = snprintf(l->out + l->n, l->cap - l->n, "%s%s", l->n > 0 ? ", " : "", name);
    if (n > 0 && l->n + (size_t)n < l->cap)
        l->n += (size_t)n;
    else
        l->out[l->n] = '\0';
}

static bool list_row(void *ctx, const struct family_row *row)
{
    struct listing *l = ctx;
    if (!has_row(l->d, row, l->sub))
        return true;
    for (const struct family_key *k = row->keys; k->name != NULL; k++)
        if (k->can == NULL || k->can(l->d))
            add_name(l, k->name);
    return true;
}

void family_list_settable(const struct device *d, bool sub, char *out, size_t cap)
{
    struct listing l = {.d = d, .sub = sub, .out = out, .cap = cap};
    out[0] = '\0';
    if (switch_of(d, sub) != NULL || (!sub && d->switches != DEVICE_NO_SWITCH))
        add_name(&l, "state");
    family_each(list_row, &l);
    if (l.n == 0)
        (void)snprintf(out, cap, "nothing");
}

/* --- is it in range ------------------------------------------------------------------------ */

static void write_limit(char out[32], int64_t value, unsigned decimals)
{
    struct facts f = {.n = 0};
    struct json_writer w;
    struct buf b;
    buf_init(&b, 128);
    json_write_start(&w, &b);
    (void)facts_number(&f, FACTS_DEVICE, FACT_TEMPERATURE, value, decimals);
    facts_write(&w, &f, FACTS_DEVICE); /* "temperature":21.5 */
    struct span text = span_skip(buf_view(&b), b.n > 14 ? 14 : b.n);
    (void)span_to_str(text, out, 32);
    buf_free(&b);
    facts_clear(&f);
}

/* A thermostat tells its own limits. */
static int check_number(const struct device *d, uint32_t at, const struct family_key *k,
                        const struct fact *wish, char why[FAMILY_WHY_MAX])
{
    char low[32], high[32];
    if (wish->kind != FACT_NUMBER)
        return say(why, "takes a number as %s", k->name);
    int64_t min = k->min, max = k->max;
    if (strncmp(k->name, FACT_TARGET_TEMPERATURE, strlen(FACT_TARGET_TEMPERATURE)) == 0) {
        min = facts_value(&d->facts, at, FACT_MIN_TEMPERATURE, k->decimals, min);
        max = facts_value(&d->facts, at, FACT_MAX_TEMPERATURE, k->decimals, max);
    }
    int64_t value = facts_scaled(wish, k->decimals);
    if (wish->decimals <= k->decimals && value >= min && value <= max)
        return MD_OK;
    write_limit(low, min, k->decimals);
    write_limit(high, max, k->decimals);
    return say(why, "takes %s from %s to %s%s", k->name, low, high,
               k->decimals == 0 ? ", without a fraction" : "");
}

static int check_text(const struct family_key *k, const struct fact *wish, char why[FAMILY_WHY_MAX])
{
    char list[160] = "";
    size_t n = 0;
    for (int i = 0; k->words != NULL && k->words[i] != NULL; i++) {
        if (strcmp(k->words[i], FAMILY_NO_WORD) == 0)
            continue;
        if (wish->kind == FACT_TEXT && text_eq_nocase(span_str(wish->text), span_str(k->words[i])))
            return MD_OK;
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", k->words[i]);
    }
    if (k->words == NULL && wish->kind == FACT_TEXT)
        return MD_OK;
    return k->words == NULL ? say(why, "takes a text as %s", k->name)
                            : say(why, "takes as %s: %s", k->name, list);
}

/* Words for yes and no are as good as true and false. */
static bool settle_bool(struct fact *wish)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes"};
    for (int i = 0; wish->kind == FACT_TEXT && i < 6; i++) {
        if (text_eq_nocase(span_str(wish->text), span_str(words[i]))) {
            *wish = (struct fact){
                .at = wish->at, .name = wish->name, .kind = FACT_BOOL, .value = i % 2, .text = ""};
            return true;
        }
    }
    if (wish->kind == FACT_NUMBER && wish->decimals == 0 && (wish->value == 0 || wish->value == 1))
        wish->kind = FACT_BOOL;
    return wish->kind == FACT_BOOL;
}

static int check(const struct device *d, uint32_t at, const struct family_key *k, struct fact *wish,
                 char why[FAMILY_WHY_MAX])
{
    int err = MD_OK;
    if (k->kind == FACT_BOOL && !settle_bool(wish))
        err = say(why, "takes on or off as %s", k->name);
    else if (k->kind == FACT_TEXT)
        err = check_text(k, wish, why);
    else if (k->kind == FACT_NUMBER && !(k->or_text && wish->kind == FACT_TEXT))
        err = check_number(d, at, k, wish, why);
    if (err == MD_OK && k->check != NULL && !k->check(d, wish, why))
        err = MD_INVAL;
    return err;
}

/* --- which channel ------------------------------------------------------------------------- */

/* Without a channel in the order: the one that has such a value, if there is only one. */
static int settle_channel(const struct device *d, const struct family_target *target,
                          const char *name, uint32_t *at, char why[FAMILY_WHY_MAX])
{
    unsigned n = 0, lowest = 255, highest = 0;
    *at = target->at;
    if (target->named || target->at >= facts_sub(0))
        return MD_OK;
    for (unsigned i = 0; i < d->facts.n; i++) {
        const struct fact *it = &d->facts.v[i];
        if (it->at < facts_channel(0) || it->at > facts_channel(255) ||
            strcmp(facts_name(it), name) != 0)
            continue;
        unsigned channel = it->at - facts_channel(0);
        *at = it->at;
        n++;
        lowest = channel < lowest ? channel : lowest;
        highest = channel > highest ? channel : highest;
    }
    return n <= 1 ? MD_OK
                  : say(why, "has %s on several channels: say which one, %u to %u", name, lowest,
                        highest);
}

/* --- payloads ------------------------------------------------------------------------------ */

static void write_payload(struct json_writer *w, const struct family_row *row,
                          const struct family_ask *ask)
{
    json_write_open(w, '{');
    if (row->with_type)
        json_write_pair(w, "type", ask->d->type);
    json_write_name(w, row->key);
    if (row->list)
        json_write_open(w, '[');
    json_write_open(w, '{');
    if (ask->sub != NULL)
        json_write_pair(w, "id", ask->sub->id);
    else if (row->by == FAMILY_BY_CHANNEL)
        json_write_pair_int(w, "channel", ask->channel);
    row->write(w, ask);
    json_write_close(w, '}');
    if (row->list)
        json_write_close(w, ']');
    json_write_close(w, '}');
}

static const struct subdev *sub_at(const struct device *d, uint32_t at)
{
    for (unsigned i = 0; i < d->subs.n; i++)
        if (facts_sub(d->subs.v[i].number) == at)
            return &d->subs.v[i];
    return NULL;
}

static int add_step(struct family_steps *steps, const struct family_row *row,
                    const struct family_ask *ask)
{
    if (steps->n == FAMILY_STEPS_MAX)
        return MD_FULL;
    struct family_step *s = &steps->v[steps->n];
    struct json_writer w;
    *s = (struct family_step){.row = row, .ns = row->ns, .at = ask->at};
    buf_init(&s->payload, PAYLOAD_MAX);
    json_write_start(&w, &s->payload);
    write_payload(&w, row, ask);
    if (w.err != MD_OK) {
        buf_free(&s->payload);
        return w.err;
    }
    steps->n++;
    return MD_OK;
}

/* --- all of it ----------------------------------------------------------------------------- */

struct plan {
    struct family_steps *steps;
    struct family_ask ask;
    const struct family_target *target;
    struct facts mine; /* what of the wish one row fulfils */
    bool sub;
    bool switched;
    char *why;
    int err;
};

/* What of the wish is for this row, and on which channel. */
static int collect(struct plan *p, const struct family_row *row, const struct facts *wish)
{
    int err = MD_OK;
    for (unsigned i = 0; i < wish->n && err == MD_OK; i++) {
        const char *name = facts_name(&wish->v[i]);
        const struct family_key *k = key_of(p->ask.d, row, name);
        struct search s = {.d = p->ask.d, .sub = p->sub, .name = name};
        if (k == NULL || !find(&s) || s.row != row)
            continue;
        struct fact it = wish->v[i];
        err = settle_channel(p->ask.d, p->target, name, &p->ask.at, p->why);
        it.at = p->ask.at;
        if (err == MD_OK)
            err = check(p->ask.d, p->ask.at, k, &it, p->why);
        if (err == MD_OK && !facts_copy(&p->mine, FACTS_DEVICE, &it))
            err = MD_NOMEM;
    }
    return err;
}

static bool plan_row(void *ctx, const struct family_row *row)
{
    struct plan *p = ctx;
    const struct facts *wish = p->ask.wish;
    if (!has_row(p->ask.d, row, p->sub))
        return true;
    p->ask.at = p->target->at;
    struct family_ask ask = p->ask;
    bool here = p->ask.on >= 0 && !p->switched && switch_of(p->ask.d, p->sub) == row;
    p->err = collect(p, row, wish);
    if (p->err == MD_OK && (p->mine.n > 0 || here)) {
        ask.at = p->ask.at;
        ask.channel = ask.at >= facts_channel(0) && ask.at <= facts_channel(255)
                          ? ask.at - facts_channel(0)
                          : 0;
        ask.sub = sub_at(ask.d, ask.at);
        ask.wish = &p->mine;
        ask.on = here ? p->ask.on : -1;
        p->err = add_step(p->steps, row, &ask);
        p->switched |= here;
    }
    facts_clear(&p->mine);
    return p->err == MD_OK;
}

static int all_known(const struct plan *p)
{
    char list[200];
    if (family_wishes(&p->ask, FACT_COLOR) && family_wishes(&p->ask, FACT_COLOR_TEMPERATURE))
        return say(p->why, "takes color or color_temperature, not both");
    family_list_settable(p->ask.d, p->sub, list, sizeof list);
    for (unsigned i = 0; i < p->ask.wish->n; i++) {
        const char *name = facts_name(&p->ask.wish->v[i]);
        if (family_settable(p->ask.d, p->sub, name))
            continue;
        (void)say(p->why, "has no %s that can be set; it has: %s", name, list);
        return MD_NOENT;
    }
    if (p->ask.on >= 0 && switch_of(p->ask.d, p->sub) == NULL) {
        (void)say(p->why, "has nothing to switch on and off; it has: %s", list);
        return MD_NOENT;
    }
    return MD_OK;
}

static void cut(struct family_steps *steps, unsigned n)
{
    while (steps->n > n)
        buf_free(&steps->v[--steps->n].payload);
}

/* The wish, and what it cannot do without. */
static int complete(struct facts *out, const struct device *d, uint32_t at,
                    const struct facts *wish)
{
    for (unsigned i = 0; i < wish->n; i++)
        if (!facts_copy(out, FACTS_DEVICE, &wish->v[i]))
            return MD_NOMEM;
    return !family_needs_manual(d, at, wish) || facts_text(out, FACTS_DEVICE, FACT_MODE, "manual")
               ? MD_OK
               : MD_NOMEM;
}

int family_plan(struct family_steps *steps, const struct device *d,
                const struct family_target *target, const struct facts *wish, int on,
                char why[FAMILY_WHY_MAX])
{
    struct facts whole = {.n = 0};
    struct plan p = {.steps = steps,
                     .ask = {.d = d, .at = target->at, .wish = &whole, .on = on},
                     .target = target,
                     .sub = target->at >= facts_sub(0),
                     .why = why};
    unsigned before = steps->n;
    why[0] = '\0';
    p.err = complete(&whole, d, target->at, wish);
    if (p.err == MD_OK)
        p.err = all_known(&p);
    if (p.err == MD_OK)
        family_each(plan_row, &p);
    if (p.err == MD_FULL)
        (void)say(why, "was asked for too much at once");
    else if (p.err == MD_NOMEM)
        (void)say(why, "was not asked: out of memory");
    if (p.err != MD_OK)
        cut(steps, before);
    facts_clear(&whole);
    return p.err;
}

void family_steps_clear(struct family_steps *steps) { cut(steps, 0); }

/* --- afterwards ---------------------------------------------------------------------------- */

static void take_text(struct device *d, const struct family_step *step, struct json_at reply)
{
    struct json asked;
    if (json_parse(&asked, buf_view(&step->payload)) != MD_OK)
        return;
    struct family_at at = {.d = d, .at = step->at};
    if (step->row->acked != NULL)
        step->row->acked(&at, json_root(&asked), reply);
    if (step->row->ack != FAMILY_ACK_WAITS)
        (void)family_take(d, step->ns, json_root(&asked));
    json_free(&asked);
}

void family_acknowledged(struct device *d, const struct family_step *step, struct json_at reply)
{
    take_text(d, step, reply);
    if (step->row->ack == FAMILY_ACK_TELLS)
        (void)family_take(d, step->ns, reply);
}

#include "meross/people/wishes.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME_MAX_BYTES 40

struct wish { /* one object of the order */
    struct device *d;
    struct family_steps *steps;
    struct family_target target;
    bool lenient; /* a state as it was published */
    bool blind;   /* TOGGLE of what does not say whether it is on */
    char *why;
};

__attribute__((format(printf, 2, 3))) static int say(char *why, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, WISHES_WHY_MAX, fmt, ap);
    va_end(ap);
    return MD_INVAL;
}

static struct subdev *sub_of(const struct wish *w)
{
    for (unsigned i = 0; i < w->d->subs.n; i++)
        if (facts_sub(w->d->subs.v[i].number) == w->target.at)
            return &w->d->subs.v[i];
    return NULL;
}

/* "hub, 01008C11" */
static void write_who(const struct wish *w, char out[128])
{
    const struct subdev *s = sub_of(w);
    if (s == NULL)
        (void)snprintf(out, 128, "%s", w->d->name);
    else
        (void)snprintf(out, 128, "%s, %s", w->d->name, s->name[0] != '\0' ? s->name : s->id);
}

/* --- the keys of one object ---------------------------------------------------------------- */

static bool is_frame(const char *name)
{
    static const char *const frame[] = {"state",      "channel",     "channels",  "subdevice",
                                        "subdevices", "transaction", "when_back", "_"};
    for (size_t i = 0; i < sizeof frame / sizeof frame[0]; i++)
        if (strcmp(name, frame[i]) == 0)
            return true;
    return false;
}

static int unknown(const struct wish *w, const char *name)
{
    char list[200], who[128];
    write_who(w, who);
    family_list_settable(w->d, sub_of(w) != NULL, list, sizeof list);
    if (w->d->abilities == NULL)
        (void)say(w->why, "%s has not told yet what it can do: try again in a few seconds", who);
    else
        (void)say(w->why, "%s has no %s that can be set; it has: %s", who, name, list);
    return MD_NOENT;
}

/* Of a published state: is it, the only one in `one`, not worth a SET? */
static bool is_idle(const struct wish *w, const char *name, const struct facts *one)
{
    const struct fact *is = facts_get(&w->d->facts, w->target.at, name);
    if (!family_settable(w->d, sub_of(w) != NULL, name) || strcmp(name, FACT_MOVING) == 0)
        return true;
    if (is == NULL)
        is = facts_get(&w->d->facts, FACTS_DEVICE, name);
    return is != NULL && facts_same(is, &one->v[0]);
}

static int take_key(const struct wish *w, struct json_at object, struct json_at at,
                    struct facts *all)
{
    char name[NAME_MAX_BYTES];
    struct facts one = {.n = 0};
    if (!json_text(at, name, sizeof name))
        return w->lenient ? MD_OK : unknown(w, "such thing");
    if (is_frame(name))
        return MD_OK;
    if (!facts_named(name))
        return w->lenient ? MD_OK : unknown(w, name);
    bool sense = facts_read_one(&one, FACTS_DEVICE, name, json_get(object, name));
    int err = sense && one.n == 0 ? MD_NOMEM : MD_OK;
    if (!sense && !w->lenient)
        err = say(w->why, "%s is a number, a text, true or false", name);
    else if (one.n == 1 && !(w->lenient && is_idle(w, name, &one)) &&
             !facts_copy(all, FACTS_DEVICE, &one.v[0]) &&
             facts_get(all, FACTS_DEVICE, name) == NULL)
        err = MD_NOMEM;
    facts_clear(&one);
    return err;
}

static int plan(const struct wish *w, const struct facts *all, int on)
{
    char reason[FAMILY_WHY_MAX], who[128];
    if (all->n == 0 && on < 0)
        return MD_OK;
    int err = family_plan(w->steps, w->d, &w->target, all, on, reason);
    write_who(w, who);
    if (err == MD_NOENT && w->d->abilities == NULL)
        (void)unknown(w, "");
    else if (err != MD_OK)
        (void)say(w->why, "%s %s", who, reason);
    return err;
}

static int take_object(const struct wish *w, struct json_at object, int on)
{
    struct facts all = {.n = 0};
    int err = MD_OK;
    for (struct json_at n = json_first_name(object); json_exists(n) && err == MD_OK;
         n = json_next_name(n))
        err = take_key(w, object, n, &all);
    if (err == MD_OK)
        err = plan(w, &all, on);
    else if (err == MD_NOMEM)
        (void)say(w->why, "out of memory: try again later");
    facts_clear(&all);
    return err;
}

/* --- on and off ---------------------------------------------------------------------------- */

bool wishes_switch(struct json_at root)
{
    bool any = json_exists(json_get(root, "state"));
    JSON_EACH(it, json_get(root, "channels"))
    any |= json_exists(json_get(it, "state"));
    return any || !json_exists(root);
}

static void settle(struct wish *w, enum want want, int8_t is, int *on)
{
    *on = want == WANT_TOGGLE ? is <= 0 : want == WANT_ON;
    w->blind |= want == WANT_TOGGLE && is < 0;
}

/* What an order says of a channel that has no relay. */
static void on_of_channel(struct wish *w, const struct orders *orders, unsigned channel, int *on)
{
    for (unsigned i = 0; i < orders->n; i++) {
        const struct device_channel *c = device_channel(w->d, channel);
        if (orders->v[i].channel == channel) {
            settle(w, orders->v[i].want, c != NULL ? c->on : -1, on);
            return;
        }
    }
}

/* --- which channel, which sub-device ------------------------------------------------------- */

static bool channel_exists(const struct device *d, unsigned channel)
{
    bool any = d->n_channels > 0;
    for (unsigned i = 0; i < d->n_channels; i++)
        if (d->channel[i].number == channel)
            return true;
    for (unsigned i = 0; i < d->facts.n; i++) {
        uint32_t at = d->facts.v[i].at;
        any |= at >= facts_channel(0) && at <= facts_channel(255);
        if (at == facts_channel(channel))
            return true;
    }
    return !any;
}

/* Of a level of a topic; -1 when it is none, or no channel's. */
static int64_t number_of(struct span level)
{
    int64_t value = level.n > 0 ? 0 : -1;
    for (size_t i = 0; i < level.n && value >= 0; i++) {
        bool digit = level.p[i] >= '0' && level.p[i] <= '9';
        value = digit && value <= UINT8_MAX ? value * 10 + (level.p[i] - '0') : -1;
    }
    return value;
}

/* The channel of the topic or of the object; the lowest when neither names one. */
static int find_channel(struct wish *w, struct span level, struct json_at object, unsigned *channel)
{
    int64_t value = w->d->n_channels > 0 ? w->d->channel[0].number : 0;
    struct json_at named = json_get(object, "channel");
    w->target.named = level.p != NULL || json_exists(named);
    if (level.p != NULL) {
        value = number_of(level);
    } else if (json_exists(named) && !json_int(named, &value)) {
        value = -1;
    }
    if (value < 0 || value > UINT8_MAX ||
        (w->target.named && !channel_exists(w->d, (unsigned)value)))
        return say(w->why, "%s has no such channel: `merossd show` lists what it has", w->d->name);
    *channel = (unsigned)value;
    w->target.at = facts_channel(*channel);
    return MD_OK;
}

static int find_sub(struct wish *w, struct json_at ref, struct subdev **out)
{
    char text[SUBDEVS_ID_MAX + 1];
    *out = json_text(ref, text, sizeof text) ? subdevs_named(&w->d->subs, span_str(text)) : NULL;
    if (*out == NULL)
        return say(w->why, "%s has no sub-device called %s: `merossd show` lists what it has",
                   w->d->name, text[0] != '\0' ? text : "that");
    w->target = (struct family_target){.at = facts_sub((*out)->number), .named = true};
    return MD_OK;
}

/* --- all of it ----------------------------------------------------------------------------- */

static int take_sub(struct wish *w, struct orders *orders, struct json_at root)
{
    struct subdev *s;
    int on = -1, err = find_sub(w, json_get(root, "subdevice"), &s);
    if (err == MD_OK && orders->n > 0)
        settle(w, orders->v[0].want, s->on, &on);
    orders->n = 0;
    return err == MD_OK ? take_object(w, root, on) : err;
}

/* Channels whose relay, or what takes its place, is not asked for in an object of their own. */
static int take_channel(struct wish *w, const struct orders *orders, struct span level,
                        struct json_at object)
{
    unsigned channel = 0;
    int on = -1, err = find_channel(w, level, object, &channel);
    if (err == MD_OK && w->d->switches == DEVICE_NO_SWITCH)
        on_of_channel(w, orders, channel, &on);
    return err == MD_OK ? take_object(w, object, on) : err;
}

static int take_published(struct wish *w, const struct orders *orders, struct json_at root)
{
    static const struct orders none = {.n = 0};
    struct subdev *s;
    w->lenient = true;
    int err = take_channel(w, &none, span_of(NULL, 0), root);
    JSON_EACH(it, json_get(root, "channels"))
    {
        if (err == MD_OK)
            err = take_channel(w, orders, span_of(NULL, 0), it);
    }
    JSON_EACH(it, json_get(root, "subdevices"))
    {
        if (err == MD_OK && find_sub(w, json_get(it, "id"), &s) == MD_OK)
            err = take_object(w, it, -1);
    }
    return err;
}

int wishes_plan(struct family_steps *steps, struct orders *orders, struct device *d,
                struct span level, struct json_at root, char why[WISHES_WHY_MAX])
{
    struct wish w = {.d = d, .steps = steps, .why = why};
    int err;
    why[0] = '\0';
    if (json_exists(json_get(root, "subdevice")))
        err = take_sub(&w, orders, root);
    else if (json_exists(json_get(root, "channels")) || json_exists(json_get(root, "subdevices")))
        err = take_published(&w, orders, root);
    else
        err = take_channel(&w, orders, level, root);
    if (err == MD_OK && w.blind) { /* it could be switched, or the plan would have said so */
        (void)say(why, "%s does not say whether it is on: send ON or OFF", d->name);
        err = MD_NOENT;
    }
    if (d->switches == DEVICE_NO_SWITCH)
        orders->n = 0;
    if (err != MD_OK)
        family_steps_clear(steps);
    return err;
}

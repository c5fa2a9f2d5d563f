#include "meross/people/orders.h"

#include "meross/wire/text.h"

static bool read_word(struct span word, enum want *out)
{
    static const char *const words[] = {"OFF", "ON", "TOGGLE"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_eq_nocase(word, span_str(words[i]))) {
            *out = (enum want)i;
            return true;
        }
    }
    return false;
}

/* "<base>/<plug>/<channel>/set" */
static bool read_level(struct span level, unsigned *channel)
{
    unsigned value = 0;
    for (size_t i = 0; i < level.n; i++) {
        if (level.p[i] < '0' || level.p[i] > '9' || value > UINT8_MAX)
            return false;
        value = value * 10 + (unsigned)(level.p[i] - '0');
    }
    *channel = value;
    return level.n > 0 && value <= UINT8_MAX;
}

static bool read_state(struct json_at at, enum want *out)
{
    char word[16];
    return json_text(json_get(at, "state"), word, sizeof word) && read_word(span_str(word), out);
}

static bool read_channel(struct json_at at, unsigned *out)
{
    int64_t value;
    if (!json_int(json_get(at, "channel"), &value) || value < 0 || value > UINT8_MAX)
        return false;
    *out = (unsigned)value;
    return true;
}

static bool named(const struct orders *o, unsigned channel)
{
    for (unsigned i = 0; i < o->n; i++)
        if (o->v[i].channel == channel)
            return true;
    return false;
}

static bool read_list(struct json_at list, struct orders *out)
{
    out->n = 0;
    JSON_EACH(it, list)
    {
        struct order o;
        if (out->n == DEVICE_CHANNELS_MAX || !read_channel(it, &o.channel) ||
            !read_state(it, &o.want) || named(out, o.channel))
            return false;
        out->v[out->n++] = o;
    }
    return out->n > 0;
}

/* "state" beside "channels" is that of the lowest channel, as in the state topic. */
static bool read_many(struct json_at root, struct orders *out)
{
    enum want whole;
    if (json_exists(json_get(root, "channel")) || !read_list(json_get(root, "channels"), out))
        return false;
    if (!json_exists(json_get(root, "state")))
        return true;
    const struct order *lowest = &out->v[0];
    for (unsigned i = 1; i < out->n; i++)
        if (out->v[i].channel < lowest->channel)
            lowest = &out->v[i];
    return read_state(root, &whole) && whole == lowest->want;
}

/* one->channel is that of the topic, when it has one; the two may not contradict each other. */
static bool read_one(struct json_at root, bool has_level, struct order *one)
{
    unsigned channel = one->channel;
    if (json_exists(json_get(root, "channel")) &&
        (!read_channel(root, &channel) || (has_level && channel != one->channel)))
        return false;
    one->channel = channel;
    return read_state(root, &one->want);
}

static bool read_json(struct orders *out, bool has_level, struct span text, struct answer *a)
{
    struct json json;
    if (json_parse(&json, text) != MD_OK)
        return false;
    struct json_at root = json_root(&json);
    bool many = json_exists(json_get(root, "channels"));
    answer_take(a, root);
    bool ok = many ? !has_level && read_many(root, out) : read_one(root, has_level, &out->v[0]);
    json_free(&json);
    return ok;
}

bool orders_read(struct orders *out, struct span level, struct span payload, struct answer *a)
{
    bool has_level = level.p != NULL;
    struct span text = text_trim(payload);
    *out = (struct orders){.n = 1};
    bool ok = !has_level || read_level(level, &out->v[0].channel);
    if (span_starts(text, "{"))
        return read_json(out, has_level, text, a) && ok;
    return read_word(text, &out->v[0].want) && ok;
}

static bool names_all(const struct orders *o, const struct device *d)
{
    for (unsigned i = 0; i < d->n_channels; i++)
        if (!named(o, d->channel[i].number))
            return false;
    return true;
}

bool orders_settle(struct orders *o, const struct device *d)
{
    unsigned master = o->n, same = 0, toggles = 0;
    for (unsigned i = 0; i < o->n; i++)
        if (o->v[i].channel == 0)
            master = i;
    if (master == o->n || o->n == 1)
        return true;
    enum want want = o->v[master].want;
    for (unsigned i = 0; i < o->n; i++) {
        same += o->v[i].want == want;
        toggles += o->v[i].want == WANT_TOGGLE;
    }
    if (toggles > 0 || same == 1)
        return false;
    if (same == o->n)
        return true;
    if (!names_all(o, d))
        return false;
    o->n--;
    for (unsigned i = master; i < o->n; i++)
        o->v[i] = o->v[i + 1];
    return true;
}

bool orders_resolve(struct orders *o, struct device *d)
{
    for (unsigned i = 0; i < o->n; i++) {
        if (o->v[i].want != WANT_TOGGLE)
            continue;
        int now = device_expected(d, o->v[i].channel);
        if (now < 0)
            return false;
        o->v[i].want = now == 1 ? WANT_OFF : WANT_ON;
    }
    return true;
}

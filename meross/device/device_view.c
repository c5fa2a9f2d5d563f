/* device_view.c - a device as people see it: the state topic, and the entry in the list of plugs. */
#include "meross/device/device.h"
#include "meross/device/device_parts.h"

static const char *on_off(int on) { return on ? "ON" : "OFF"; }

/* The numbers of all channels that have a relay or a fact, ascending. */
struct numbers {
    unsigned n;
    uint8_t v[256];
};

static void list_channels(const struct device *d, struct numbers *out)
{
    bool has[256] = {false};
    for (unsigned i = 0; i < d->n_channels; i++)
        has[d->channel[i].number] = true;
    for (unsigned i = 0; i < d->facts.n; i++)
        if (d->facts.v[i].at >= facts_channel(0) && d->facts.v[i].at <= facts_channel(255))
            has[d->facts.v[i].at - facts_channel(0)] = true;
    out->n = 0;
    for (unsigned i = 0; i < 256; i++)
        if (has[i])
            out->v[out->n++] = (uint8_t)i;
}

static const struct device_channel *relay(const struct device *d, unsigned number)
{
    for (unsigned i = 0; i < d->n_channels; i++)
        if (d->channel[i].number == number)
            return &d->channel[i];
    return NULL;
}

static void write_channel(struct json_writer *w, const struct device *d, unsigned number,
                          bool facts)
{
    const struct device_channel *c = relay(d, number);
    json_write_open(w, '{');
    json_write_pair_int(w, "channel", number);
    if (c != NULL && c->on >= 0)
        json_write_pair(w, "state", on_off(c->on));
    if (facts)
        facts_write(w, &d->facts, facts_channel(number));
    json_write_close(w, '}');
}

/* With one channel its facts stand on top, and it is in the list for its relay only. */
static void write_channels(struct json_writer *w, const struct device *d, const struct numbers *all)
{
    json_write_name(w, "channels");
    json_write_open(w, '[');
    for (unsigned i = 0; i < all->n; i++)
        if (all->n > 1 || d->n_channels > 0)
            write_channel(w, d, all->v[i], all->n > 1);
    json_write_close(w, ']');
}

static void write_subs(struct json_writer *w, const struct device *d)
{
    json_write_name(w, "subdevices");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->subs.n; i++) {
        const struct subdev *s = &d->subs.v[i];
        json_write_open(w, '{');
        json_write_pair(w, "id", s->id);
        if (s->name[0] != '\0')
            json_write_pair(w, "name", s->name);
        json_write_pair(w, "type", s->type);
        if (s->online >= 0)
            json_write_pair_bool(w, "online", s->online == 1);
        if (s->on >= 0)
            json_write_pair(w, "state", on_off(s->on));
        facts_write(w, &d->facts, facts_sub(s->number));
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
}

void device_write_state(struct json_writer *w, const struct device *d)
{
    struct numbers all;
    list_channels(d, &all);
    json_write_open(w, '{');
    if (d->n_channels > 0 && d->channel[0].on >= 0)
        json_write_pair(w, "state", on_off(d->channel[0].on));
    if (all.n == 1)
        facts_write(w, &d->facts, facts_channel(all.v[0]));
    facts_write(w, &d->facts, FACTS_DEVICE);
    write_channels(w, d, &all);
    if (d->subs.n > 0)
        write_subs(w, d);
    json_write_close(w, '}');
}

void device_write_abilities(struct json_writer *w, const struct device *d)
{
    json_write_name(w, "abilities");
    json_write_open(w, '[');
    const char *line = d->abilities;
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        json_write_span(w, span_of(line, (size_t)(end - line)));
        line = end + 1;
    }
    json_write_close(w, ']');
}

void device_write_identity(struct json_writer *w, const struct device *d)
{
    json_write_pair(w, "name", d->name);
    json_write_pair(w, "uuid", d->uuid);
    json_write_pair(w, "mac", d->mac);
    json_write_pair(w, "type", d->type);
    json_write_pair(w, "hardware", d->hardware);
    json_write_pair(w, "firmware", d->firmware);
    json_write_pair(w, "chip", d->chip);
    json_write_pair(w, "address", d->address);
}

/* The version and the suite of its newest connection; nothing when there was none, or in clear. */
static void write_tls(struct json_writer *w, const struct device *d)
{
    const struct timeline_session *s = timeline_at(&d->health.timeline, 0);
    if (s != NULL && s->cipher[0] != '\0')
        json_write_pair(w, "tls", s->cipher);
}

void device_write_public(struct json_writer *w, const struct device *d, enum device_view view)
{
    struct numbers all;
    list_channels(d, &all);
    json_write_open(w, '{');
    device_write_identity(w, d);
    json_write_pair_bool(w, "online", d->online);
    json_write_pair_bool(w, "bound", d->bound);
    json_write_pair_int(w, "last_seen", d->last_seen);
    json_write_pair(w, "key", device_key_name(d->key));
    json_write_pair_int(w, "user_id", d->user_id);
    json_write_name(w, "channels");
    json_write_open(w, '[');
    for (unsigned i = 0; i < all.n; i++)
        json_write_int(w, all.v[i]);
    json_write_close(w, ']');
    json_write_pair(w, "switch", device_switch_name(d->switches));
    if (view == DEVICE_ALL && d->health.hello != NULL)
        json_write_pair(w, "hello", d->health.hello);
    if (view == DEVICE_ALL)
        write_tls(w, d);
    if (view == DEVICE_ALL)
        device_write_abilities(w, d);
    if (view >= DEVICE_WITH_STATE) {
        json_write_name(w, "state");
        device_write_state(w, d);
    }
    json_write_close(w, '}');
}

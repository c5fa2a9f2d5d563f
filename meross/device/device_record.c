/* device_record.c - a device on disk: a JSON object. */
#include "meross/device/device.h"
#include "meross/device/device_parts.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"

static void write_channels(struct json_writer *w, const struct device *d)
{
    json_write_name(w, "channels");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->n_channels; i++) {
        json_write_open(w, '{');
        json_write_pair_int(w, "channel", d->channel[i].number);
        if (d->channel[i].on >= 0)
            json_write_pair(w, "state", d->channel[i].on ? "ON" : "OFF");
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
}

/* {"facts":{...},"channel_facts":[{"channel":0,...}]}: facts are sorted by what they are about. */
static void write_facts(struct json_writer *w, const struct device *d)
{
    uint32_t last = FACTS_DEVICE;
    json_write_name(w, "facts");
    json_write_open(w, '{');
    facts_write_kept(w, &d->facts, FACTS_DEVICE);
    json_write_close(w, '}');
    json_write_name(w, "channel_facts");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->facts.n; i++) {
        uint32_t at = d->facts.v[i].at;
        if (at == last || at > facts_channel(255))
            continue;
        json_write_open(w, '{');
        json_write_pair_int(w, "channel", at - facts_channel(0));
        facts_write_kept(w, &d->facts, at);
        json_write_close(w, '}');
        last = at;
    }
    json_write_close(w, ']');
}

static void write_subs(struct json_writer *w, const struct device *d)
{
    if (d->subs.n == 0)
        return;
    json_write_name(w, "subdevices");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->subs.n; i++) {
        const struct subdev *s = &d->subs.v[i];
        json_write_open(w, '{');
        json_write_pair(w, "id", s->id);
        json_write_pair(w, "label", s->name);
        json_write_pair(w, "type", s->type);
        json_write_pair_int(w, "online", s->online);
        json_write_pair_int(w, "on", s->on);
        facts_write_kept(w, &d->facts, facts_sub(s->number));
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
}

void device_write_record(struct json_writer *w, const struct device *d)
{
    json_write_open(w, '{');
    json_write_pair_int(w, "format", 1);
    device_write_identity(w, d);
    json_write_pair_bool(w, "nameless", d->nameless);
    json_write_pair_bool(w, "bound", d->bound);
    json_write_pair_int(w, "last_seen", d->last_seen);
    json_write_pair(w, "key", device_key_name(d->key));
    device_write_keys(w, d);
    json_write_pair_int(w, "user_id", d->user_id);
    json_write_pair(w, "switch", device_switch_name(d->switches));
    json_write_pair(w, "ability_firmware", d->ability_firmware);
    json_write_pair_int(w, "light_capacity", d->light_capacity);
    json_write_pair_int(w, "led_wish", d->led_wish);
    json_write_pair_int(w, "max_commands", d->max_commands);
    json_write_pair_int(w, "battery_s", d->battery_s);
    health_write_record(w, &d->health);
    if (d->abilities != NULL)
        device_write_abilities(w, d);
    write_channels(w, d);
    write_facts(w, d);
    write_subs(w, d);
    json_write_close(w, '}');
}

static unsigned index_of(struct json_at v, const char *(*name)(unsigned), unsigned n)
{
    char text[16];
    (void)json_text(v, text, sizeof text);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(text, name(i)) == 0)
            return i;
    return 0;
}

static const char *key_at(unsigned i) { return device_key_name((enum device_key)i); }
static const char *switch_at(unsigned i) { return device_switch_name((enum device_switch)i); }

static bool is_true(struct json_at v)
{
    int64_t value = 0;
    return json_int(v, &value) && value != 0;
}

static void read_channels(struct device *d, struct json_at channels)
{
    JSON_EACH(it, channels)
    {
        int64_t number;
        char text[8];
        if (!json_int(json_get(it, "channel"), &number) || number < 0 || number > UINT8_MAX)
            continue;
        struct device_channel *c = device_channel_add(d, (unsigned)number);
        if (c != NULL && json_text(json_get(it, "state"), text, sizeof text))
            c->on = strcmp(text, "ON") == 0;
    }
}

static void read_channel_facts(struct device *d, struct json_at list)
{
    JSON_EACH(it, list)
    {
        int64_t number;
        if (json_int(json_get(it, "channel"), &number) && number >= 0 && number <= UINT8_MAX)
            facts_read(&d->facts, facts_channel((unsigned)number), it);
    }
}

static int8_t maybe(struct json_at v)
{
    int64_t value;
    return json_int(v, &value) && (value == 0 || value == 1) ? (int8_t)value : -1;
}

static void read_subs(struct device *d, struct json_at list)
{
    JSON_EACH(it, list)
    {
        char id[SUBDEVS_ID_MAX + 1];
        struct subdev *s =
            json_text(json_get(it, "id"), id, sizeof id) ? subdevs_add(&d->subs, id) : NULL;
        if (s == NULL)
            continue;
        (void)json_text(json_get(it, "label"), s->name, sizeof s->name);
        (void)json_text(json_get(it, "type"), s->type, sizeof s->type);
        s->online = maybe(json_get(it, "online"));
        s->on = maybe(json_get(it, "on"));
        facts_read(&d->facts, facts_sub(s->number), it);
    }
}

static void read_facts(struct device *d, struct json_at r)
{
    facts_read(&d->facts, FACTS_DEVICE, json_get(r, "facts"));
    read_channel_facts(d, json_get(r, "channel_facts"));
    read_subs(d, json_get(r, "subdevices"));
    d->facts.unsaved = false;
    for (unsigned i = 0; i < d->facts.n; i++)
        d->facts.v[i].news = FACT_OLD;
}

static void read_identity(struct device *d, struct json_at r)
{
    (void)device_set_text(d->name, sizeof d->name, json_get(r, "name"));
    (void)device_set_text(d->uuid, sizeof d->uuid, json_get(r, "uuid"));
    (void)device_set_text(d->mac, sizeof d->mac, json_get(r, "mac"));
    (void)device_set_text(d->type, sizeof d->type, json_get(r, "type"));
    (void)device_set_text(d->hardware, sizeof d->hardware, json_get(r, "hardware"));
    (void)device_set_text(d->firmware, sizeof d->firmware, json_get(r, "firmware"));
    (void)device_set_text(d->chip, sizeof d->chip, json_get(r, "chip"));
    (void)device_set_text(d->address, sizeof d->address, json_get(r, "address"));
    (void)device_set_text(d->ability_firmware, sizeof d->ability_firmware,
                          json_get(r, "ability_firmware"));
}

static int read_members(struct device *d, struct json_at r)
{
    int64_t format = 0;
    if (!json_int(json_get(r, "format"), &format) || format != 1)
        return MD_CORRUPT;
    read_identity(d, r);
    if (!text_is_uuid(span_str(d->uuid)) || !text_is_mac(span_str(d->mac)))
        return MD_CORRUPT;
    d->nameless = is_true(json_get(r, "nameless"));
    d->bound = is_true(json_get(r, "bound"));
    (void)json_int(json_get(r, "last_seen"), &d->last_seen);
    (void)json_int(json_get(r, "user_id"), &d->user_id);
    (void)json_int(json_get(r, "battery_s"), &d->battery_s);
    d->saved_seen = d->last_seen;
    d->key = (enum device_key)index_of(json_get(r, "key"), key_at, DEVICE_KEYS);
    d->switches = (enum device_switch)index_of(json_get(r, "switch"), switch_at, DEVICE_SWITCHES);
    health_read_record(&d->health, r);
    read_channels(d, json_get(r, "channels"));
    read_facts(d, r);
    d->led_wish = device_small_number(json_get(r, "led_wish"));
    d->light_capacity = device_small_number(json_get(r, "light_capacity"));
    d->max_commands = device_small_number(json_get(r, "max_commands"));
    int err = device_read_keys(d, r);
    if (err == MD_OK)
        err = device_read_abilities(d, json_get(r, "abilities"));
    if (device_hides_relays(d)) /* which was not known always */
        d->switches = DEVICE_NO_SWITCH;
    /* Of before it was kept: the abilities are read again. */
    if ((d->max_commands == 0 && device_has_ability(d, NS_MULTIPLE)) ||
        (d->light_capacity == 0 && device_has_ability(d, NS_LIGHT)))
        d->ability_firmware[0] = '\0';
    return err;
}

int device_read_record(struct device *d, struct span record)
{
    struct json json;
    int err = json_parse(&json, record);
    if (err != MD_OK)
        return err == MD_NOMEM ? MD_NOMEM : MD_CORRUPT;
    err = read_members(d, json_root(&json));
    json_free(&json);
    return err;
}

#include "meross/device/device.h"

#include "broker/base/mem.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/sign.h"
#include "meross/wire/text.h"

#include <stdlib.h>

#define ABILITY_MAX 80 /* bytes of one name */

const char *device_key_name(enum device_key k)
{
    static const char *const names[DEVICE_KEYS] = {"unknown", "configured", "empty", "default",
                                                   "own"};
    return names[k];
}

const char *device_switch_name(enum device_switch s)
{
    static const char *const names[DEVICE_SWITCHES] = {"togglex", "toggle", "none"};
    return names[s];
}

static void drop_key(char **key)
{
    if (*key != NULL)
        mem_wipe(*key, strlen(*key));
    mem_free(*key);
    *key = NULL;
}

int device_expect_key(struct device *d, const char *key)
{
    bool first = d->own_key == NULL && d->key == DEVICE_KEY_UNKNOWN && d->expected;
    if (d->own_key != NULL && strcmp(d->own_key, key) == 0) {
        d->dirty |= d->pending_key != NULL;
        drop_key(&d->pending_key);
        return MD_OK;
    }
    char *copy = mem_strdup(key);
    if (copy == NULL)
        return MD_NOMEM;
    char **slot = first ? &d->own_key : &d->pending_key;
    drop_key(slot);
    *slot = copy;
    if (first)
        d->key = DEVICE_KEY_OWN;
    d->dirty = true;
    return MD_OK;
}

void device_key_shown(struct device *d)
{
    drop_key(&d->own_key);
    d->own_key = d->pending_key;
    d->pending_key = NULL;
    d->dirty = true;
}

static bool printable(const char *s)
{
    for (struct span rest = span_str(s); rest.n > 0;) {
        uint32_t cp = text_next(&rest);
        if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
            return false;
    }
    return true;
}

bool device_set_text(char *member, size_t cap, struct json_at v)
{
    char text[DEVICE_ADDRESS_MAX + 1];
    size_t max = cap < sizeof text ? cap : sizeof text;
    if (!json_text(v, text, max) || text[0] == '\0' || !printable(text) ||
        strcmp(text, member) == 0)
        return false;
    memcpy(member, text, strlen(text) + 1);
    return true;
}

struct device_channel *device_channel(struct device *d, unsigned number)
{
    for (unsigned i = 0; i < d->n_channels; i++)
        if (d->channel[i].number == number)
            return &d->channel[i];
    return NULL;
}

struct device_channel *device_channel_add(struct device *d, unsigned number)
{
    struct device_channel *c = device_channel(d, number);
    if (c != NULL || d->n_channels == DEVICE_CHANNELS_MAX || number > UINT8_MAX)
        return c;
    unsigned i = d->n_channels++; /* ascending: the first is the one people mean */
    for (; i > 0 && d->channel[i - 1].number > number; i--)
        d->channel[i] = d->channel[i - 1];
    d->channel[i] = (struct device_channel){.number = (uint8_t)number, .on = -1};
    return &d->channel[i];
}

int device_expected(struct device *d, unsigned number)
{
    const struct device_channel *c = device_channel(d, number);
    if (c == NULL)
        return -1;
    return c->asks > 0 ? c->wanted : c->on;
}

bool device_has_ability(const struct device *d, const char *ability)
{
    size_t n = strlen(ability);
    const char *line = d->abilities;
    while (line != NULL && *line != '\0') {
        if (strncmp(line, ability, n) == 0 && line[n] == '\n')
            return true;
        line = strchr(line, '\n') + 1;
    }
    return false;
}

/* Abilities of the relay decide how it is switched. */
static void choose_switch(struct device *d)
{
    if (device_has_ability(d, NS_TOGGLEX))
        d->switches = DEVICE_TOGGLEX;
    else if (device_has_ability(d, NS_TOGGLE))
        d->switches = DEVICE_TOGGLE;
    else
        d->switches = DEVICE_NO_SWITCH;
}

static int put_ability(struct buf *list, const char *name)
{
    if (name[0] == '\0' || !printable(name) || list->n + strlen(name) + 2 > DEVICE_ABILITIES_MAX)
        return MD_OK;
    int err = buf_put_str(list, name);
    return err == MD_OK ? buf_put_str(list, "\n") : err;
}

/* Takes the list over from the buf. */
static int keep_abilities(struct device *d, struct buf *list)
{
    int err = buf_put(list, span_of("", 1));
    if (err != MD_OK)
        return err;
    mem_free(d->abilities);
    d->abilities = (char *)list->p;
    buf_init(list, DEVICE_ABILITIES_MAX);
    choose_switch(d);
    return MD_OK;
}

int device_set_abilities(struct device *d, struct json_at ability)
{
    struct buf list;
    int err = json_type(ability) == JSON_OBJECT ? MD_OK : MD_INVAL;
    buf_init(&list, DEVICE_ABILITIES_MAX);
    for (struct json_at n = json_first_name(ability); err == MD_OK && json_exists(n);
         n = json_next_name(n)) {
        char name[ABILITY_MAX];
        if (json_text(n, name, sizeof name))
            err = put_ability(&list, name);
    }
    if (err == MD_OK)
        err = keep_abilities(d, &list);
    buf_free(&list);
    if (err == MD_OK)
        memcpy(d->ability_firmware, d->firmware, sizeof d->ability_firmware);
    return err;
}

unsigned device_major(const struct device *d)
{
    unsigned long major = strtoul(d->firmware, NULL, 10);
    return major < 1000 ? (unsigned)major : 0;
}

void device_clear(struct device *d)
{
    mem_free(d->abilities);
    d->abilities = NULL;
    buf_free(&d->state);
    drop_key(&d->own_key);
    drop_key(&d->pending_key);
    askers_clear(&d->askers);
}

static const char *on_off(int on) { return on ? "ON" : "OFF"; }

static void write_channels(struct json_writer *w, const struct device *d)
{
    json_write_name(w, "channels");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->n_channels; i++) {
        json_write_open(w, '{');
        json_write_pair_int(w, "channel", d->channel[i].number);
        if (d->channel[i].on >= 0)
            json_write_pair(w, "state", on_off(d->channel[i].on));
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
}

void device_write_state(struct json_writer *w, const struct device *d)
{
    json_write_open(w, '{');
    if (d->n_channels > 0 && d->channel[0].on >= 0)
        json_write_pair(w, "state", on_off(d->channel[0].on));
    write_channels(w, d);
    json_write_close(w, '}');
}

static void write_abilities(struct json_writer *w, const struct device *d)
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

static void write_identity(struct json_writer *w, const struct device *d)
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

void device_write_public(struct json_writer *w, const struct device *d, enum device_view view)
{
    json_write_open(w, '{');
    write_identity(w, d);
    json_write_pair_bool(w, "online", d->online);
    json_write_pair_bool(w, "bound", d->bound);
    json_write_pair_int(w, "last_seen", d->last_seen);
    json_write_pair(w, "key", device_key_name(d->key));
    json_write_pair_int(w, "user_id", d->user_id);
    json_write_name(w, "channels");
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->n_channels; i++)
        json_write_int(w, d->channel[i].number);
    json_write_close(w, ']');
    json_write_pair(w, "switch", device_switch_name(d->switches));
    if (view == DEVICE_ALL)
        write_abilities(w, d);
    if (view >= DEVICE_WITH_STATE) {
        json_write_name(w, "state");
        device_write_state(w, d);
    }
    json_write_close(w, '}');
}

static void write_secrets(struct json_writer *w, const struct device *d)
{
    if (d->own_key != NULL)
        json_write_pair(w, "own_key", d->own_key);
    if (d->pending_key != NULL)
        json_write_pair(w, "pending_key", d->pending_key);
    if (d->expected)
        json_write_pair_bool(w, "expected", true);
}

void device_write_record(struct json_writer *w, const struct device *d)
{
    json_write_open(w, '{');
    json_write_pair_int(w, "format", 1);
    write_identity(w, d);
    json_write_pair_bool(w, "nameless", d->nameless);
    json_write_pair_bool(w, "bound", d->bound);
    json_write_pair_int(w, "last_seen", d->last_seen);
    json_write_pair(w, "key", device_key_name(d->key));
    write_secrets(w, d);
    json_write_pair_int(w, "user_id", d->user_id);
    json_write_pair(w, "switch", device_switch_name(d->switches));
    json_write_pair(w, "ability_firmware", d->ability_firmware);
    if (d->abilities != NULL)
        write_abilities(w, d);
    write_channels(w, d);
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

static int read_abilities(struct device *d, struct json_at list)
{
    struct buf names;
    int err = MD_OK;
    if (!json_exists(list))
        return MD_OK;
    enum device_switch switches = d->switches; /* the record knows better than a short list */
    buf_init(&names, DEVICE_ABILITIES_MAX);
    JSON_EACH(it, list)
    {
        char name[ABILITY_MAX];
        if (err == MD_OK && json_text(it, name, sizeof name))
            err = put_ability(&names, name);
    }
    if (err == MD_OK)
        err = keep_abilities(d, &names);
    buf_free(&names);
    d->switches = switches;
    return err;
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

static int read_key(char **out, struct json_at v)
{
    char key[SIGN_KEY_MAX + 1];
    if (!json_text(v, key, sizeof key) || key[0] == '\0')
        return MD_OK;
    *out = mem_strdup(key);
    mem_wipe(key, sizeof key);
    return *out != NULL ? MD_OK : MD_NOMEM;
}

static int read_secrets(struct device *d, struct json_at r)
{
    d->expected = is_true(json_get(r, "expected"));
    int err = read_key(&d->own_key, json_get(r, "own_key"));
    return err == MD_OK ? read_key(&d->pending_key, json_get(r, "pending_key")) : err;
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
    d->saved_seen = d->last_seen;
    d->key = (enum device_key)index_of(json_get(r, "key"), key_at, DEVICE_KEYS);
    d->switches = (enum device_switch)index_of(json_get(r, "switch"), switch_at, DEVICE_SWITCHES);
    read_channels(d, json_get(r, "channels"));
    int err = read_secrets(d, r);
    if (err != MD_OK)
        return err;
    return read_abilities(d, json_get(r, "abilities"));
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

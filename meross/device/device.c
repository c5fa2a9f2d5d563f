#include "meross/device/device.h"

#include "broker/base/mem.h"
#include "meross/device/device_parts.h"
#include "meross/device/shared.h"
#include "meross/wire/namespaces.h"
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
    const char *line = d->abilities, *end;
    while (line != NULL && (end = strchr(line, '\n')) != NULL) {
        if ((size_t)(end - line) == n && memcmp(line, ability, n) == 0)
            return true;
        line = end + 1;
    }
    return false;
}

bool device_hides_relays(const struct device *d)
{
    static const char *const ns[] = {NS_GARAGE, NS_POSITION, NS_MODE, NS_MODE_B, NS_MODE_C};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++)
        if (device_has_ability(d, ns[i]))
            return true;
    return false;
}

/* Abilities of the relay decide how it is switched. */
static void choose_switch(struct device *d)
{
    if (device_hides_relays(d))
        d->switches = DEVICE_NO_SWITCH;
    else if (device_has_ability(d, NS_TOGGLEX))
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

static int keep_abilities(struct device *d, const struct buf *list)
{
    const char *copy = shared_new(buf_view(list));
    if (copy == NULL)
        return MD_NOMEM;
    shared_drop(d->abilities);
    d->abilities = copy;
    choose_switch(d);
    return MD_OK;
}

uint8_t device_small_number(struct json_at v)
{
    int64_t value = 0;
    return json_int(v, &value) && value > 0 && value <= UINT8_MAX ? (uint8_t)value : 0;
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
        d->light_capacity = device_small_number(json_get(json_get(ability, NS_LIGHT), "capacity"));
    if (err == MD_OK)
        d->max_commands =
            device_small_number(json_get(json_get(ability, NS_MULTIPLE), "maxCmdNum"));
    if (err == MD_OK)
        memcpy(d->ability_firmware, d->firmware, sizeof d->ability_firmware);
    return err;
}

#define EFFECTS_MAX 2048 /* bytes of all names */

void device_set_effects(struct device *d, struct json_at list)
{
    struct buf names;
    int err = MD_OK;
    buf_init(&names, EFFECTS_MAX);
    JSON_EACH(it, list)
    {
        char name[FACTS_TEXT_MAX + 1];
        bool ok = json_text(json_get(it, "effectName"), name, sizeof name) && printable(name);
        if (err == MD_OK)
            err = buf_putf(&names, "%s\n", ok ? name : "");
    }
    if (err == MD_OK)
        err = buf_put(&names, span_of("", 1));
    mem_free(d->effects);
    d->effects = err == MD_OK ? (char *)names.p : NULL;
    if (err != MD_OK)
        buf_free(&names);
}

bool device_effect_name(const struct device *d, size_t index, char out[FACTS_TEXT_MAX + 1])
{
    const char *line = d->effects;
    for (size_t i = 0; line != NULL && *line != '\0'; i++) {
        const char *end = strchr(line, '\n');
        if (i == index)
            return span_to_str(span_of(line, (size_t)(end - line)), out, FACTS_TEXT_MAX + 1) &&
                   out[0] != '\0';
        line = end + 1;
    }
    return false;
}

unsigned device_major(const struct device *d)
{
    unsigned long major = strtoul(d->firmware, NULL, 10);
    return major < 1000 ? (unsigned)major : 0;
}

void device_clear(struct device *d)
{
    shared_drop(d->abilities);
    d->abilities = NULL;
    mem_free(d->gone_why);
    d->gone_why = NULL;
    mem_free(d->effects);
    d->effects = NULL;
    device_drop_keys(d);
    health_clear(&d->health);
    facts_clear(&d->facts);
    subdevs_clear(&d->subs);
    askers_clear(&d->askers);
}

int device_read_abilities(struct device *d, struct json_at list)
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

#include "meross/family/family_int.h"

#include <stdio.h>

static const struct family_row *(*const tables[])(size_t *n) = {
    family_of_lights,  family_of_doors,  family_of_thermostats, family_of_air, family_of_hubs,
    family_of_sensors, family_of_setups, family_of_sound,       family_of_all};

void family_each(bool (*cb)(void *ctx, const struct family_row *row), void *ctx)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        size_t n;
        const struct family_row *rows = tables[t](&n);
        for (size_t i = 0; i < n; i++)
            if (!cb(ctx, &rows[i]))
                return;
    }
}

struct by_ns {
    const char *ns;
    const struct family_row *found;
};

static bool is_it(void *ctx, const struct family_row *row)
{
    struct by_ns *by = ctx;
    if (strcmp(row->ns, by->ns) == 0)
        by->found = row;
    return by->found == NULL;
}

const struct family_row *family_row(const char *ns)
{
    struct by_ns by = {ns, NULL};
    family_each(is_it, &by);
    return by.found;
}

bool family_knows(const char *ns) { return family_row(ns) != NULL; }

const char *family_orders(const char *ns, bool ack)
{
    const struct family_row *row = family_row(ns);
    if (row == NULL || row->keys == NULL || row->by == FAMILY_BY_SUB ||
        (ack && row->ack == FAMILY_ACK_WAITS))
        return NULL;
    return row->ns;
}

/* --- messages ------------------------------------------------------------------------------ */

static bool channel_of(struct json_at v, unsigned *out)
{
    int64_t value;
    if (!json_int(json_get(v, "channel"), &value) || value < 0 || value > UINT8_MAX)
        return false;
    *out = (unsigned)value;
    return true;
}

static bool sub_of(struct device *d, struct json_at entry, struct subdev **out)
{
    char id[SUBDEVS_ID_MAX + 1];
    if (!json_text(json_get(entry, "id"), id, sizeof id) &&
        !json_text(json_get(entry, "subId"), id, sizeof id))
        return false;
    unsigned before = d->subs.n;
    *out = subdevs_add(&d->subs, id);
    d->dirty |= d->subs.n != before;
    return *out != NULL;
}

/* An entry that names no channel is about the one beside it, or about channel 0.  One that is about a
 * sub-device says so, whatever the namespace. */
static void take_entry(struct device *d, const struct family_row *row, struct json_at entry,
                       unsigned beside)
{
    struct family_at at = {.d = d, .at = FACTS_DEVICE, .channel = beside};
    if (json_type(entry) != JSON_OBJECT)
        return;
    (void)channel_of(entry, &at.channel);
    if (row->by != FAMILY_BY_DEVICE && sub_of(d, entry, &at.sub))
        at.at = facts_sub(at.sub->number);
    else if (row->by == FAMILY_BY_SUB)
        return;
    else if (row->by == FAMILY_BY_CHANNEL)
        at.at = facts_channel(at.channel);
    row->take(&at, entry);
}

static void take_list(struct device *d, const struct family_row *row, struct json_at list,
                      unsigned beside)
{
    JSON_EACH(it, list)
    take_entry(d, row, it, beside);
}

bool family_take(struct device *d, const char *ns, struct json_at payload)
{
    const struct family_row *row = family_row(ns);
    unsigned channel = 0;
    if (row == NULL)
        return false;
    (void)channel_of(payload, &channel);
    struct json_at list = json_get_nocase(payload, row->key);
    if (row->take_all != NULL && json_exists(list))
        row->take_all(d, list);
    else if (row->take != NULL)
        take_list(d, row, list, channel);
    return true;
}

/* --- the digest ---------------------------------------------------------------------------- */

static const struct {
    const char *member, *inside, *ns; /* inside: NULL, the member itself is the list */
} digest_rows[] = {
    {"light", NULL, NS_LIGHT},
    {"spray", NULL, NS_SPRAY},
    {"diffuser", "light", NS_DIFF_LIGHT},
    {"diffuser", "spray", NS_DIFF_SPRAY},
    {"garageDoor", NULL, NS_GARAGE},
    {"thermostat", "mode", NS_MODE},
    {"thermostat", "modeB", NS_MODE_B},
    {"thermostat", "windowOpened", NS_WINDOW},
    {"thermostat", "summerMode", NS_SUMMER},
    {"fan", NULL, NS_FAN},
    {"hub", "subdevice", NS_SUBDEVICES},
};

bool family_in_digest(const char *ns)
{
    for (size_t i = 0; i < sizeof digest_rows / sizeof digest_rows[0]; i++)
        if (strcmp(digest_rows[i].ns, ns) == 0)
            return true;
    return false;
}

static bool listed(struct json_at list, const char *id)
{
    JSON_EACH(it, list)
    {
        char text[SUBDEVS_ID_MAX + 1];
        if (json_text(json_get(it, "id"), text, sizeof text) && strcmp(text, id) == 0)
            return true;
    }
    return false;
}

static void drop_unlisted(struct device *d, struct json_at list)
{
    for (unsigned i = d->subs.n; json_type(list) == JSON_LIST && i-- > 0;) {
        struct subdev *s = &d->subs.v[i];
        if (listed(list, s->id))
            continue;
        (void)facts_forget_all(&d->facts, facts_sub(s->number));
        subdevs_remove(&d->subs, s);
        d->dirty = true;
    }
}

void family_take_digest(struct device *d, struct json_at digest)
{
    for (size_t i = 0; i < sizeof digest_rows / sizeof digest_rows[0]; i++) {
        struct json_at v = json_get_nocase(digest, digest_rows[i].member);
        if (digest_rows[i].inside != NULL)
            v = json_get_nocase(v, digest_rows[i].inside);
        take_list(d, family_row(digest_rows[i].ns), v, 0);
    }
    drop_unlisted(d, json_get(json_get(digest, "hub"), "subdevice"));
}

/* --- reading ------------------------------------------------------------------------------- */

void family_number(const struct family_at *at, struct json_at value, const char *fact,
                   unsigned decimals)
{
    int64_t number;
    if (json_scaled(value, 0, &number))
        (void)facts_number(&at->d->facts, at->at, fact, number, decimals);
}

void family_flag(const struct family_at *at, struct json_at value, const char *fact)
{
    int64_t number;
    if (json_int(value, &number) && (number == 0 || number == 1))
        (void)facts_bool(&at->d->facts, at->at, fact, number == 1);
}

void family_fraction(const struct family_at *at, struct json_at value, const char *fact,
                     unsigned decimals)
{
    int64_t number;
    if (json_scaled(value, decimals, &number))
        (void)facts_number(&at->d->facts, at->at, fact, number, decimals);
}

void family_one_two(const struct family_at *at, struct json_at value, const char *fact)
{
    int64_t number;
    if (json_int(value, &number) && (number == 1 || number == 2))
        (void)facts_bool(&at->d->facts, at->at, fact, number == 1);
}

void family_schedule(const struct family_at *at, struct json_at entry)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    bool told = false, any = false;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        struct json_at day = json_get_nocase(entry, days[i]);
        told |= json_type(day) == JSON_LIST;
        JSON_EACH(it, day)
        any |= json_type(it) == JSON_LIST;
    }
    if (told)
        (void)facts_bool(&at->d->facts, at->at, FACT_SCHEDULE, any);
}

void family_word(const struct family_at *at, struct json_at value, const char *fact,
                 const char *const *words)
{
    int64_t number;
    if (!json_int(value, &number))
        return;
    for (int64_t i = 0; words[i] != NULL; i++) {
        if (i == number && strcmp(words[i], FAMILY_NO_WORD) != 0) {
            (void)facts_text(&at->d->facts, at->at, fact, words[i]);
            return;
        }
    }
    (void)facts_number(&at->d->facts, at->at, fact, number, 0);
}

void family_relay(const struct family_at *at, bool on)
{
    struct device_channel *c = at->sub == NULL ? device_channel_add(at->d, at->channel) : NULL;
    int8_t *state = at->sub != NULL ? &at->sub->on : c != NULL ? &c->on : NULL;
    if (state == NULL || *state == (int8_t)on)
        return;
    *state = (int8_t)on;
    at->d->dirty = true;
}

/* h_state.c - what tells the state of a plug: System.All, System.Ability, ToggleX and Toggle.
 * Lists may be single objects, channels may stand beside them, and names vary in case. */
#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/session/command.h"
#include "meross/session/energy.h"
#include "meross/session/inbound.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"

static void name_it(struct plug *p)
{
    struct device *d = p->dev;
    if (!d->nameless || d->type[0] == '\0')
        return;
    if (d->announced)
        announce_clear(p->m, d);
    (void)registry_name_it(p->m->registry, d);
    if (d->announced)
        announce_all(p->m, d);
}

void state_take_identity(struct plug *p, struct json_at hardware, struct json_at firmware)
{
    struct device *d = p->dev;
    bool changed = device_set_text(d->type, sizeof d->type, json_get(hardware, "type"));
    changed |= device_set_text(d->hardware, sizeof d->hardware, json_get(hardware, "version"));
    changed |= device_set_text(d->chip, sizeof d->chip, json_get(hardware, "chipType"));
    changed |= device_set_text(d->firmware, sizeof d->firmware, json_get(firmware, "version"));
    if (!changed)
        return;
    d->dirty = true;
    name_it(p);
    announce_soon(p->m);
}

/* One channel is so now.  The first news of a channel is no event. */
static void set_channel(struct plug *p, unsigned number, bool on, bool by_us)
{
    struct device *d = p->dev;
    unsigned channels = d->n_channels;
    struct device_channel *c = device_channel_add(d, number);
    if (c == NULL || c->on == (int8_t)on)
        return;
    bool event = by_us || c->on >= 0;
    c->on = (int8_t)on;
    d->dirty = true;
    if (d->n_channels != channels)
        announce_soon(p->m);
    else
        announce_save_soon(p->m);
    if (!event)
        return;
    announce_switched(p->m, d, number, on, by_us);
    energy_watch(p);
}

static bool read_channel(struct json_at v, int64_t *channel)
{
    return json_int(json_get(v, "channel"), channel) && *channel >= 0 && *channel <= UINT8_MAX;
}

/* One {"channel":0,"onoff":1}.  Anything but 0 and 1 is no state. */
static void take_entry(struct plug *p, struct json_at entry, int64_t channel, bool by_us)
{
    int64_t on;
    (void)read_channel(entry, &channel);
    if (json_int(json_get(entry, "onoff"), &on) && (on == 0 || on == 1))
        set_channel(p, (unsigned)channel, on == 1, by_us);
}

/* The channel of an entry that names none stands beside the list, or is 0. */
static void take_list(struct plug *p, struct json_at list, struct json_at beside)
{
    int64_t channel = 0;
    if (device_hides_relays(p->dev))
        return;
    bool by_us = command_setting(p, NS_TOGGLEX) || command_setting(p, NS_TOGGLE);
    if (!read_channel(beside, &channel))
        channel = 0;
    JSON_EACH(it, list)
    take_entry(p, it, channel, by_us);
}

void state_on_togglex(struct plug *p, const struct envelope *e)
{
    take_list(p, json_get_nocase(e->payload, "togglex"), e->payload);
    announce_state(p->m, p->dev);
}

void state_on_toggle(struct plug *p, const struct envelope *e)
{
    take_list(p, json_get_nocase(e->payload, "toggle"), e->payload);
    announce_state(p->m, p->dev);
}

void state_assume(struct plug *p, unsigned channel, bool on)
{
    struct device *d = p->dev;
    set_channel(p, channel, on, true);
    /* Channel 0 of a strip is all of its outlets. */
    for (unsigned i = 0; channel == 0 && i < d->n_channels; i++)
        set_channel(p, d->channel[i].number, on, true);
    announce_state(p->m, d);
}

static bool listed(struct json_at list, unsigned number)
{
    JSON_EACH(it, list)
    {
        int64_t channel;
        if (read_channel(it, &channel) && channel == number)
            return true;
    }
    return false;
}

/* System.All lists every channel: those it does not list are gone. */
static void drop_unlisted(struct plug *p, struct json_at list)
{
    struct device *d = p->dev;
    unsigned n = 0;
    for (unsigned i = 0; i < d->n_channels; i++)
        if (listed(list, d->channel[i].number))
            d->channel[n++] = d->channel[i];
    if (n > 0 && n < d->n_channels) {
        d->n_channels = n;
        d->dirty = true;
        announce_soon(p->m);
    }
}

void state_on_all(struct plug *p, const struct envelope *e)
{
    struct json_at all = json_get(e->payload, "all");
    struct json_at system = json_get(all, "system");
    struct json_at togglex = json_get_nocase(json_get(all, "digest"), "togglex");
    struct json_at toggle = json_get_nocase(json_get(all, "control"), "toggle");
    if (!json_exists(system))
        return;
    state_take_identity(p, json_get(system, "hardware"), json_get(system, "firmware"));
    if (json_exists(toggle) && p->dev->abilities == NULL)
        p->dev->switches = DEVICE_TOGGLE;
    take_list(p, json_exists(togglex) ? togglex : toggle, all);
    drop_unlisted(p, togglex);
    family_on_digest(p, json_get(all, "digest"));
    diary_all(p, json_get(system, "firmware"), json_get(system, "online"));
    announce_state(p->m, p->dev);
    time_check(p, json_get(system, "time"));
}

void state_on_ability(struct plug *p, const struct envelope *e)
{
    int err = device_set_abilities(p->dev, json_get(e->payload, "ability"));
    if (err == MD_OK) {
        registry_share(p->m->registry, p->dev);
        if (p->dev->plug != NULL)
            polls_abilities(p->dev->plug);
        p->dev->dirty = true;
        p->abilities_read = true;
        announce_soon(p->m);
    } else {
        log_debug("meross", "plug=%s its abilities were not understood: %s",
                  log_q(span_str(p->dev->name)), md_err_text(err));
    }
}

/* polls_energy.c - what plugs that meter are asked, and how often: their power each minute, every
 * ten seconds while somebody watches; what they have counted every ten minutes, and soon after each
 * full hour, so that days and hours are told apart.  Firmware 8 and 9 half as often (trap 39), and no
 * two plugs at the same second. */
#include "meross/session/energy.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"

#define POWER_S       60
#define POWER_WATCHED 10
#define COUNT_S       600
#define AFTER_HOUR_S  5  /* a plug's clock may be a second or two late */
#define SPREAD_S      20 /* over which plugs are spread                */
#define GENTLE_MAJOR  8
#define METERS        6 /* of a device that does not say how many it has */

static bool gentle(const struct plug *p) { return device_major(p->dev) >= GENTLE_MAJOR; }

static unsigned power_s(const struct plug *p)
{
    unsigned s = energy_watched(p) ? POWER_WATCHED : POWER_S;
    return gentle(p) ? 2 * s : s;
}

static unsigned spread_of(const struct plug *p)
{
    unsigned sum = 0;
    for (const char *c = p->dev->uuid_key; *c != '\0'; c++)
        sum = sum * 31 + (unsigned char)*c;
    return sum % SPREAD_S;
}

static unsigned count_s(const struct plug *p)
{
    struct ledger_now now = energy_now(p->m);
    int64_t slot = ledger_slot(now.zone, now.s);
    int64_t next = ledger_slot_begin(now.zone, slot + 1) + AFTER_HOUR_S + spread_of(p);
    int64_t left = next - now.s;
    if (left > 3600)
        left -= 3600; /* this hour's is still to come */
    return left > 0 && left < COUNT_S + COUNT_S / 2 ? (unsigned)left : COUNT_S;
}

/* "em06" has six meters. */
static unsigned meters_of(const struct device *d)
{
    char tens = d->type[2], ones = d->type[2] != '\0' ? d->type[3] : '\0';
    bool told = (d->type[0] | 0x20) == 'e' && (d->type[1] | 0x20) == 'm' && tens >= '0' &&
                tens <= '1' && ones >= '0' && ones <= '9';
    unsigned n = told ? (unsigned)(10 * (tens - '0') + ones - '0') : 0;
    return n >= 1 && n <= BOOK_CHANNELS_MAX ? n : METERS;
}

static void write_channel(struct json_writer *w, unsigned channel)
{
    json_write_open(w, '{');
    json_write_pair_int(w, "channel", channel);
    json_write_close(w, '}');
}

/* The outlets; of a device without relays its meters, which count from 1. */
static void write_channels(struct json_writer *w, const char *name, const struct device *d)
{
    json_write_name(w, name);
    json_write_open(w, '[');
    for (unsigned i = 0; i < d->n_channels; i++)
        if (d->n_channels == 1 || d->channel[i].number > 0)
            write_channel(w, d->channel[i].number);
    for (unsigned i = 1; d->n_channels == 0 && i <= meters_of(d); i++)
        write_channel(w, i);
    json_write_close(w, ']');
}

static void ask_power(struct json_writer *w, const struct device *d)
{
    (void)d;
    json_write_name(w, "electricity");
    write_channel(w, 0);
}

static void ask_meters(struct json_writer *w, const struct device *d)
{
    write_channels(w, "electricity", d);
}

static void ask_days(struct json_writer *w, const struct device *d)
{
    (void)d;
    json_write_name(w, "consumptionx");
    json_write_open(w, '[');
    json_write_close(w, ']');
}

static void ask_hours(struct json_writer *w, const struct device *d)
{
    if (device_has_ability(d, NS_ELECTRICITYX)) {
        write_channels(w, "consumptionH", d);
        return;
    }
    json_write_name(w, "consumptionH");
    json_write_open(w, '[');
    write_channel(w, 0);
    json_write_close(w, ']');
}

const struct poll_row *polls_of_energy(size_t *n)
{
    /* Hours before days: what a plug says of its hours itself is not made out from its days. */
    static const struct poll_row rows[] = {
        {.ns = NS_ELECTRICITY, .how = ENVELOPE_GET, .payload = ask_power, .every_s = power_s},
        {.ns = NS_ELECTRICITYX, .how = ENVELOPE_PUSH, .payload = ask_meters, .every_s = power_s},
        {.ns = NS_CONSUMPTIONH, .how = ENVELOPE_GET, .payload = ask_hours, .every_s = count_s},
        {.ns = NS_CONSUMPTIONX, .how = ENVELOPE_GET, .payload = ask_days, .every_s = count_s}};
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

/* h_energy.c - Electricity, ElectricityX, ConsumptionX and ConsumptionH: into the ledgers, and from
 * there and from the readings into the facts. */
#include "broker/base/log.h"
#include "meross/energy/reading.h"
#include "meross/people/announce.h"
#include "meross/session/energy.h"
#include "meross/session/inbound.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"

#define CHANGE_MW   10000 /* a change of power that people want to follow: so much, and a fifth */
#define UNKNOWN     INT32_MIN /* of a power, in tenths of a watt */
#define DEAD_MS     120000 /* 0 V for so long is no accident                                    */
#define COUNT_AGAIN 60000  /* milliseconds */
#define POWER_SAVED 600    /* an account by power is written down so often, seconds              */

#define NO_VOLTS_HINT                                                                              \
    "it measures 0 V although it is powered: it does not know the time or the time zone; merossd " \
    "has told it again; if this lasts, unplug it for ten seconds and see `merossd doctor`"

bool energy_meters(const struct device *d)
{
    return device_has_ability(d, NS_ELECTRICITY) || device_has_ability(d, NS_ELECTRICITYX) ||
           device_has_ability(d, NS_CONSUMPTIONX) || device_has_ability(d, NS_CONSUMPTIONH);
}

bool energy_watched(const struct plug *p) { return p->meter.watched_ms > env_mono_ms(p->m->env); }

void energy_watch(struct plug *p)
{
    if (p == NULL || p->dev == NULL || !energy_meters(p->dev))
        return;
    bool watched = energy_watched(p);
    p->meter.watched_ms = env_mono_ms(p->m->env) + ENERGY_WATCH_S * 1000;
    if (!watched)
        polls_retime(p);
}

void energy_count(struct plug *p)
{
    uint64_t now = p != NULL ? env_mono_ms(p->m->env) : 0;
    if (p == NULL || p->dev == NULL ||
        (p->meter.counted_ms != 0 && now - p->meter.counted_ms < COUNT_AGAIN))
        return;
    p->meter.counted_ms = now;
    polls_hurry(p, NS_CONSUMPTIONH);
    polls_hurry(p, NS_CONSUMPTIONX);
}

struct ledger_now energy_now(const struct meross *m)
{
    return (struct ledger_now){env_wall_s(m->env), env_mono_ms(m->env),
                               m->has_zone ? &m->zone : NULL};
}

/* The ledger of a channel; NULL while there can be none, or for want of memory. */
static struct ledger *ledger_of(struct plug *p, unsigned channel)
{
    if (!p->dev->announced || !meross_clock_sane(p->m))
        return NULL;
    return book_ledger(p->m->book, p->dev->uuid_key, channel);
}

static void failed(const struct plug *p, int err)
{
    if (err != MD_OK)
        log_warn("energy",
                 "plug=%s what it counted could not be booked (%s); tried again with the "
                 "next count",
                 log_q(span_str(p->dev->name)), md_err_text(err));
}

static void save(struct plug *p)
{
    int err = book_save(p->m->book, p->dev->uuid_key);
    if (err != MD_OK)
        log_warn("energy", "plug=%s not saved (%s); tried again with the next count",
                 log_q(span_str(p->dev->name)), md_err_text(err));
}

static void show_ledger(struct plug *p, struct ledger *l, unsigned channel)
{
    struct ledger_now now = energy_now(p->m);
    struct facts *f = &p->dev->facts;
    uint32_t at = facts_channel(channel);
    (void)facts_number(f, at, FACT_ENERGY, ledger_shown(l), 3);
    (void)facts_number(f, at, FACT_ENERGY_TODAY, ledger_today(l, &now), 3);
    (void)facts_number(f, at, FACT_ENERGY_MONTH, ledger_this_month(l, &now), 3);
}

/* Everything of which there is a ledger, after a count. */
static void show_all(struct plug *p)
{
    for (int c = -1; (c = book_next(p->m->book, p->dev->uuid_key, c)) >= 0;)
        show_ledger(p, book_find(p->m->book, p->dev->uuid_key, (unsigned)c), (unsigned)c);
    announce_state(p->m, p->dev);
}

/* --- power ------------------------------------------------------------------------------------ */

static int64_t tenths(int32_t thousandths)
{
    return ((int64_t)thousandths + (thousandths < 0 ? -50 : 50)) / 100;
}

static void show_power(struct plug *p, const struct reading *r)
{
    struct facts *f = &p->dev->facts;
    uint32_t at = facts_channel(r->channel);
    (void)facts_number(f, at, FACT_POWER, tenths(r->mw), 1);
    if (r->dv != READING_NONE)
        (void)facts_number(f, at, FACT_VOLTAGE, r->dv, 1);
    if (r->ma != READING_NONE)
        (void)facts_number(f, at, FACT_CURRENT, r->ma, 3);
    if (r->factor != READING_NONE)
        (void)facts_number(f, at, FACT_POWER_FACTOR, r->factor, 3);
}

/* Did the power change so that people want to see how it goes on? */
static bool changed(const struct plug *p, const struct reading *r)
{
    const struct facts *f = &p->dev->facts;
    int64_t was = 100 * facts_value(f, facts_channel(r->channel), FACT_POWER, 1, UNKNOWN);
    int64_t by = r->mw > was ? r->mw - was : was - r->mw;
    int64_t before = was < 0 ? -was : was, now = r->mw < 0 ? -(int64_t)r->mw : r->mw;
    return was != 100 * (int64_t)UNKNOWN && by >= CHANGE_MW &&
           by >= (before > now ? before : now) / 5;
}

/* Without a counter, power is the account; days are those of channel 0, which is the whole device.
 * While nobody knows what it counts, it is not. */
static bool by_power(const struct device *d, unsigned channel)
{
    bool days = channel == 0 && device_has_ability(d, NS_CONSUMPTIONX);
    return d->abilities != NULL && !days && !device_has_ability(d, NS_CONSUMPTIONH);
}

static void take_power(struct plug *p, const struct reading *r)
{
    struct ledger_now now = energy_now(p->m);
    bool account = by_power(p->dev, r->channel);
    if (changed(p, r))
        energy_watch(p);
    show_power(p, r);
    struct ledger *l = ledger_of(p, r->channel);
    if (l == NULL)
        return;
    failed(p, ledger_power(l, &now, r->mw, account));
    if (account && l->dirty && now.s - l->saved_at >= POWER_SAVED)
        save(p);
    show_ledger(p, l, r->channel);
}

/* A plug that is powered has volts.  One that has none lost its zone (sheet 4.5). */
static void check_volts(struct plug *p, bool none)
{
    uint64_t now = env_mono_ms(p->m->env);
    if (!none) {
        p->meter.dead_ms = 0;
        p->meter.dead_told = false;
        return;
    }
    if (p->meter.dead_ms == 0) {
        p->meter.dead_ms = now;
        polls_hurry(p, NS_ALL); /* compares the time zone */
    }
    if (p->meter.dead_told || now - p->meter.dead_ms < DEAD_MS)
        return;
    p->meter.dead_told = true;
    log_warn("energy", "plug=%s " NO_VOLTS_HINT, log_q(span_str(p->dev->name)));
    announce_event(p->m, p->dev, "no_voltage", "hint", NO_VOLTS_HINT);
}

void energy_on_electricity(struct plug *p, const struct envelope *e)
{
    struct reading r[READING_CHANNELS];
    bool none = true, told = false;
    size_t n = reading_electricity(e->payload, strcmp(e->ns, NS_ELECTRICITYX) == 0, r);
    for (size_t i = 0; i < n; i++) {
        take_power(p, &r[i]);
        told |= r[i].dv != READING_NONE;
        none &= r[i].dv == 0 && r[i].mw == 0;
    }
    if (told)
        check_volts(p, none);
    announce_state(p->m, p->dev);
}

/* --- counters --------------------------------------------------------------------------------- */

void energy_on_days(struct plug *p, const struct envelope *e)
{
    struct ledger_day_count days[READING_DAYS];
    struct ledger_now now = energy_now(p->m);
    struct ledger *l = ledger_of(p, 0);
    if (l == NULL)
        return;
    size_t n = reading_days(e->payload, days);
    failed(p, ledger_count_days(l, &now, days, n));
    save(p);
    show_all(p);
}

void energy_on_hours(struct plug *p, const struct envelope *e)
{
    struct ledger_hour_count hours[READING_HOURS];
    struct ledger_now now = energy_now(p->m);
    bool account = p->dev->abilities != NULL && !device_has_ability(p->dev, NS_CONSUMPTIONX);
    JSON_EACH(it, reading_hours_list(e->payload))
    {
        unsigned channel;
        size_t n = reading_hours(it, &channel, hours);
        struct ledger *l = n > 0 ? ledger_of(p, channel) : NULL;
        if (l != NULL)
            failed(p, ledger_count_hours(l, &now, hours, n, account));
    }
    save(p);
    show_all(p);
}

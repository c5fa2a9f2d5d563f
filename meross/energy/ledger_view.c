/* ledger_view.c - what a ledger tells: its days and hours, and what is shown of them. */
#include "meross/energy/ledger_pages.h"

bool ledger_day_seen(const struct ledger *l, int32_t day, uint32_t *wh, uint32_t *seen)
{
    struct ledger_page p;
    if (day < 0 || !ledger_pages_look(l, LEDGER_DAYS, date_month(day), &p))
        return false;
    unsigned i = date_of_month(day);
    *wh = p.wh[i];
    *seen = p.seen[i];
    return (p.known & 1u << i) != 0;
}

bool ledger_day(const struct ledger *l, int32_t day, uint32_t *wh)
{
    uint32_t seen;
    *wh = 0;
    return ledger_day_seen(l, day, wh, &seen);
}

bool ledger_hour(const struct ledger *l, int64_t slot, uint32_t *wh)
{
    struct ledger_page p;
    *wh = 0;
    if (slot < 0 || !ledger_pages_look(l, LEDGER_HOURS, (int32_t)(slot / 24), &p))
        return false;
    *wh = p.wh[slot % 24];
    return (p.known & 1u << slot % 24) != 0;
}

int64_t ledger_month_wh(const struct ledger *l, int32_t month)
{
    struct ledger_page p;
    int64_t sum = 0;
    if (!ledger_pages_look(l, LEDGER_DAYS, month, &p))
        return 0;
    for (unsigned i = 0; i < LEDGER_VALUES; i++)
        sum += p.wh[i];
    return sum;
}

/* Zones are a part of an hour off UTC now and then. */
static int64_t part_of_hour(const struct zone *zone, int64_t utc)
{
    int32_t part = date_offset(zone, utc) % LEDGER_HOUR_S;
    return part < 0 ? part + LEDGER_HOUR_S : part;
}

int64_t ledger_slot(const struct zone *zone, int64_t utc)
{
    return (utc + part_of_hour(zone, utc)) / LEDGER_HOUR_S;
}

int64_t ledger_slot_begin(const struct zone *zone, int64_t slot)
{
    return slot * LEDGER_HOUR_S - part_of_hour(zone, slot * LEDGER_HOUR_S);
}

int64_t ledger_since(const struct ledger *l, int64_t first_slot)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < l->n_since; i++)
        if (l->since[i].slot >= first_slot)
            sum += l->since[i].mwms;
    return sum;
}

int64_t ledger_shown(struct ledger *l)
{
    int64_t now = l->total + ledger_since(l, 0) / LEDGER_MWMS_PER_WH;
    if (now > l->shown)
        l->shown = now;
    return l->shown;
}

int64_t ledger_today(struct ledger *l, const struct ledger_now *now)
{
    uint32_t wh;
    int32_t today = date_local(now->zone, now->s);
    (void)ledger_day(l, today, &wh);
    int64_t first = ledger_slot(now->zone, date_begin(now->zone, today));
    int64_t sum = wh + ledger_since(l, first) / LEDGER_MWMS_PER_WH;
    if (today != l->today || sum > l->today_shown)
        l->today_shown = sum;
    l->today = today;
    return l->today_shown;
}

int64_t ledger_this_month(struct ledger *l, const struct ledger_now *now)
{
    uint32_t wh;
    int32_t today = date_local(now->zone, now->s), month = date_month(today);
    (void)ledger_day(l, today, &wh);
    int64_t sum = ledger_month_wh(l, month) + ledger_today(l, now) - wh;
    if (month != l->this_month || sum > l->month_shown)
        l->month_shown = sum;
    l->this_month = month;
    return l->month_shown;
}

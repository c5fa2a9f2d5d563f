#include "meross/energy/ledger_pages.h"

#include <stdlib.h>

#define SINCE_MAX 100000000000000000 /* mW ms; nobody counts any more */

/* False: nothing is known of it. */
static bool page_of_slot(const struct ledger *l, int64_t slot, struct ledger_page *out)
{
    return slot >= 0 && ledger_pages_look(l, LEDGER_HOURS, (int32_t)(slot / 24), out);
}

/* --- booking ---------------------------------------------------------------------------------- */

static void add_hour(struct ledger *l, int64_t slot, uint32_t wh)
{
    struct ledger_page p;
    if (ledger_pages_open(l, LEDGER_HOURS, (int32_t)(slot / 24), &p) != MD_OK)
        return;
    p.wh[slot % 24] += wh;
    p.known |= 1u << slot % 24;
    p.dirty = true;
    ledger_pages_close(l, LEDGER_HOURS, &p);
}

/* seen: what the plug said; NULL: it said nothing of this day. */
static bool add_day(struct ledger *l, int32_t day, uint32_t wh, const uint32_t *seen)
{
    struct ledger_page p;
    unsigned i = date_of_month(day);
    if (ledger_pages_open(l, LEDGER_DAYS, date_month(day), &p) != MD_OK)
        return false;
    p.wh[i] += wh;
    p.seen[i] = seen != NULL ? *seen : p.seen[i];
    p.known |= 1u << i;
    p.dirty = true;
    ledger_pages_close(l, LEDGER_DAYS, &p);
    l->total += wh;
    l->dirty = true;
    return true;
}

/* The power since the last count, from `from` on, in mW ms; -1: not enough of the time is known. */
static int64_t flowed(const struct ledger *l, const struct ledger_now *now, int64_t from)
{
    int64_t ms = (now->s - l->counted_at) * 1000;
    if (l->counted_at == 0 || ms <= 0 || (int64_t)l->since_ms < ms - ms / 10)
        return -1;
    return ledger_since(l, ledger_slot(now->zone, from));
}

struct part { /* of an increase: what belongs to a slot */
    int64_t slot, weight;
};

static int64_t weight_of(const struct ledger *l, const struct ledger_now *now, int64_t slot,
                         int64_t from, int64_t to, bool by_power)
{
    int64_t begin = ledger_slot_begin(now->zone, slot), end = begin + LEDGER_HOUR_S;
    struct ledger_page p;
    if (page_of_slot(l, slot, &p) && (p.own & 1u << slot % 24) != 0)
        return 0; /* the plug says itself what belongs there */
    for (unsigned i = 0; by_power && i < l->n_since; i++)
        if (l->since[i].slot == slot)
            return l->since[i].mwms / (LEDGER_MWMS_PER_WH / 1000);
    if (by_power)
        return 0;
    begin = begin < from ? from : begin;
    end = end > to ? to : end;
    return end > begin ? end - begin : 0;
}

static int64_t weigh(const struct ledger *l, const struct ledger_now *now, int64_t from, int64_t to,
                     bool by_power, struct part parts[], size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        parts[i].weight = weight_of(l, now, parts[i].slot, from, to, by_power);
        sum += parts[i].weight;
    }
    return sum;
}

/* Puts what was booked for a day into its hours: those since the last count. */
static void spread(struct ledger *l, const struct ledger_now *now, int32_t day, uint32_t wh)
{
    struct part parts[26];
    int64_t begin = date_begin(now->zone, day), end = date_begin(now->zone, day + 1);
    int64_t from = l->counted_at > begin ? l->counted_at : begin;
    int64_t to = now->s < end ? now->s : end;
    size_t n = 0;
    if (l->counted_at == 0 || wh == 0)
        return;
    if (from >= to)
        from = to - 1; /* an old day that was corrected, or one that the plug began early */
    for (int64_t slot = ledger_slot(now->zone, from), last = ledger_slot(now->zone, to - 1);
         slot <= last && n < sizeof parts / sizeof parts[0]; slot++)
        parts[n++].slot = slot;
    int64_t sum = 0, given = 0, until = 0;
    if (flowed(l, now, from) > 0)
        sum = weigh(l, now, from, to, true, parts, n);
    if (sum == 0)
        sum = weigh(l, now, from, to, false, parts, n);
    for (size_t i = 0; i < n && sum > 0; i++) {
        until += parts[i].weight;
        int64_t share = wh * until / sum - given;
        if (parts[i].weight > 0)
            add_hour(l, parts[i].slot, (uint32_t)share);
        given += share;
    }
}

/* --- the plug's days -------------------------------------------------------------------------- */

/* More than this cannot have flowed in so many seconds. */
static int64_t most(int64_t seconds)
{
    return seconds <= 0 ? 1 : LEDGER_WATTS * seconds / LEDGER_HOUR_S + 1;
}

static int64_t apart(int64_t a, int64_t b) { return a < b ? b - a : a - b; }

/* Rule 3: did the first count of a day go on from what yesterday ended with? */
static bool carried_over(const struct ledger *l, const struct ledger_now *now,
                         const struct ledger_day_count *c, uint32_t *yesterday)
{
    uint32_t wh;
    int64_t begin = date_begin(now->zone, c->day);
    int64_t at = c->at >= begin && c->at <= now->s ? c->at : now->s;
    if (!ledger_day_seen(l, c->day - 1, &wh, yesterday) || *yesterday == 0 || c->wh < *yesterday)
        return false;
    int64_t power = l->counted_at <= begin + LEDGER_HOUR_S ? flowed(l, now, begin) : -1;
    if (power >= 0) {
        int64_t flow = power / (LEDGER_MWMS_PER_WH / 1000), value = (int64_t)c->wh * 1000;
        return apart(value - (int64_t)*yesterday * 1000, flow) < apart(value, flow);
    }
    return l->carries || (c->wh == *yesterday && at - begin < LEDGER_HOUR_S) ||
           c->wh > most(at - begin);
}

/* Rule 4: what flowed while the counter fell from `seen` to `value`. */
static uint32_t fallen(const struct ledger *l, const struct ledger_now *now, int64_t begin,
                       uint32_t seen, uint32_t value)
{
    int64_t from = l->counted_at > begin ? l->counted_at : begin;
    int64_t power = flowed(l, now, begin);
    if (power >= 0) {
        int64_t wh = power / LEDGER_MWMS_PER_WH;
        bool cleared = value <= wh + wh / 4 + 2;
        return (uint32_t)(cleared && value > wh ? value : wh);
    }
    return value <= seen / 2 && value <= most(now->s - from) ? value : 0;
}

/* A day that the record lost.  Its energy is in the total already. */
static bool restore_day(struct ledger *l, int32_t day, uint32_t value)
{
    struct ledger_page p;
    unsigned i = date_of_month(day);
    if (ledger_pages_open(l, LEDGER_DAYS, date_month(day), &p) != MD_OK)
        return false;
    p.wh[i] = p.seen[i] = value;
    p.known |= 1u << i;
    p.dirty = true;
    ledger_pages_close(l, LEDGER_DAYS, &p);
    return true;
}

/* By how much the day grew: rules 1, 3 and 4. */
static uint32_t day_more(struct ledger *l, const struct ledger_now *now,
                         const struct ledger_day_count *c)
{
    uint32_t wh, seen, yesterday = 0;
    if (ledger_day_seen(l, c->day, &wh, &seen)) {
        if (c->wh >= seen)
            return c->wh - seen;
        return wh == 0 ? c->wh : fallen(l, now, date_begin(now->zone, c->day), seen, c->wh);
    }
    if (carried_over(l, now, c, &yesterday)) {
        l->carries |= c->wh > yesterday; /* exactly yesterday's is not carried over, only late */
        return c->wh - yesterday;
    }
    l->carries &= yesterday <= c->wh;
    return c->wh;
}

static int book_day(struct ledger *l, const struct ledger_now *now,
                    const struct ledger_day_count *c)
{
    uint32_t wh, seen;
    if (!ledger_day_seen(l, c->day, &wh, &seen) && c->day <= l->last_day &&
        !restore_day(l, c->day, c->day == l->last_day ? l->last_seen : c->wh))
        return MD_NOMEM;
    if (ledger_day_seen(l, c->day, &wh, &seen) && c->wh == seen)
        return MD_OK;
    uint32_t more = day_more(l, now, c);
    if (!add_day(l, c->day, more, &c->wh))
        return MD_NOMEM;
    if (c->day >= l->last_day) {
        l->last_day = c->day;
        l->last_seen = c->wh;
    }
    spread(l, now, c->day, more);
    return MD_OK;
}

static int by_day(const void *a, const void *b)
{
    const struct ledger_day_count *x = a, *y = b;
    return x->day != y->day ? (x->day > y->day) - (x->day < y->day)
                            : (x->at > y->at) - (x->at < y->at);
}

static void counted(struct ledger *l, const struct ledger_now *now)
{
    l->counted_at = now->s;
    l->n_since = 0;
    l->since_ms = 0;
    if (now->s - l->saved_at >= LEDGER_HOUR_S || now->s < l->saved_at)
        l->dirty = true;
}

/* What a clock that was in the future left behind would stand in the way until then. */
static void drop_future(struct ledger *l, const struct ledger_now *now)
{
    int32_t today = date_local(now->zone, now->s);
    ledger_pages_drop_after(l, LEDGER_DAYS, date_month(today + 1));
    ledger_pages_drop_after(l, LEDGER_HOURS, today + 2);
    if (l->last_day > today + 1)
        l->last_day = 0;
    if (l->hour_slot > ledger_slot(now->zone, now->s) + 1)
        l->hour_slot = 0;
}

static bool is_ahead(const struct ledger *l, const struct ledger_now *now)
{
    int32_t today = date_local(now->zone, now->s);
    return l->last_day > today + 1 || l->hour_slot > ledger_slot(now->zone, now->s) + 1 ||
           ledger_pages_any_after(l, LEDGER_DAYS, date_month(today + 1)) ||
           ledger_pages_any_after(l, LEDGER_HOURS, today + 2);
}

/* Rule 7.  False: nothing may be booked now. */
static bool may_book(struct ledger *l, const struct ledger_now *now)
{
    if (!is_ahead(l, now)) {
        l->ahead_ms = 0;
        return true;
    }
    if (l->ahead_ms == 0)
        l->ahead_ms = now->mono_ms > 0 ? now->mono_ms : 1;
    if (now->mono_ms - l->ahead_ms < LEDGER_AHEAD_S * UINT64_C(1000))
        return false;
    drop_future(l, now);
    l->ahead_ms = 0;
    return true;
}

int ledger_count_days(struct ledger *l, const struct ledger_now *now,
                      struct ledger_day_count counts[], size_t n)
{
    int32_t today = date_local(now->zone, now->s);
    size_t taken = 0;
    int err = MD_OK;
    if (!may_book(l, now))
        return MD_OK;
    qsort(counts, n, sizeof counts[0], by_day);
    for (size_t i = 0; i < n && err == MD_OK; i++) {
        bool last = i + 1 == n || counts[i + 1].day != counts[i].day;
        if (!last || counts[i].day <= today - LEDGER_DAYS_MAX || counts[i].day > today + 1 ||
            counts[i].wh > LEDGER_WH_MAX)
            continue;
        err = book_day(l, now, &counts[i]);
        taken++;
    }
    if (err == MD_OK && taken > 0)
        counted(l, now);
    return err;
}

/* --- the plug's hours ------------------------------------------------------------------------- */

/* By how much the slot, which is one of p, is more than is known of it. */
static int64_t hour_more(const struct ledger *l, const struct ledger_now *now,
                         const struct ledger_page *p, int64_t slot, uint32_t value)
{
    uint32_t wh = p->wh[slot % 24];
    bool own = (p->own & 1u << slot % 24) != 0;
    if (!own && slot != l->hour_slot)
        return (int64_t)value - wh; /* instead of what we made out */
    if (slot != l->hour_slot)
        return value > wh ? value - wh : 0;
    if (value >= l->hour_seen)
        return value - l->hour_seen;
    return fallen(l, now, ledger_slot_begin(now->zone, slot), l->hour_seen, value);
}

static int book_hour(struct ledger *l, const struct ledger_now *now,
                     const struct ledger_hour_count *c, bool account)
{
    int64_t slot = ledger_slot(now->zone, c->at - 1);
    struct ledger_page p;
    uint32_t bit = 1u << slot % 24;
    if (ledger_pages_open(l, LEDGER_HOURS, (int32_t)(slot / 24), &p) != MD_OK)
        return MD_NOMEM;
    int64_t more = hour_more(l, now, &p, slot, c->wh);
    if ((p.known & bit) == 0 && slot == l->hour_slot)
        p.wh[slot % 24] = l->hour_seen;
    /* An hour that the record lost is in the total already. */
    bool lost = (p.own & bit) == 0 && slot < l->hour_slot;
    if (account && more > 0 && !lost &&
        !add_day(l, date_local(now->zone, ledger_slot_begin(now->zone, slot)), (uint32_t)more,
                 NULL))
        return MD_NOMEM;
    p.dirty |= more != 0 || (p.own & bit) == 0;
    p.own |= bit;
    p.known |= bit;
    p.wh[slot % 24] = (uint32_t)(p.wh[slot % 24] + more);
    ledger_pages_close(l, LEDGER_HOURS, &p);
    if (slot >= l->hour_slot) {
        l->hour_slot = slot;
        l->hour_seen = c->wh;
    }
    return MD_OK;
}

static int by_hour(const void *a, const void *b)
{
    const struct ledger_hour_count *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

int ledger_count_hours(struct ledger *l, const struct ledger_now *now,
                       struct ledger_hour_count counts[], size_t n, bool account)
{
    int err = MD_OK;
    if (!may_book(l, now))
        return MD_OK;
    qsort(counts, n, sizeof counts[0], by_hour);
    for (size_t i = 0; i < n && err == MD_OK; i++)
        if (counts[i].at > now->s - LEDGER_HOURS_MAX * (int64_t)LEDGER_HOUR_S &&
            counts[i].at <= now->s + LEDGER_HOUR_S && counts[i].wh <= LEDGER_WH_MAX)
            err = book_hour(l, now, &counts[i], account);
    if (err == MD_OK && account && n > 0)
        counted(l, now);
    return err;
}

/* --- power ------------------------------------------------------------------------------------ */

/* Milliseconds since the last reading; 0: too long ago to know what was between. */
static uint64_t pause_ms(const struct ledger *l, const struct ledger_now *now)
{
    int64_t ms = l->power_mono != 0 ? (int64_t)(now->mono_ms - l->power_mono)
                                    : (now->s - l->power_at) * 1000;
    return l->power_at == 0 || ms < 0 || ms > LEDGER_GAP_S * 1000 ? 0 : (uint64_t)ms;
}

static void keep_since(struct ledger *l, int64_t slot, int64_t mwms, uint64_t ms)
{
    struct ledger_since *last = l->n_since > 0 ? &l->since[l->n_since - 1] : NULL;
    if (last == NULL || (last->slot != slot && l->n_since < LEDGER_SINCE)) {
        last = &l->since[l->n_since++];
        *last = (struct ledger_since){slot, 0};
    }
    if (last->mwms < SINCE_MAX)
        last->mwms += mwms; /* of more hours than there is room for, the last one is a sum */
    l->since_ms += ms;
}

/* Integrates up to now, hour by hour. */
static void integrate(struct ledger *l, const struct ledger_now *now, int64_t mw, uint64_t ms)
{
    int64_t slot = ledger_slot(now->zone, now->s);
    int64_t into_ms = (now->s - ledger_slot_begin(now->zone, slot)) * 1000;
    uint64_t before = (int64_t)ms > into_ms ? ms - (uint64_t)into_ms : 0;
    if (before > 0)
        keep_since(l, slot - 1, mw * (int64_t)before, before);
    keep_since(l, slot, mw * (int64_t)(ms - before), ms - before);
}

/* Rule 2, for a channel without a counter. */
static int book_power(struct ledger *l, const struct ledger_now *now)
{
    int64_t sum = l->rest + ledger_since(l, 0);
    uint32_t wh = (uint32_t)(sum / LEDGER_MWMS_PER_WH);
    if (wh == 0 || !may_book(l, now))
        return MD_OK;
    if (!add_day(l, date_local(now->zone, now->s), wh, NULL))
        return MD_NOMEM;
    add_hour(l, ledger_slot(now->zone, now->s), wh);
    l->rest = sum % LEDGER_MWMS_PER_WH;
    counted(l, now);
    return MD_OK;
}

int ledger_power(struct ledger *l, const struct ledger_now *now, int32_t mw, bool account)
{
    uint64_t ms = pause_ms(l, now);
    int32_t in = mw > 0 ? mw : 0;
    if (ms > 0)
        integrate(l, now, ((int64_t)l->mw + in) / 2, ms);
    l->mw = in;
    l->power_at = now->s;
    l->power_mono = now->mono_ms;
    return account ? book_power(l, now) : MD_OK;
}

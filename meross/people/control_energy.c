/* control_energy.c - the verbs `power` and `energy`: what plugs measure now, and what they have
 * counted.  Wh are whole numbers, and every sum is that of its rows. */
#include "meross/people/verb.h"
#include "meross/session/energy.h"
#include "meross/session/plug.h"
#include "meross/wire/namespaces.h"

#include <stdio.h>

#define DAYS       7  /* when nothing is asked for */
#define HOURS      24 /* "hours":true              */
#define PERIOD_MAX 64 /* bytes of a date           */

enum period_kind { PERIOD_NONE, PERIOD_DAYS, PERIOD_MONTH, PERIOD_DAY, PERIOD_HOURS };

struct period {
    enum period_kind kind;
    int32_t first, last;           /* days, unless ... */
    int64_t first_slot, last_slot; /* ... hours are asked for */
};

static bool of_hours(const struct period *p)
{
    return p->kind == PERIOD_DAY || p->kind == PERIOD_HOURS;
}

/* --- what is asked for ------------------------------------------------------------------------ */

static bool bad(struct verb_request *r, const char *what, const char *text, const char *fix)
{
    answer_error(r->m, &r->answer, ANSWER_INVALID, "\"%s\" is no %s: %s", text, what, fix);
    return false;
}

static bool take_day(struct verb_request *r, const char *text, struct period *p)
{
    struct ledger_now now = energy_now(r->m);
    int32_t today = date_local(now.zone, now.s);
    if (date_parse(span_str(text), &p->first) != MD_OK)
        return bad(r, "day", text, "write it as 2026-04-03");
    if (p->first > today)
        return bad(r, "day that can be told of", text, "it is in the future");
    if (p->first <= today - LEDGER_DAYS_MAX)
        return bad(r, "day that can be told of", text, "merossd keeps 400 days");
    p->last = p->first;
    p->first_slot = ledger_slot(now.zone, date_begin(now.zone, p->first));
    p->last_slot = ledger_slot(now.zone, date_begin(now.zone, p->first + 1) - 1);
    return true;
}

static bool take_month(struct verb_request *r, const char *text, struct period *p)
{
    struct ledger_now now = energy_now(r->m);
    int32_t today = date_local(now.zone, now.s), month;
    if (date_parse_month(span_str(text), &month) != MD_OK)
        return bad(r, "month", text, "write it as 2026-04");
    if (month > date_month(today))
        return bad(r, "month that can be told of", text, "it is in the future");
    if (date_month_first(month + 1) <= today - LEDGER_DAYS_MAX)
        return bad(r, "month that can be told of", text, "merossd keeps 400 days");
    p->first = date_month_first(month);
    p->last = date_month_first(month + 1) - 1;
    return true;
}

/* A number of days or hours that end now. */
static bool take_last(struct verb_request *r, struct json_at v, struct period *p)
{
    struct ledger_now now = energy_now(r->m);
    bool hours = p->kind == PERIOD_HOURS;
    int64_t n = hours ? HOURS : DAYS, most = hours ? LEDGER_HOURS_MAX : LEDGER_DAYS_MAX;
    bool given = json_exists(v) && json_type(v) != JSON_BOOL;
    if (given && (!json_int(v, &n) || n < 1 || n > most)) {
        answer_error(r->m, &r->answer, ANSWER_INVALID, "\"%s\" is a number from 1 to %d",
                     hours ? "hours" : "days", (int)most);
        return false;
    }
    p->last = date_local(now.zone, now.s);
    p->first = p->last - (int32_t)n + 1;
    p->last_slot = ledger_slot(now.zone, now.s);
    p->first_slot = p->last_slot - n + 1;
    return true;
}

/* False when it is none, which has been answered. */
static bool take_period(struct verb_request *r, struct period *p)
{
    static const char *const names[] = {"", "days", "month", "day", "hours"};
    char text[PERIOD_MAX];
    *p = (struct period){.kind = PERIOD_NONE};
    for (int kind = PERIOD_DAYS; kind <= PERIOD_HOURS; kind++) {
        if (!json_exists(json_get(r->root, names[kind])))
            continue;
        if (p->kind != PERIOD_NONE) {
            answer_error(r->m, &r->answer, ANSWER_INVALID, "\"%s\" and \"%s\" exclude each other",
                         names[p->kind], names[kind]);
            return false;
        }
        p->kind = (enum period_kind)kind;
    }
    struct json_at v = json_get(r->root, names[p->kind]);
    (void)json_text(v, text, sizeof text);
    switch (p->kind) {
    case PERIOD_MONTH:
        return take_month(r, text, p);
    case PERIOD_DAY:
        return take_day(r, text, p);
    case PERIOD_NONE:
    case PERIOD_DAYS:
    case PERIOD_HOURS:
        break;
    }
    return take_last(r, v, p);
}

/* The channel that is asked for, -1 for all; false when it is none, which has been answered. */
static bool take_channel(struct verb_request *r, int *channel)
{
    struct json_at v = json_get(r->root, "channel");
    int64_t n = -1;
    if (json_exists(v) && (!json_int(v, &n) || n < 0 || n > UINT8_MAX)) {
        answer_error(r->m, &r->answer, ANSWER_INVALID, "\"channel\" is a number from 0 to %d",
                     UINT8_MAX);
        return false;
    }
    *channel = (int)n;
    return true;
}

/* The plug, which meters, or NULL, which has been answered. */
static struct device *find_meter(struct verb_request *r)
{
    struct device *d = verb_find(r);
    if (d == NULL || energy_meters(d) || book_next(r->m->book, d->uuid_key, -1) >= 0)
        return d;
    if (d->abilities == NULL)
        answer_error(r->m, &r->answer, ANSWER_UNSUPPORTED,
                     "it is not known yet whether %s measures power: it has to be online once",
                     d->name);
    else
        answer_error(r->m, &r->answer, ANSWER_UNSUPPORTED,
                     "%s (%s) does not measure power; `merossd power` shows the plugs that do",
                     d->name, d->type);
    return NULL;
}

/* --- energy ----------------------------------------------------------------------------------- */

/* "2026-10-25T02:00+02:00" */
static void write_hour_text(struct json_writer *w, const struct zone *zone, int64_t begin)
{
    char text[DATE_TEXT + 16];
    int32_t offset = date_offset(zone, begin), minutes = (offset < 0 ? -offset : offset) / 60;
    int64_t local = begin + offset;
    date_text(date_local(zone, begin), text);
    (void)snprintf(text + DATE_TEXT - 1, sizeof text - DATE_TEXT + 1, "T%02d:%02d%c%02d:%02d",
                   (int)(local / 3600 % 24), (int)(local / 60 % 60), offset < 0 ? '-' : '+',
                   minutes / 60 % 100, minutes % 60);
    json_write_pair(w, "hour", text);
}

/* One row; false: nothing is known of it. */
static bool write_row(struct json_writer *w, const struct ledger *l, const struct ledger_now *now,
                      const struct period *p, int64_t at, int64_t *sum)
{
    char text[DATE_TEXT];
    uint32_t wh;
    bool known = of_hours(p) ? ledger_hour(l, at, &wh) : ledger_day(l, (int32_t)at, &wh);
    if (!known)
        return false;
    json_write_open(w, '{');
    if (of_hours(p)) {
        int64_t begin = ledger_slot_begin(now->zone, at);
        write_hour_text(w, now->zone, begin);
        json_write_pair_int(w, "begin", begin);
    } else {
        date_text((int32_t)at, text);
        json_write_pair(w, "day", text);
    }
    json_write_pair_int(w, "wh", wh);
    json_write_close(w, '}');
    *sum += wh;
    return true;
}

static int64_t write_rows(struct json_writer *w, const struct ledger *l,
                          const struct ledger_now *now, const struct period *p)
{
    int64_t sum = 0, last = of_hours(p) ? p->last_slot : p->last;
    json_write_name(w, "rows");
    json_write_open(w, '[');
    for (int64_t at = of_hours(p) ? p->first_slot : p->first; at <= last; at++)
        (void)write_row(w, l, now, p, at, &sum);
    json_write_close(w, ']');
    return sum;
}

/* What is booked for the whole period: of a day more than its hours, when some are not known. */
static int64_t booked(const struct ledger *l, const struct period *p)
{
    int64_t sum = 0;
    uint32_t wh;
    bool slots = p->kind == PERIOD_HOURS;
    for (int64_t at = slots ? p->first_slot : p->first; at <= (slots ? p->last_slot : p->last);
         at++) {
        (void)(slots ? ledger_hour(l, at, &wh) : ledger_day(l, (int32_t)at, &wh));
        sum += wh;
    }
    return sum;
}

static void write_totals(struct json_writer *w, const struct ledger *l,
                         const struct ledger_now *now, unsigned channel)
{
    uint32_t today;
    int32_t day = date_local(now->zone, now->s);
    (void)ledger_day(l, day, &today);
    json_write_pair_int(w, "channel", channel);
    json_write_pair_int(w, "total", l->total);
    json_write_pair_int(w, "month", ledger_month_wh(l, date_month(day)));
    json_write_pair_int(w, "today", today);
    json_write_pair_int(w, "counted", l->counted_at);
}

static void answer_plug(struct verb_request *r, const struct device *d, const struct period *p,
                        int channel)
{
    struct json_writer w;
    struct buf b;
    struct ledger_now now = energy_now(r->m);
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "name", d->name);
    json_write_pair(&w, "zone", now.zone != NULL ? now.zone->name : "UTC");
    json_write_name(&w, "channels");
    json_write_open(&w, '[');
    for (int c = -1; (c = book_next(r->m->book, d->uuid_key, c)) >= 0;) {
        const struct ledger *l = book_find(r->m->book, d->uuid_key, (unsigned)c);
        if (channel >= 0 && c != channel)
            continue;
        json_write_open(&w, '{');
        write_totals(&w, l, &now, (unsigned)c);
        json_write_pair_int(&w, "wh", booked(l, p));
        json_write_pair_int(&w, "sum", write_rows(&w, l, &now, p));
        json_write_close(&w, '}');
    }
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

static void answer_all(struct verb_request *r, const struct period *p)
{
    struct json_writer w;
    struct buf b;
    struct ledger_now now = energy_now(r->m);
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "zone", now.zone != NULL ? now.zone->name : "UTC");
    json_write_name(&w, "plugs");
    json_write_open(&w, '[');
    for (struct device *d = registry_next(r->m->registry, NULL); d != NULL;
         d = registry_next(r->m->registry, d))
        for (int c = -1; d->announced && (c = book_next(r->m->book, d->uuid_key, c)) >= 0;) {
            const struct ledger *l = book_find(r->m->book, d->uuid_key, (unsigned)c);
            json_write_open(&w, '{');
            json_write_pair(&w, "name", d->name);
            write_totals(&w, l, &now, (unsigned)c);
            json_write_pair_int(&w, "wh", booked(l, p));
            json_write_close(&w, '}');
        }
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

void verb_energy(struct verb_request *r)
{
    struct period p;
    int channel;
    bool one = json_exists(json_get(r->root, "plug"));
    const struct device *d = one ? find_meter(r) : NULL;
    if ((one && d == NULL) || !take_period(r, &p) || !take_channel(r, &channel))
        return;
    if (one)
        energy_count(d->plug);
    if (!one)
        answer_all(r, &p);
    else if (channel >= 0 && book_find(r->m->book, d->uuid_key, (unsigned)channel) == NULL)
        answer_error(r->m, &r->answer, ANSWER_INVALID, "%s has counted nothing on channel %d",
                     d->name, channel);
    else
        answer_plug(r, d, &p, channel);
}

/* --- power ------------------------------------------------------------------------------------ */

static void write_channel(struct json_writer *w, const struct meross *m, const struct device *d,
                          unsigned channel)
{
    const struct ledger *l = book_find(m->book, d->uuid_key, channel);
    if (facts_get(&d->facts, facts_channel(channel), FACT_POWER) == NULL)
        return;
    json_write_open(w, '{');
    json_write_pair_int(w, "channel", channel);
    if (l != NULL && l->power_mono != 0)
        json_write_pair_int(w, "age", (int64_t)((env_mono_ms(m->env) - l->power_mono) / 1000));
    facts_write(w, &d->facts, facts_channel(channel));
    json_write_close(w, '}');
}

static void write_plug(struct json_writer *w, const struct meross *m, struct device *d)
{
    energy_watch(d->plug);
    json_write_open(w, '{');
    json_write_pair(w, "name", d->name);
    json_write_pair_bool(w, "online", d->online);
    json_write_name(w, "channels");
    json_write_open(w, '[');
    for (unsigned c = 0; c <= UINT8_MAX; c++)
        write_channel(w, m, d, c);
    json_write_close(w, ']');
    json_write_close(w, '}');
}

void verb_power(struct verb_request *r)
{
    struct json_writer w;
    struct buf b;
    bool one = json_exists(json_get(r->root, "plug"));
    struct device *only = one ? find_meter(r) : NULL;
    if (one && only == NULL)
        return;
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, "plugs");
    json_write_open(&w, '[');
    for (struct device *d = registry_next(r->m->registry, NULL); d != NULL;
         d = registry_next(r->m->registry, d))
        if (one ? d == only : d->announced && energy_meters(d))
            write_plug(&w, r->m, d);
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

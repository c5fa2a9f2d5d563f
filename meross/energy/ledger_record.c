#include "meross/energy/ledger_record.h"

#include "meross/wire/json.h"

#define FORMAT     1
#define SECOND_MAX 253402300799 /* the end of 9999 */
#define TOTAL_MAX  ((int64_t)1 << 60)
#define REST_MAX   ((int64_t)1 << 61)

static void start(struct json_writer *w)
{
    json_write_open(w, '{');
    json_write_pair_int(w, "format", FORMAT);
}

void ledger_write_total(struct json_writer *w, const struct ledger *l)
{
    start(w);
    json_write_pair_int(w, "total", l->total);
    json_write_pair_int(w, "shown", l->shown);
    json_write_pair_int(w, "counted", l->counted_at);
    json_write_pair_int(w, "last_day", l->last_day);
    json_write_pair_int(w, "last_seen", l->last_seen);
    json_write_pair_int(w, "hour", l->hour_slot);
    json_write_pair_int(w, "hour_seen", l->hour_seen);
    json_write_pair_bool(w, "carries", l->carries);
    json_write_pair_int(w, "today", l->today);
    json_write_pair_int(w, "today_shown", l->today_shown);
    json_write_pair_int(w, "this_month", l->this_month);
    json_write_pair_int(w, "month_shown", l->month_shown);
    json_write_pair_int(w, "mw", l->mw);
    json_write_pair_int(w, "at", l->power_at);
    json_write_pair_int(w, "rest", l->rest);
    json_write_close(w, '}');
}

static void write_list(struct json_writer *w, const char *name, const uint32_t v[], uint32_t known,
                       unsigned n)
{
    json_write_name(w, name);
    json_write_open(w, '[');
    for (unsigned i = 0; i < n; i++)
        json_write_int(w, (known & 1u << i) != 0 ? (int64_t)v[i] : -1);
    json_write_close(w, ']');
}

static void write_month(struct json_writer *w, const struct ledger_page *m)
{
    char text[DATE_TEXT];
    start(w);
    date_month_text(m->number, text);
    json_write_pair(w, "month", text);
    write_list(w, "wh", m->wh, m->known, 31);
    if (memcmp(m->wh, m->seen, sizeof m->wh) != 0)
        write_list(w, "seen", m->seen, m->known, 31);
    json_write_close(w, '}');
}

static void write_span(struct json_writer *w, const struct ledger_page *s)
{
    start(w);
    json_write_pair_int(w, "day", s->number);
    write_list(w, "wh", s->wh, s->known, 24);
    json_write_pair_int(w, "own", s->own);
    json_write_close(w, '}');
}

void ledger_write_page(struct json_writer *w, enum ledger_kind kind, const struct ledger_page *page)
{
    if (kind == LEDGER_DAYS)
        write_month(w, page);
    else
        write_span(w, page);
}

/* A member that may be missing (0) but not be anything else. */
static bool number(struct json_at r, const char *name, int64_t max, int64_t *out)
{
    struct json_at v = json_get(r, name);
    *out = 0;
    return !json_exists(v) || (json_int(v, out) && *out >= 0 && *out <= max);
}

/* The members of a total, and how large they may be. */
static const struct {
    const char *name;
    int64_t max;
} total_members[] = {{"total", TOTAL_MAX},
                     {"shown", TOTAL_MAX},
                     {"counted", SECOND_MAX},
                     {"last_day", DATE_MAX},
                     {"last_seen", UINT32_MAX},
                     {"hour", SECOND_MAX / 3600},
                     {"hour_seen", UINT32_MAX},
                     {"carries", 1},
                     {"today", DATE_MAX},
                     {"today_shown", TOTAL_MAX},
                     {"this_month", DATE_MAX / 28},
                     {"month_shown", TOTAL_MAX},
                     {"mw", LEDGER_MW_MAX},
                     {"at", SECOND_MAX},
                     {"rest", REST_MAX}};

#define TOTAL_MEMBERS (sizeof total_members / sizeof total_members[0])

static int read_total(struct ledger *l, struct json_at r)
{
    int64_t v[TOTAL_MEMBERS];
    for (size_t i = 0; i < TOTAL_MEMBERS; i++)
        if (!number(r, total_members[i].name, total_members[i].max, &v[i]))
            return MD_CORRUPT;
    l->total = v[0];
    l->shown = v[1];
    l->counted_at = l->saved_at = v[2];
    l->last_day = (int32_t)v[3];
    l->last_seen = (uint32_t)v[4];
    l->hour_slot = v[5];
    l->hour_seen = (uint32_t)v[6];
    l->carries = v[7] != 0;
    l->today = (int32_t)v[8];
    l->today_shown = v[9];
    l->this_month = (int32_t)v[10];
    l->month_shown = v[11];
    l->mw = (int32_t)v[12];
    l->power_at = v[13];
    l->rest = v[14];
    return MD_OK;
}

/* Exactly n numbers, -1 for unknown. */
static bool list(struct json_at v, uint32_t out[], uint32_t *known, unsigned n)
{
    unsigned i = 0;
    *known = 0;
    if (json_type(v) != JSON_LIST)
        return false;
    JSON_EACH(it, v)
    {
        int64_t value;
        if (i == n || !json_int(it, &value) || value < -1 || value > UINT32_MAX)
            return false;
        if (value >= 0)
            *known |= 1u << i;
        out[i++] = value >= 0 ? (uint32_t)value : 0;
    }
    return i == n;
}

static bool month_is(struct json_at v, int32_t *month)
{
    char text[DATE_TEXT];
    return json_text(v, text, sizeof text) && date_parse_month(span_str(text), month) == MD_OK;
}

/* Unless there is a newer one. */
static int keep(struct ledger *l, enum ledger_kind kind, const struct ledger_page *page)
{
    struct ledger_page old;
    int err = ledger_pages_open(l, kind, page->number, &old);
    if (err == MD_OK)
        ledger_pages_close(l, kind, page);
    return err != MD_EXIST ? err : MD_OK;
}

static int read_month(struct ledger *l, struct json_at r)
{
    struct ledger_page m = {.dirty = false};
    uint32_t seen_known;
    if (!month_is(json_get(r, "month"), &m.number) || !list(json_get(r, "wh"), m.wh, &m.known, 31))
        return MD_CORRUPT;
    memcpy(m.seen, m.wh, sizeof m.seen);
    if (json_exists(json_get(r, "seen")) &&
        (!list(json_get(r, "seen"), m.seen, &seen_known, 31) || seen_known != m.known))
        return MD_CORRUPT;
    if ((uint64_t)m.known >> (date_month_first(m.number + 1) - date_month_first(m.number)) != 0)
        return MD_CORRUPT; /* a day that the month has not */
    return keep(l, LEDGER_DAYS, &m);
}

static int read_span(struct ledger *l, struct json_at r)
{
    struct ledger_page s = {.dirty = false};
    int64_t day, own;
    if (!number(r, "day", DATE_MAX + 1, &day) || !list(json_get(r, "wh"), s.wh, &s.known, 24) ||
        !number(r, "own", (1 << 24) - 1, &own))
        return MD_CORRUPT;
    s.number = (int32_t)day;
    s.own = (uint32_t)own & s.known;
    return keep(l, LEDGER_HOURS, &s);
}

static int read_any(struct ledger *l, struct json_at r)
{
    int64_t format;
    if (!json_int(json_get(r, "format"), &format) || format != FORMAT)
        return MD_CORRUPT;
    if (json_exists(json_get(r, "total")))
        return read_total(l, r);
    return json_exists(json_get(r, "month")) ? read_month(l, r) : read_span(l, r);
}

int ledger_read(struct ledger *l, struct span record)
{
    struct json json;
    int err = json_parse(&json, record);
    if (err != MD_OK)
        return err == MD_NOMEM ? MD_NOMEM : MD_CORRUPT;
    err = json_type(json_root(&json)) == JSON_OBJECT ? read_any(l, json_root(&json)) : MD_CORRUPT;
    json_free(&json);
    return err;
}

void ledger_loaded(struct ledger *l)
{
    struct ledger_page p;
    int64_t sum = 0;
    for (size_t at = 0; ledger_pages_next(l, LEDGER_DAYS, &at, &p);)
        sum += ledger_month_wh(l, p.number);
    if (l->total < sum) {
        l->total = sum;
        l->dirty = true;
    }
}

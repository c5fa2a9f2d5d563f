#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define LOAD_MW  12345 /* what hangs on a channel, unless its model says more */
#define LOAD_MA  61
#define VOLTAGE  2331         /* tenths of a volt */
#define PER_WH   3600000000LL /* milliwatts times milliseconds */
#define PIECE_MS 900000       /* every local midnight is at the end of a quarter of an hour */
#define STALE_S  300          /* so long a new day shows the value of the one before */
#define HOUR_MS  3600000

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

void sim_meter_init(struct simplug *p, uint64_t now)
{
    const struct sim_tree *loads = sim_tree_get(p->model.root, "loads");
    const struct sim_tree *load = loads != NULL ? loads->child : NULL;
    p->meter.at = now;
    for (unsigned c = 0; c < SIM_METER_CHANNELS; c++) {
        p->meter.load_mw[c] = loads == NULL ? LOAD_MW : sim_tree_number(load, 0);
        load = load != NULL ? load->next : NULL;
    }
}

static bool has_relays(const struct simplug *p)
{
    return simplug_has(p, "Appliance.Control.ToggleX") ||
           simplug_has(p, "Appliance.Control.Toggle");
}

/* Milliwatts on a channel now.  Channel 0 of several is the master and has none itself. */
static int64_t flows(const struct simplug *p, unsigned channel)
{
    bool relays = has_relays(p);
    if (relays && (channel >= p->opt.channels || (channel == 0 && p->opt.channels > 1)))
        return 0;
    return !relays || p->st.relay[channel] ? p->meter.load_mw[channel] : 0;
}

static int64_t all_flows(const struct simplug *p)
{
    int64_t sum = 0;
    for (unsigned c = 0; c < SIM_METER_CHANNELS; c++)
        sum += flows(p, c);
    return sum;
}

static struct sim_meter_day *today(struct simplug *p, int64_t device_s)
{
    struct sim_meter *m = &p->meter;
    struct sim_meter_day *day = &m->day[m->day_at];
    char date[11];
    simplug_time_date(p, device_s, date);
    if (strcmp(day->date, date) == 0)
        return day;
    int64_t carried = day->date[0] != '\0' && p->opt.midnight_carry ? day->mwms : 0;
    int64_t before = day->date[0] != '\0' ? day->mwms / PER_WH : 0;
    if (day->date[0] != '\0')
        m->day_at = (m->day_at + 1) % SIM_METER_DAYS;
    day = &m->day[m->day_at];
    *day = (struct sim_meter_day){.time_s = device_s, .begin_s = device_s};
    memcpy(day->date, date, sizeof date);
    day->stale_wh = p->opt.midnight_stale ? before : 0;
    day->mwms = carried;
    return day;
}

static struct sim_meter_hour *this_hour(struct simplug *p, unsigned channel, int64_t device_s)
{
    int64_t hour = device_s / 3600;
    struct sim_meter_hour *h = &p->meter.hour[channel][hour % SIM_METER_HOURS];
    if (h->hour != hour)
        *h = (struct sim_meter_hour){.hour = hour};
    return h;
}

static void new_month(struct simplug *p, const char *date)
{
    if (memcmp(p->meter.month, date, 7) == 0)
        return;
    memcpy(p->meter.month, date, 7);
    memset(p->meter.month_mwms, 0, sizeof p->meter.month_mwms);
}

/* All of the piece is in one hour and one local day; device_s is its last second. */
static void count_piece(struct simplug *p, int64_t ms, int64_t device_s)
{
    struct sim_meter_day *day = today(p, device_s);
    new_month(p, day->date);
    day->time_s = device_s;
    for (unsigned c = 0; c < SIM_METER_CHANNELS; c++) {
        int64_t mwms = flows(p, c) * ms;
        p->meter.total_mwms[c] += mwms;
        p->meter.month_mwms[c] += mwms;
        day->mwms += mwms > 0 ? mwms : 0;
        this_hour(p, c, device_s)->mwms += mwms > 0 ? mwms : 0;
    }
}

void sim_meter_count(struct simplug *p, uint64_t now)
{
    while (p->st.zone && p->meter.at < now) {
        int64_t device = simplug_device_ms(p, p->meter.at);
        int64_t ms = PIECE_MS - device % PIECE_MS, left = (int64_t)(now - p->meter.at);
        ms = ms < left ? ms : left;
        count_piece(p, ms, (device + ms - 1) / 1000);
        p->meter.at += (uint64_t)ms;
    }
    p->meter.at = now;
    if (p->st.zone) /* the day exists from its first moment on */
        today(p, simplug_device_ms(p, now) / 1000)->time_s = simplug_device_ms(p, now) / 1000;
}

int64_t simplug_true_wh(struct simplug *p, unsigned channel, uint64_t now)
{
    sim_meter_count(p, now);
    return channel < SIM_METER_CHANNELS ? p->meter.total_mwms[channel] / PER_WH : 0;
}

/* Milliamperes that make so many milliwatts. */
static int64_t current(int64_t mw) { return mw * LOAD_MA / LOAD_MW; }

int sim_meter_get_electricity(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    int64_t channel = 0;
    int asked = sim_json_get(&p->json, payload, "electricity");
    if (sim_json_is(&p->json, asked, JSMN_ARRAY))
        asked = sim_json_first(&p->json, asked);
    (void)now;
    if (sim_json_int(&p->json, sim_json_get(&p->json, asked, "channel"), &channel) &&
        channel != 0) {
        simplug_violate(p, "Electricity of channel %lld, which it has not", (long long)channel);
        return MD_INVAL;
    }
    /* Sheet 4.5: without zone and rules the meter reads zero throughout. */
    int64_t mw = p->st.zone ? all_flows(p) : 0;
    TRY(buf_putf(out,
                 "{\"electricity\":{\"channel\":0,\"current\":%lld,\"voltage\":%d,\"power\":%lld",
                 (long long)current(mw), p->st.zone ? VOLTAGE : 0, (long long)mw));
    if (!p->opt.bind_as_push)
        TRY(buf_put_str(out, ",\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}"));
    return buf_put_str(out, "}}");
}

/* Calls for each channel that is asked: {"key":[{"channel":1}]}, or all of them with an empty one.
 * false: it asked for one that is none. */
static bool asked_channels(struct simplug *p, int list, unsigned first, unsigned last,
                           unsigned *channels)
{
    const struct sim_json *j = &p->json;
    bool array = sim_json_is(j, list, JSMN_ARRAY);
    int n = array ? sim_json_count(j, list) : sim_json_get(j, list, "channel") >= 0;
    int at = array ? sim_json_first(j, list) : list;
    *channels = 0;
    for (int i = 0; i < n; i++, at = sim_json_next(j, at)) {
        int64_t channel = -1;
        (void)sim_json_int(j, sim_json_get(j, at, "channel"), &channel);
        if (channel < first || channel > last) {
            simplug_violate(p, "a meter for channel %lld, which it has not", (long long)channel);
            return false;
        }
        *channels |= 1u << channel;
    }
    for (unsigned c = first; n == 0 && c <= last; c++)
        *channels |= 1u << c;
    return true;
}

static void range(const struct simplug *p, unsigned *first, unsigned *last)
{
    *first = p->opt.meters > 1 ? 1 : 0;
    *last = p->opt.meters > 1 ? p->opt.meters : 0;
}

static int put_x(const struct simplug *p, struct buf *out, unsigned c)
{
    int64_t mw = p->st.zone ? flows(p, c) : 0;
    return buf_putf(out,
                    "{\"channel\":%u,\"current\":%lld,\"voltage\":%d,\"power\":%lld,"
                    "\"mConsume\":%lld,\"factor\":%s}",
                    c, (long long)current(mw), p->st.zone ? VOLTAGE * 100 : 0, (long long)mw,
                    (long long)(p->meter.month_mwms[c] / PER_WH),
                    mw < 0   ? "-0.97"
                    : mw > 0 ? "0.98"
                             : "0.0");
}

int sim_meter_get_x(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    unsigned channels, first, last;
    bool any = false;
    range(p, &first, &last);
    if (!asked_channels(p, sim_json_get(&p->json, payload, "electricity"), first, last, &channels))
        return MD_INVAL;
    sim_meter_count(p, now);
    TRY(buf_put_str(out, "{\"electricity\":["));
    for (unsigned c = first; c <= last; c++) {
        if ((channels >> c & 1) == 0)
            continue;
        TRY(buf_put_str(out, any ? "," : ""));
        TRY(put_x(p, out, c));
        any = true;
    }
    return buf_put_str(out, "]}");
}

/* What the entry shows; sheet 5.4: some begin the day with yesterday's value. */
static int64_t shown(const struct sim_meter_day *day)
{
    bool stale = day->stale_wh > 0 && day->time_s < day->begin_s + STALE_S;
    return stale ? day->stale_wh : day->mwms / PER_WH;
}

int sim_meter_get_days(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    const struct sim_meter *m = &p->meter;
    bool any = false;
    (void)payload;
    sim_meter_count(p, now);
    TRY(buf_put_str(out, "{\"consumptionx\":["));
    /* Today first, then the ring as it lies: in no order. */
    for (size_t i = 0; i < SIM_METER_DAYS; i++) {
        const struct sim_meter_day *day = &m->day[(m->day_at + i) % SIM_METER_DAYS];
        if (day->date[0] == '\0')
            continue;
        TRY(buf_putf(out, "%s{\"date\":\"%s\",\"time\":%lld,\"value\":%lld}", any ? "," : "",
                     day->date, (long long)day->time_s, (long long)shown(day)));
        any = true;
    }
    return buf_put_str(out, "]}");
}

static int put_hours(const struct simplug *p, struct buf *out, unsigned c, int64_t device_s)
{
    int64_t this = device_s / 3600, total = 0;
    for (unsigned i = 0; i < SIM_METER_HOURS; i++)
        total += p->meter.hour[c][i].mwms / PER_WH;
    TRY(buf_putf(out, "{\"channel\":%u,\"total\":%lld,\"data\":[", c, (long long)total));
    bool any = false;
    for (int64_t h = this - SIM_METER_HOURS + 1; h <= this; h++) {
        const struct sim_meter_hour *slot = &p->meter.hour[c][h % SIM_METER_HOURS];
        if (slot->hour != h)
            continue;
        int64_t end = h == this ? device_s : h * 3600 + 3540;
        TRY(buf_putf(out, "%s{\"timestamp\":%lld,\"value\":%lld}", any ? "," : "", (long long)end,
                     (long long)(slot->mwms / PER_WH)));
        any = true;
    }
    return buf_put_str(out, "]}");
}

int sim_meter_get_hours(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    unsigned channels, first, last;
    bool any = false;
    range(p, &first, &last);
    if (!asked_channels(p, sim_json_get(&p->json, payload, "consumptionH"), first, last, &channels))
        return MD_INVAL;
    sim_meter_count(p, now);
    TRY(buf_put_str(out, "{\"consumptionH\":["));
    for (unsigned c = first; c <= last && p->st.zone; c++) {
        if ((channels >> c & 1) == 0)
            continue;
        TRY(buf_put_str(out, any ? "," : ""));
        TRY(put_hours(p, out, c, simplug_device_ms(p, now) / 1000));
        any = true;
    }
    return buf_put_str(out, "]}");
}

int sim_meter_get_config(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)p;
    (void)payload;
    (void)now;
    return buf_put_str(out, "{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}");
}

void simplug_clear_counter(struct simplug *p, uint64_t now)
{
    sim_meter_count(p, now);
    p->meter.day[p->meter.day_at].mwms = 0;
}

void simplug_set_load(struct simplug *p, unsigned channel, int64_t milliwatts, uint64_t now)
{
    sim_meter_count(p, now);
    if (channel < SIM_METER_CHANNELS)
        p->meter.load_mw[channel] = milliwatts;
}

#include "meross/energy/reading.h"

#include <stdlib.h>

static int32_t value_of(struct json_at v, int32_t limit)
{
    int64_t n;
    return json_int(v, &n) && n >= -(int64_t)limit && n <= limit ? (int32_t)n : READING_NONE;
}

/* A fraction such as 0.97. */
static int32_t factor_of(struct json_at v)
{
    char text[32], *end;
    if (!json_text(v, text, sizeof text) || text[0] == '\0')
        return READING_NONE;
    double f = strtod(text, &end);
    return *end == '\0' && f >= -1 && f <= 1 ? (int32_t)(f * 1000 + (f < 0 ? -0.5 : 0.5))
                                             : READING_NONE;
}

static bool channel_of(struct json_at v, unsigned *out)
{
    int64_t n = 0;
    struct json_at channel = json_get(v, "channel");
    if (json_exists(channel) && (!json_int(channel, &n) || n < 0 || n > UINT8_MAX))
        return false;
    *out = (unsigned)n;
    return true;
}

static bool read_one(struct json_at v, bool millivolts, struct reading *out)
{
    unsigned channel;
    int32_t volts = value_of(json_get(v, "voltage"), 10000000);
    struct reading r = {.mw = value_of(json_get(v, "power"), LEDGER_MW_MAX),
                        .dv = volts,
                        .ma = value_of(json_get(v, "current"), 1000000),
                        .month_wh = value_of(json_get_nocase(v, "mConsume"), 1000000000),
                        .factor = factor_of(json_get(v, "factor"))};
    if (millivolts && volts != READING_NONE)
        r.dv = (volts + 50) / 100;
    if (!channel_of(v, &channel) || r.mw == READING_NONE)
        return false;
    r.channel = (uint8_t)channel;
    *out = r;
    return true;
}

size_t reading_electricity(struct json_at payload, bool millivolts,
                           struct reading out[READING_CHANNELS])
{
    size_t n = 0;
    JSON_EACH(it, json_get_nocase(payload, "electricity"))
    if (n < READING_CHANNELS && read_one(it, millivolts, &out[n]))
        n++;
    return n;
}

size_t reading_days(struct json_at payload, struct ledger_day_count out[READING_DAYS])
{
    size_t n = 0;
    JSON_EACH(it, json_get_nocase(payload, "consumptionx"))
    {
        char date[DATE_TEXT];
        int64_t wh, at = 0;
        int32_t day;
        (void)json_int(json_get(it, "time"), &at);
        if (n == READING_DAYS || !json_text(json_get(it, "date"), date, sizeof date) ||
            date_parse(span_str(date), &day) != MD_OK || !json_int(json_get(it, "value"), &wh) ||
            wh < 0 || wh > LEDGER_WH_MAX)
            continue;
        out[n++] = (struct ledger_day_count){day, at > 0 ? at : 0, (uint32_t)wh};
    }
    return n;
}

struct json_at reading_hours_list(struct json_at payload)
{
    return json_get_nocase(payload, "consumptionH");
}

size_t reading_hours(struct json_at element, unsigned *channel,
                     struct ledger_hour_count out[READING_HOURS])
{
    size_t n = 0;
    if (!channel_of(element, channel))
        return 0;
    JSON_EACH(it, json_get(element, "data"))
    {
        int64_t wh, at;
        if (n == READING_HOURS || !json_int(json_get(it, "timestamp"), &at) || at <= 0 ||
            at > INT32_MAX * (int64_t)8 || !json_int(json_get(it, "value"), &wh) || wh < 0 ||
            wh > LEDGER_WH_MAX)
            continue;
        out[n++] = (struct ledger_hour_count){at, (uint32_t)wh};
    }
    return n;
}

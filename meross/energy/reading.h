/* reading.h - what plugs say about power and energy, in one shape: mW, 0.1 V, mA, Wh.
 *
 * Numbers may be strings, lists single objects, channels missing; what is no reading is left out.
 * Pure. */
#ifndef MEROSS_READING_H
#define MEROSS_READING_H

#include "meross/energy/ledger.h"
#include "meross/wire/json.h"

#define READING_CHANNELS 16
#define READING_DAYS     64 /* plugs keep 30 */
#define READING_HOURS    64 /* plugs keep 24 */
#define READING_NONE     INT32_MIN

struct reading { /* READING_NONE: not told */
    uint8_t channel;
    int32_t mw, dv, ma; /* 0.1 V */
    int32_t month_wh;
    int32_t factor; /* thousandths, -1000 to 1000 */
};

/* Appliance.Control.Electricity and, with millivolts, ElectricityX; returns how many. */
size_t reading_electricity(struct json_at payload, bool millivolts,
                           struct reading out[READING_CHANNELS]);

/* ConsumptionX; returns how many. */
size_t reading_days(struct json_at payload, struct ledger_day_count out[READING_DAYS]);

/* ConsumptionH: one element of its list; returns how many hours.  *channel is 0 when not told. */
struct json_at reading_hours_list(struct json_at payload);
size_t reading_hours(struct json_at element, unsigned *channel,
                     struct ledger_hour_count out[READING_HOURS]);

#endif

/* sim_meter.h - the meter of a simulated plug: a load on each channel that is on, counted by the
 * plug's own clock into hours, local days and the month.
 *
 * Its habits are those of section 5.4 of the sheet: days in a ring in no order, days of 23 and 25
 * hours, and on demand a new day that begins with yesterday's value. */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_METER_H
#define TESTS_PLUGSIM_FAMILY_SIM_METER_H

#include "broker/base/buf.h"

#define SIM_METER_CHANNELS 8
#define SIM_METER_DAYS     30
#define SIM_METER_HOURS    24

struct simplug;

struct sim_meter_day {
    char date[11]; /* "" : free */
    int64_t time_s, mwms, stale_wh, begin_s;
};

struct sim_meter_hour {
    int64_t hour, mwms; /* hour: of UTC since 1970; 0: free */
};

struct sim_meter {
    uint64_t at;                         /* counted up to here */
    int64_t load_mw[SIM_METER_CHANNELS]; /* while it is on; negative: it feeds the mains */
    struct sim_meter_day day[SIM_METER_DAYS];
    size_t day_at; /* of today */
    struct sim_meter_hour hour[SIM_METER_CHANNELS][SIM_METER_HOURS];
    int64_t total_mwms[SIM_METER_CHANNELS], month_mwms[SIM_METER_CHANNELS];
    char month[8];
};

void sim_meter_init(struct simplug *p, uint64_t now);  /* the loads of its model */
void sim_meter_count(struct simplug *p, uint64_t now); /* what flowed until now */

/* Handlers as those of simplug_do.c. */
int sim_meter_get_electricity(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_meter_get_x(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_meter_get_days(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_meter_get_hours(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_meter_get_config(struct simplug *p, int payload, struct buf *out, uint64_t now);

#endif

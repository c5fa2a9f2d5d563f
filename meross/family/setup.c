/* setup.c - how garage openers (sheet 5.6) and roller shutters (sheet 5.7) are set up.  Devices
 * count in milliseconds, people in seconds.  What is set is written whole, with the rest as it is
 * known, so that nothing depends on whether a device takes a part of it. */
#include "meross/family/family_int.h"

#define MS 3 /* decimals of a second */

static void take_times(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "doorOpenDuration"), FACT_OPEN_TIME, MS);
    family_number(at, json_get(e, "doorCloseDuration"), FACT_CLOSE_TIME, MS);
    family_flag(at, json_get(e, "buzzerEnable"), FACT_BUZZER);
}

static void write_times(struct json_writer *w, const struct family_ask *ask)
{
    family_write_kept(w, ask, "buzzerEnable", FACT_BUZZER, 0);
    family_write_kept(w, ask, "doorOpenDuration", FACT_OPEN_TIME, MS);
    family_write_kept(w, ask, "doorCloseDuration", FACT_CLOSE_TIME, MS);
}

/* --- one door ------------------------------------------------------------------------------ */

static void take_garage(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "signalDuration"), FACT_SIGNAL_TIME, MS);
    take_times(at, e);
}

static void write_garage(struct json_writer *w, const struct family_ask *ask)
{
    family_write_kept(w, ask, "signalDuration", FACT_SIGNAL_TIME, MS);
    write_times(w, ask);
}

/* Where each door has its own, the one for all is not asked for. */
static bool is_single(const struct device *d) { return !device_has_ability(d, NS_DOORS_SETUP); }

#define SECONDS(fact, least, most)                                                                 \
    .name = (fact), .kind = FACT_NUMBER, .min = (least)*INT64_C(1000),                             \
    .max = (most)*INT64_C(1000), .decimals = MS

/* The limits are ours: no pulse that a motor takes for a pressed button, no run of a quarter
 * hour. */
#define PULSE_MAX 10
#define RUN_MAX   600

static const struct family_key garage_keys[] = {
    {.name = FACT_BUZZER, .kind = FACT_BOOL, .can = is_single},
    {SECONDS(FACT_SIGNAL_TIME, 0, PULSE_MAX), .can = is_single},
    {SECONDS(FACT_OPEN_TIME, 1, RUN_MAX), .can = is_single},
    {SECONDS(FACT_CLOSE_TIME, 1, RUN_MAX), .can = is_single},
    {.name = NULL}};

/* --- several doors ------------------------------------------------------------------------- */

static void take_doors(const struct family_at *at, struct json_at e)
{
    family_door_enabled(at, e);
    family_number(at, json_get(e, "signalOpen"), FACT_SIGNAL_OPEN, MS);
    family_number(at, json_get(e, "signalClose"), FACT_SIGNAL_CLOSE, MS);
    take_times(at, e);
}

static void write_doors(struct json_writer *w, const struct family_ask *ask)
{
    family_write_kept(w, ask, "doorEnable", FACT_DOOR_ENABLED, 0);
    family_write_kept(w, ask, "signalOpen", FACT_SIGNAL_OPEN, MS);
    family_write_kept(w, ask, "signalClose", FACT_SIGNAL_CLOSE, MS);
    write_times(w, ask);
}

static const struct family_key doors_keys[] = {{.name = FACT_DOOR_ENABLED, .kind = FACT_BOOL},
                                               {.name = FACT_BUZZER, .kind = FACT_BOOL},
                                               {SECONDS(FACT_SIGNAL_OPEN, 0, PULSE_MAX)},
                                               {SECONDS(FACT_SIGNAL_CLOSE, 0, PULSE_MAX)},
                                               {SECONDS(FACT_OPEN_TIME, 1, RUN_MAX)},
                                               {SECONDS(FACT_CLOSE_TIME, 1, RUN_MAX)},
                                               {.name = NULL}};

/* --- shutters ------------------------------------------------------------------------------ */

/* Here signalOpen and signalClose are the run times. */
static void take_blind(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "signalOpen"), FACT_OPEN_TIME, MS);
    family_number(at, json_get(e, "signalClose"), FACT_CLOSE_TIME, MS);
    family_flag(at, json_get(e, "autoAdjust"), FACT_AUTO_ADJUST);
}

static void write_blind(struct json_writer *w, const struct family_ask *ask)
{
    family_write_kept(w, ask, "autoAdjust", FACT_AUTO_ADJUST, 0);
    family_write_kept(w, ask, "signalOpen", FACT_OPEN_TIME, MS);
    family_write_kept(w, ask, "signalClose", FACT_CLOSE_TIME, MS);
}

static bool measures(const struct device *d) { return device_has_ability(d, NS_ADJUST); }

static const struct family_key blind_keys[] = {
    {.name = FACT_AUTO_ADJUST, .kind = FACT_BOOL, .can = measures},
    {SECONDS(FACT_OPEN_TIME, 1, RUN_MAX)},
    {SECONDS(FACT_CLOSE_TIME, 1, RUN_MAX)},
    {.name = NULL}};

const struct family_row *family_of_setups(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_DOORS_SETUP,
         .key = "config",
         .take = take_doors,
         .keys = doors_keys,
         .write = write_doors,
         .list = true},
        {.ns = NS_GARAGE_SETUP,
         .key = "config",
         .by = FAMILY_BY_DEVICE,
         .take = take_garage,
         .keys = garage_keys,
         .write = write_garage},
        {.ns = NS_BLIND_SETUP,
         .key = "config",
         .take = take_blind,
         .keys = blind_keys,
         .write = write_blind},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

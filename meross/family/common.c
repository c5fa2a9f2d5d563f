/* common.c - what any device may have: its status LED, its Wi-Fi, a child lock, and alerts (sheet 5.1,
 * 5.10, 8.10, 8.12). */
#include "meross/family/family_int.h"

/* The LED is off in DNDMode 1. */
static void take_dnd(const struct family_at *at, struct json_at e)
{
    int64_t mode;
    if (json_int(json_get(e, "mode"), &mode) && (mode == 0 || mode == 1))
        (void)facts_bool(&at->d->facts, at->at, FACT_LED, mode == 0);
}

static void write_dnd(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "mode", family_wish(ask, FACT_LED, 0) == 0);
}

static void take_runtime(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "signal"), FACT_SIGNAL, 0);
}

static void take_lock(const struct family_at *at, struct json_at e)
{
    family_flag(at, json_get(e, "onoff"), FACT_LOCKED);
}

static void write_lock(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "onoff", family_wish(ask, FACT_LOCKED, 0));
}

enum { HOT = 1, NORMAL = 2 };

static void take_overtemp(const struct family_at *at, struct json_at e)
{
    int64_t value;
    if (json_int(json_get(e, "value"), &value) && (value == HOT || value == NORMAL))
        (void)facts_bool(&at->d->facts, at->at, FACT_OVERHEATED, value == HOT);
}

/* What an alarm is about no source says; that there is one is worth telling. */
static void take_alarm(const struct family_at *at, struct json_at e)
{
    struct json_at value = json_get(e, "value");
    family_number(at, json_exists(value) ? value : json_get(e, "alarm"), FACT_ALARM, 0);
}

static void take_standby(const struct family_at *at, struct json_at e)
{
    int64_t enable;
    if (json_int(json_get(e, "enable"), &enable) && (enable == 1 || enable == 2))
        (void)facts_bool(&at->d->facts, at->at, FACT_STANDBY_KILLER, enable == 1);
}

static const struct family_key dnd_keys[] = {{.name = FACT_LED, .kind = FACT_BOOL}, {.name = NULL}};
static const struct family_key lock_keys[] = {{.name = FACT_LOCKED, .kind = FACT_BOOL},
                                              {.name = NULL}};

const struct family_row *family_of_all(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_LOCK,
         .key = "lock",
         .take = take_lock,
         .keys = lock_keys,
         .write = write_lock,
         .list = true},
        {.ns = NS_DND,
         .key = "DNDMode",
         .by = FAMILY_BY_DEVICE,
         .take = take_dnd,
         .keys = dnd_keys,
         .write = write_dnd},
        {.ns = NS_RUNTIME, .key = "runtime", .by = FAMILY_BY_DEVICE, .take = take_runtime},
        {.ns = NS_OVERTEMP, .key = "overTemp", .take = take_overtemp},
        {.ns = NS_ALARM, .key = "alarm", .take = take_alarm},
        {.ns = NS_ALERT, .key = "alertReport", .take = take_alarm},
        {.ns = NS_THERMO_ALARM, .key = "alarm", .take = take_alarm},
        {.ns = NS_STANDBY, .key = "config", .take = take_standby},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

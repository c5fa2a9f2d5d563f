/* thermostat.c - thermostats for floors, sockets and rooms (sheet 5.8).
 *
 *   Mode   mts200   tenths of a degree; each mode has a target of its own
 *   ModeB  mts960   hundredths; a socket that heats or cools
 *   ModeC  mts300   hundredths; targets for heating and for cooling
 *
 * Their companions are in tenths beside Mode and in hundredths beside the others. */
#include "meross/family/family_int.h"

static unsigned decimals_of(const struct device *d)
{
    return device_has_ability(d, NS_MODE) ? 1 : 2;
}

static bool always(const struct device *d)
{
    (void)d;
    return true;
}

/* --- Mode ---------------------------------------------------------------------------------- */

enum { MODE_AUTO = 3, MODE_MANUAL = 4 };

static const char *const mode_words[] = {"heat", "cool", "eco", "auto", "manual", NULL};
static const char *const mode_targets[] = {"heatTemp", "coolTemp", "ecoTemp", "manualTemp",
                                           "manualTemp"};

static void take_temperatures(const struct family_at *at, struct json_at e, unsigned decimals)
{
    family_number(at, json_get(e, "currentTemp"), FACT_TEMPERATURE, decimals);
    family_number(at, json_get(e, "targetTemp"), FACT_TARGET_TEMPERATURE, decimals);
    family_number(at, json_get(e, "min"), FACT_MIN_TEMPERATURE, decimals);
    family_number(at, json_get(e, "max"), FACT_MAX_TEMPERATURE, decimals);
}

/* What was asked for names the target of the mode, and no targetTemp. */
static void take_own_target(const struct family_at *at, struct json_at e)
{
    int64_t mode;
    if (!json_exists(json_get(e, "targetTemp")) && json_int(json_get(e, "mode"), &mode) &&
        mode >= 0 && mode <= MODE_MANUAL)
        family_number(at, json_get(e, mode_targets[mode]), FACT_TARGET_TEMPERATURE, 1);
}

static void take_on(const struct family_at *at, struct json_at onoff, int64_t yes, int64_t no)
{
    int64_t value;
    if (json_int(onoff, &value) && (value == yes || value == no))
        family_relay(at, value == yes);
}

static void take_mode(const struct family_at *at, struct json_at e)
{
    take_on(at, json_get(e, "onoff"), 1, 0);
    family_word(at, json_get(e, "mode"), FACT_MODE, mode_words);
    family_flag(at, json_get(e, "state"), FACT_HEATING);
    take_temperatures(at, e, 1);
    take_own_target(at, e);
}

/* The number of the mode it is in. */
static int mode_now(const struct family_ask *ask)
{
    const struct fact *it = facts_get(&ask->d->facts, ask->at, FACT_MODE);
    for (int i = 0; it != NULL && it->kind == FACT_TEXT && mode_words[i] != NULL; i++)
        if (strcmp(it->text, mode_words[i]) == 0)
            return i;
    return MODE_MANUAL;
}

/* A target without a mode is that of the present mode; the schedule has none of its own. */
static void write_mode(struct json_writer *w, const struct family_ask *ask)
{
    int mode = family_wish_word(ask, FACT_MODE, mode_words);
    bool target = family_wishes(ask, FACT_TARGET_TEMPERATURE);
    if (mode < 0 && target)
        mode = mode_now(ask) == MODE_AUTO ? MODE_MANUAL : mode_now(ask);
    if (ask->on >= 0)
        json_write_pair_int(w, "onoff", ask->on);
    if (mode >= 0)
        json_write_pair_int(w, "mode", mode);
    if (target)
        json_write_pair_int(w, mode_targets[mode], family_wish(ask, FACT_TARGET_TEMPERATURE, 1));
}

static const struct family_key mode_keys[] = {
    {.name = FACT_TARGET_TEMPERATURE, .kind = FACT_NUMBER, .min = 50, .max = 400, .decimals = 1},
    {.name = FACT_MODE, .kind = FACT_TEXT, .words = mode_words},
    {.name = NULL}};

/* --- ModeB --------------------------------------------------------------------------------- */

static const char *const mode_b_words[] = {FAMILY_NO_WORD, "manual", "auto", "timer", NULL};

static void take_mode_b(const struct family_at *at, struct json_at e)
{
    int64_t state, working = 0;
    take_on(at, json_get(e, "onoff"), 1, 2);
    family_word(at, json_get(e, "mode"), FACT_MODE, mode_b_words);
    take_temperatures(at, e, 2);
    if (!json_int(json_get(e, "state"), &state) || (state != 1 && state != 2))
        return;
    (void)json_int(json_get(e, "working"), &working);
    (void)facts_bool(&at->d->facts, at->at, FACT_HEATING, state == 1 && working != 2);
    (void)facts_bool(&at->d->facts, at->at, FACT_COOLING, state == 1 && working == 2);
}

static void write_mode_b(struct json_writer *w, const struct family_ask *ask)
{
    int mode = family_wish_word(ask, FACT_MODE, mode_b_words);
    if (ask->on >= 0)
        json_write_pair_int(w, "onoff", ask->on == 1 ? 1 : 2);
    if (mode >= 0)
        json_write_pair_int(w, "mode", mode);
    if (family_wishes(ask, FACT_TARGET_TEMPERATURE))
        json_write_pair_int(w, "targetTemp", family_wish(ask, FACT_TARGET_TEMPERATURE, 2));
}

static const struct family_key mode_b_keys[] = {
    {.name = FACT_TARGET_TEMPERATURE,
     .kind = FACT_NUMBER,
     .min = -2000,
     .max = 9900,
     .decimals = 2},
    {.name = FACT_MODE, .kind = FACT_TEXT, .words = mode_b_words},
    {.name = NULL}};

/* --- ModeC --------------------------------------------------------------------------------- */

static void take_mode_c(const struct family_at *at, struct json_at e)
{
    struct json_at target = json_get(e, "targetTemp");
    family_number(at, json_get(e, "mode"), FACT_MODE, 0); /* no source says what they mean */
    family_number(at, json_get(e, "currentTemp"), FACT_TEMPERATURE, 2);
    family_number(at, json_get(target, "heat"), FACT_TARGET_TEMPERATURE, 2);
    family_number(at, json_get(target, "cold"), FACT_TARGET_COOL, 2);
    family_number(at, json_get(json_get(e, "more"), "humi"), FACT_HUMIDITY, 1);
    family_number(at, json_get(json_get(e, "fan"), "fMode"), FACT_FAN_MODE, 0);
    family_number(at, json_get(json_get(e, "fan"), "speed"), FACT_SPEED, 0);
}

static void write_mode_c(struct json_writer *w, const struct family_ask *ask)
{
    json_write_name(w, "targetTemp");
    json_write_open(w, '{');
    if (family_wishes(ask, FACT_TARGET_TEMPERATURE))
        json_write_pair_int(w, "heat", family_wish(ask, FACT_TARGET_TEMPERATURE, 2));
    if (family_wishes(ask, FACT_TARGET_COOL))
        json_write_pair_int(w, "cold", family_wish(ask, FACT_TARGET_COOL, 2));
    json_write_close(w, '}');
}

static const struct family_key mode_c_keys[] = {
    {.name = FACT_TARGET_TEMPERATURE, .kind = FACT_NUMBER, .min = 500, .max = 4000, .decimals = 2},
    {.name = FACT_TARGET_COOL, .kind = FACT_NUMBER, .min = 500, .max = 4000, .decimals = 2},
    {.name = NULL}};

/* --- companions ---------------------------------------------------------------------------- */

static void take_window(const struct family_at *at, struct json_at e)
{
    family_flag(at, json_get(e, "status"), FACT_WINDOW_OPEN);
    family_flag(at, json_get(e, "detect"), FACT_WINDOW_DETECTION);
}

static void write_window(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "detect", family_wish(ask, FACT_WINDOW_DETECTION, 0));
}

static void take_calibration(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "value"), FACT_CALIBRATION, decimals_of(at->d));
}

static void write_calibration(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "value", family_wish(ask, FACT_CALIBRATION, decimals_of(ask->d)));
}

static void take_dead_zone(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "value"), FACT_DEAD_ZONE, decimals_of(at->d));
}

static void take_frost(const struct family_at *at, struct json_at e)
{
    family_flag(at, json_get(e, "onoff"), FACT_FROST_PROTECTION);
}

/* No source says what its numbers mean; the names are those of its siblings. */
static void take_overheat(const struct family_at *at, struct json_at e)
{
    family_flag(at, json_get(e, "onoff"), FACT_OVERHEAT);
    family_number(at, json_get(e, "value"), FACT_OVERHEAT_LIMIT, decimals_of(at->d));
}

/* Of the timer only its kind, a number that nobody has explained. */
static void take_timer(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "type"), FACT_TIMER, 0);
}

static void take_hold(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "mode"), FACT_HOLD, 0);
}

static void take_sensor(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "mode"), FACT_SENSOR, 0);
}

/* 1 and 2 are known; other numbers have been seen and mean nothing that we know. */
static void take_summer(const struct family_at *at, struct json_at e)
{
    static const char *const words[] = {FAMILY_NO_WORD, "heating", "cooling", NULL};
    int64_t mode;
    if (json_int(json_get(e, "mode"), &mode) && (mode == 1 || mode == 2))
        (void)facts_text(&at->d->facts, at->at, FACT_SEASON, words[mode]);
}

static const struct family_key window_keys[] = {{.name = FACT_WINDOW_DETECTION, .kind = FACT_BOOL},
                                                {.name = NULL}};
static const struct family_key calibration_keys[] = {
    {.name = FACT_CALIBRATION, .kind = FACT_NUMBER, .min = -80, .max = 80, .decimals = 1},
    {.name = NULL}};

const struct family_row *family_of_thermostats(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_MODE,
         .key = "mode",
         .take = take_mode,
         .keys = mode_keys,
         .write = write_mode,
         .switches = always,
         .list = true,
         .ack = FAMILY_ACK_TELLS},
        {.ns = NS_MODE_B,
         .key = "modeB",
         .take = take_mode_b,
         .keys = mode_b_keys,
         .write = write_mode_b,
         .switches = always,
         .list = true,
         .ack = FAMILY_ACK_TELLS},
        {.ns = NS_MODE_C,
         .key = "control",
         .take = take_mode_c,
         .keys = mode_c_keys,
         .write = write_mode_c,
         .list = true,
         .ack = FAMILY_ACK_TELLS},
        {.ns = NS_WINDOW,
         .key = "windowOpened",
         .take = take_window,
         .keys = window_keys,
         .write = write_window,
         .list = true},
        {.ns = NS_CALIBRATION,
         .key = "calibration",
         .take = take_calibration,
         .keys = calibration_keys,
         .write = write_calibration,
         .list = true},
        {.ns = NS_DEAD_ZONE, .key = "deadZone", .take = take_dead_zone},
        {.ns = NS_FROST, .key = "frost", .take = take_frost},
        {.ns = NS_OVERHEAT, .key = "overheat", .take = take_overheat},
        {.ns = NS_SCHEDULE, .key = "schedule", .take = family_schedule},
        {.ns = NS_SCHEDULE_B, .key = "scheduleB", .take = family_schedule},
        {.ns = NS_THERMO_TIMER, .key = "timer", .take = take_timer},
        {.ns = NS_HOLD, .key = "holdAction", .take = take_hold},
        {.ns = NS_SENSOR, .key = "sensor", .take = take_sensor},
        {.ns = NS_SUMMER, .key = "summerMode", .take = take_summer},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

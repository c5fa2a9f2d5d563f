/* hub.c - the sub-devices of a hub: valves and sensors (sheet 5.9).
 *
 * What tells of a sub-device names it by `id` (or `subId`), and the same sub-device is told of in many
 * namespaces and shapes; its type decides the scale of a temperature. */
#include "meross/family/family_int.h"

#include "meross/wire/text.h"

static bool is(const struct family_at *at, const char *type)
{
    return text_eq_nocase(span_str(at->sub->type), span_str(type));
}

/* The ms130 (tempHumi) measures in hundredths of a degree, everything else in tenths. */
static unsigned decimals_of(const struct family_at *at)
{
    return is(at, "ms130") || is(at, "tempHumi") ? 2 : 1;
}

static void take_status(const struct family_at *at, struct json_at status)
{
    int64_t value;
    if (!json_int(status, &value) || at->sub->online == (value == 1))
        return;
    at->sub->online = value == 1;
    at->d->dirty = true;
}

static void take_onoff(const struct family_at *at, struct json_at onoff)
{
    int64_t on;
    if (json_int(onoff, &on) && (on == 0 || on == 1))
        family_relay(at, on == 1);
}

/* The first of these members that is there. */
static struct json_at any(struct json_at v, const char *a, const char *b, const char *c)
{
    struct json_at found = json_get_nocase(v, a);
    if (!json_exists(found))
        found = json_get_nocase(v, b);
    return json_exists(found) ? found : json_get_nocase(v, c);
}

/* --- what a sensor says -------------------------------------------------------------------- */

static void take_climate(const struct family_at *at, struct json_at v)
{
    struct json_at t = any(v, "latestTemperature", "temperature", "temp");
    struct json_at h = any(v, "latestHumidity", "humidity", "humi");
    if (json_type(t) == JSON_OBJECT)
        t = any(t, "latest", "value", "latestTemperature");
    if (json_type(h) == JSON_OBJECT)
        h = any(h, "latest", "value", "latestHumidity");
    family_number(at, t, FACT_TEMPERATURE, decimals_of(at));
    family_number(at, h, FACT_HUMIDITY, 1);
}

static void take_contact(const struct family_at *at, struct json_at v)
{
    family_flag(at, json_get(v, "status"), FACT_OPEN);
}

static const struct {
    int code;
    const char *word;
} smoke_words[] = {{170, "ok"},
                   {17, "temperature_error"},
                   {18, "smoke_error"},
                   {19, "battery_error"},
                   {20, "temperature_error_muted"},
                   {21, "smoke_error_muted"},
                   {22, "battery_error_muted"},
                   {23, "test"},
                   {24, "heat_alarm"},
                   {25, "smoke_alarm"},
                   {26, "heat_alarm_muted"},
                   {27, "smoke_alarm_muted"}};

static void take_smoke(const struct family_at *at, struct json_at v)
{
    int64_t code;
    if (!json_int(json_get(v, "status"), &code))
        return;
    for (size_t i = 0; i < sizeof smoke_words / sizeof smoke_words[0]; i++) {
        if (smoke_words[i].code == code) {
            (void)facts_text(&at->d->facts, at->at, FACT_SMOKE, smoke_words[i].word);
            return;
        }
    }
    (void)facts_number(&at->d->facts, at->at, FACT_SMOKE, code, 0);
}

static void take_leak(const struct family_at *at, struct json_at v)
{
    family_flag(at, any(v, "latestWaterLeak", "waterLeak", "status"), FACT_LEAK);
}

static void take_motion(const struct family_at *at, struct json_at v)
{
    family_flag(at, any(v, "latestMotion", "motion", "status"), FACT_MOTION);
}

/* --- valves -------------------------------------------------------------------------------- */

static const char *const valve_words[] = {"manual", "comfort", "economy", "auto", "away", NULL};

static void take_valve_temperature(const struct family_at *at, struct json_at t)
{
    struct json_at target = json_get(t, "currentSet");
    family_number(at, json_get(t, "room"), FACT_TEMPERATURE, 1);
    family_number(at, json_exists(target) ? target : json_get(t, "custom"), FACT_TARGET_TEMPERATURE,
                  1);
    family_number(at, json_get(t, "min"), FACT_MIN_TEMPERATURE, 1);
    family_number(at, json_get(t, "max"), FACT_MAX_TEMPERATURE, 1);
    family_number(at, json_get(t, "comfort"), FACT_COMFORT, 1);
    family_number(at, json_get(t, "economy"), FACT_ECONOMY, 1);
    family_number(at, json_get(t, "away"), FACT_AWAY, 1);
    family_flag(at, json_get(t, "heating"), FACT_HEATING);
    family_flag(at, json_get(t, "openWindow"), FACT_WINDOW_OPEN);
}

static void take_valve_mode(const struct family_at *at, struct json_at e)
{
    family_word(at, json_get(e, "state"), FACT_MODE, valve_words);
}

/* --- lists --------------------------------------------------------------------------------- */

static const struct {
    const char *member; /* which is also the name of a type */
    void (*take)(const struct family_at *at, struct json_at v);
} kinds[] = {
    {"ms100", take_climate},      {"ms130", take_climate}, {"tempHumi", take_climate},
    {"doorWindow", take_contact}, {"ms200", take_contact}, {"smokeAlarm", take_smoke},
    {"waterLeak", take_leak},     {"ms400", take_leak},    {"ms405", take_leak},
    {"motion", take_motion},
};

static void take_kind(const struct family_at *at, const char *member, struct json_at v)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (text_eq_nocase(span_str(kinds[i].member), span_str(member)))
            kinds[i].take(at, v);
}

static void set_type(const struct family_at *at, struct json_at type)
{
    at->d->dirty |= device_set_text(at->sub->type, sizeof at->sub->type, type);
}

static bool is_frame(const char *member)
{
    static const char *const frame[] = {"online",   "temperature", "humidity", "togglex",
                                        "timeSync", "mode",        "scheduleB"};
    for (size_t i = 0; i < sizeof frame / sizeof frame[0]; i++)
        if (strcmp(member, frame[i]) == 0)
            return true;
    return false;
}

/* Every object in an entry that is not part of its frame is called like a type.  Only the digest has
 * that of valves, so it alone says what something is. */
static void take_objects(const struct family_at *at, struct json_at e, bool names_type)
{
    for (struct json_at n = json_first_name(e); json_exists(n); n = json_next_name(n)) {
        char member[SUBDEVS_TYPE_MAX + 1];
        struct json_at v = json_value(n);
        if (json_type(v) != JSON_OBJECT || !json_text(n, member, sizeof member) || is_frame(member))
            continue;
        if (names_type || at->sub->type[0] == '\0')
            set_type(at, n);
        take_kind(at, member, v);
    }
}

static void take_listed(const struct family_at *at, struct json_at e)
{
    if (json_exists(json_get(e, "type")))
        set_type(at, json_get(e, "type"));
    take_status(at, json_get(e, "status"));
    take_onoff(at, json_get(e, "onoff"));
    take_objects(at, e, !json_exists(json_get(e, "type")));
}

static void take_sensor_all(const struct family_at *at, struct json_at e)
{
    take_status(at, json_get(json_get(e, "online"), "status"));
    take_objects(at, e, false);
    take_climate(at, e);
}

static void take_valve_all(const struct family_at *at, struct json_at e)
{
    take_status(at, json_get(json_get(e, "online"), "status"));
    take_onoff(at, json_get(json_get(e, "togglex"), "onoff"));
    take_valve_mode(at, json_get(e, "mode"));
    take_valve_temperature(at, json_get(e, "temperature"));
}

static void take_online(const struct family_at *at, struct json_at e)
{
    take_status(at, json_get(e, "status"));
}

static void take_battery(const struct family_at *at, struct json_at e)
{
    int64_t value;
    if (json_scaled(json_get(e, "value"), 0, &value) && value >= 0 && value <= 100)
        (void)facts_number(&at->d->facts, at->at, FACT_BATTERY, value, 0);
}

static void take_toggle(const struct family_at *at, struct json_at e)
{
    take_onoff(at, json_get(e, "onoff"));
}

/* --- orders -------------------------------------------------------------------------------- */

static bool always(const struct device *d)
{
    (void)d;
    return true;
}

static void write_toggle(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "onoff", ask->on);
}

static void write_valve_mode(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "state", family_wish_word(ask, FACT_MODE, valve_words));
}

static void write_valve_temperature(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "custom", family_wish(ask, FACT_TARGET_TEMPERATURE, 1));
}

bool family_needs_manual(const struct device *d, uint32_t at, const struct facts *wish)
{
    const struct fact *mode = facts_get(&d->facts, at, FACT_MODE);
    return at >= facts_sub(0) && device_has_ability(d, NS_VALVE_MODE) &&
           facts_get(wish, FACTS_DEVICE, FACT_TARGET_TEMPERATURE) != NULL &&
           facts_get(wish, FACTS_DEVICE, FACT_MODE) == NULL && mode != NULL &&
           strcmp(mode->text, valve_words[0]) != 0;
}

static const struct family_key no_keys[] = {{.name = NULL}};
static const struct family_key valve_mode_keys[] = {
    {.name = FACT_MODE, .kind = FACT_TEXT, .words = valve_words}, {.name = NULL}};
static const struct family_key valve_temperature_keys[] = {
    {.name = FACT_TARGET_TEMPERATURE, .kind = FACT_NUMBER, .min = 50, .max = 350, .decimals = 1},
    {.name = NULL}};

const struct family_row *family_of_hubs(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_SUBDEVICES, .key = "subdeviceList", .by = FAMILY_BY_SUB, .take = take_listed},
        {.ns = NS_HUB_ONLINE, .key = "online", .by = FAMILY_BY_SUB, .take = take_online},
        {.ns = NS_HUB_BATTERY, .key = "battery", .by = FAMILY_BY_SUB, .take = take_battery},
        {.ns = NS_HUB_TOGGLEX,
         .key = "togglex",
         .by = FAMILY_BY_SUB,
         .take = take_toggle,
         .keys = no_keys,
         .write = write_toggle,
         .switches = always,
         .list = true},
        {.ns = NS_VALVE_ALL, .key = "all", .by = FAMILY_BY_SUB, .take = take_valve_all},
        {.ns = NS_VALVE_MODE,
         .key = "mode",
         .by = FAMILY_BY_SUB,
         .take = take_valve_mode,
         .keys = valve_mode_keys,
         .write = write_valve_mode,
         .list = true},
        {.ns = NS_VALVE_TEMP,
         .key = "temperature",
         .by = FAMILY_BY_SUB,
         .take = take_valve_temperature,
         .keys = valve_temperature_keys,
         .write = write_valve_temperature,
         .list = true,
         .ack = FAMILY_ACK_TELLS},
        {.ns = NS_VALVE_PLAN, .key = "schedule", .by = FAMILY_BY_SUB, .take = family_schedule},
        {.ns = NS_SENSOR_ALL, .key = "all", .by = FAMILY_BY_SUB, .take = take_sensor_all},
        {.ns = NS_TEMP_HUM, .key = "tempHum", .by = FAMILY_BY_SUB, .take = take_climate},
        {.ns = NS_DOOR_WINDOW, .key = "doorWindow", .by = FAMILY_BY_SUB, .take = take_contact},
        {.ns = NS_SMOKE, .key = "smokeAlarm", .by = FAMILY_BY_SUB, .take = take_smoke},
        {.ns = NS_WATER_LEAK, .key = "waterLeak", .by = FAMILY_BY_SUB, .take = take_leak},
        {.ns = NS_MOTION, .key = "motion", .by = FAMILY_BY_SUB, .take = take_motion},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

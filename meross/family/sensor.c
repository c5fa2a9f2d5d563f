/* sensor.c - what measures by itself: presence sensors, and everything that tells of its sensors as
 * LatestX (sheet 5.9, 5.10).  Each entry has a list per kind of value; the first is the newest. */
#include "meross/family/family_int.h"

enum { ABSENT = 1, PRESENT = 2 };

static void take_presence(const struct family_at *at, struct json_at v)
{
    int64_t value;
    if (json_int(json_get(v, "value"), &value) && (value == ABSENT || value == PRESENT))
        (void)facts_bool(&at->d->facts, at->at, FACT_PRESENCE, value == PRESENT);
    family_number(at, json_get(v, "distance"), FACT_DISTANCE, 3); /* mm */
}

/* json_get() of a list is that of its first element. */
static void take_latest(const struct family_at *at, struct json_at e)
{
    struct json_at data = json_get(e, "data");
    struct json_at presence = json_get(data, "presence");
    if (json_exists(presence))
        take_presence(at, presence);
    family_number(at, json_get(json_get(data, "temp"), "value"), FACT_TEMPERATURE, 2);
    family_number(at, json_get(json_get(data, "humi"), "value"), FACT_HUMIDITY, 1);
    family_number(at, json_get(json_get(data, "light"), "value"), FACT_LIGHT, 0);
}

const struct family_row *family_of_sensors(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_LATEST, .key = "latest", .take = take_latest},
        {.ns = NS_SUB_LATEST, .key = "latest", .by = FAMILY_BY_SUB, .take = take_latest},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

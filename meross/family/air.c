/* air.c - humidifiers, diffusers, fans and purifiers (sheet 5.10).  What they do is on and off; their
 * lamp, where it has no switch of its own, is off at brightness 0. */
#include "meross/family/family_int.h"

#include <stdio.h>
#include <stdlib.h>

/* --- humidifier ---------------------------------------------------------------------------- */

static const char *const spray_words[] = {"off", "continuous", "intermittent", NULL};
static const char *const mist_words[] = {"light", "strong", "off", NULL};

static void take_spray_as(const struct family_at *at, struct json_at e, const char *const *words,
                          int64_t off)
{
    int64_t mode;
    if (!json_int(json_get(e, "mode"), &mode))
        return;
    family_word(at, json_get(e, "mode"), FACT_SPRAY, words);
    if (!device_has_ability(at->d, NS_TOGGLEX))
        family_relay(at, mode != off);
}

static void take_spray(const struct family_at *at, struct json_at e)
{
    take_spray_as(at, e, spray_words, 0);
}

static bool no_relay(const struct device *d) { return !device_has_ability(d, NS_TOGGLEX); }

static void write_spray(struct json_writer *w, const struct family_ask *ask)
{
    int mode = family_wish_word(ask, FACT_SPRAY, spray_words);
    json_write_pair_int(w, "mode", mode >= 0 ? mode : ask->on);
}

static const struct family_key spray_keys[] = {
    {.name = FACT_SPRAY, .kind = FACT_TEXT, .words = spray_words}, {.name = NULL}};

/* --- diffuser ------------------------------------------------------------------------------ */

enum { MIST_LIGHT, MIST_STRONG, MIST_OFF };

static void take_mist(const struct family_at *at, struct json_at e)
{
    take_spray_as(at, e, mist_words, MIST_OFF);
}

static void write_mist(struct json_writer *w, const struct family_ask *ask)
{
    int mode = family_wish_word(ask, FACT_SPRAY, mist_words);
    json_write_pair_int(w, "mode", mode >= 0 ? mode : ask->on == 1 ? MIST_LIGHT : MIST_OFF);
}

static const struct family_key mist_keys[] = {
    {.name = FACT_SPRAY, .kind = FACT_TEXT, .words = mist_words}, {.name = NULL}};

static const char *const lamp_words[] = {"rainbow", "color", "white", NULL};

enum { LAMP_COLOR = 1 };

static void take_lamp(const struct family_at *at, struct json_at e)
{
    int64_t on = 1, rgb;
    char text[8];
    family_word(at, json_get(e, "mode"), FACT_EFFECT, lamp_words);
    if (json_int(json_get(e, "rgb"), &rgb) && rgb >= 0 && rgb <= 0xffffff) {
        (void)snprintf(text, sizeof text, "#%06x", (unsigned)rgb);
        (void)facts_text(&at->d->facts, at->at, FACT_COLOR, text);
    }
    if (json_int(json_get(e, "onoff"), &on) && on == 0)
        (void)facts_number(&at->d->facts, at->at, FACT_BRIGHTNESS, 0, 0);
    else
        family_number(at, json_get(e, "luminance"), FACT_BRIGHTNESS, 0);
}

static void write_lamp(struct json_writer *w, const struct family_ask *ask)
{
    int mode = family_wish_word(ask, FACT_EFFECT, lamp_words);
    int64_t brightness = -1;
    if (family_wishes(ask, FACT_BRIGHTNESS))
        brightness = family_wish(ask, FACT_BRIGHTNESS, 0);
    json_write_pair_int(w, "onoff", brightness != 0);
    if (mode < 0 && family_wishes(ask, FACT_COLOR))
        mode = LAMP_COLOR;
    if (mode >= 0)
        json_write_pair_int(w, "mode", mode);
    if (family_wishes(ask, FACT_COLOR)) {
        const char *text = facts_get(ask->wish, FACTS_DEVICE, FACT_COLOR)->text;
        json_write_pair_int(w, "rgb", (int64_t)strtoul(text + (text[0] == '#'), NULL, 16));
    }
    if (brightness > 0)
        json_write_pair_int(w, "luminance", brightness);
}

static const struct family_key lamp_keys[] = {
    {.name = FACT_BRIGHTNESS, .kind = FACT_NUMBER, .min = 0, .max = 100},
    {.name = FACT_COLOR, .kind = FACT_TEXT, .check = family_check_color},
    {.name = FACT_EFFECT, .kind = FACT_TEXT, .words = lamp_words},
    {.name = NULL}};

static void take_diffuser_sensor(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(json_get(e, "temperature"), "value"), FACT_TEMPERATURE, 1);
    family_number(at, json_get(json_get(e, "humidity"), "value"), FACT_HUMIDITY, 1);
}

/* --- fans and filters ---------------------------------------------------------------------- */

static void take_fan(const struct family_at *at, struct json_at e)
{
    int64_t speed;
    family_number(at, json_get(e, "maxSpeed"), FACT_MAX_SPEED, 0);
    if (!json_int(json_get(e, "speed"), &speed) || speed < 0 || speed > UINT8_MAX)
        return;
    (void)facts_number(&at->d->facts, at->at, FACT_SPEED, speed, 0);
    if (no_relay(at->d))
        family_relay(at, speed > 0);
}

static int64_t max_speed(const struct device *d)
{
    for (unsigned i = 0; i < d->facts.n; i++)
        if (strcmp(facts_name(&d->facts.v[i]), FACT_MAX_SPEED) == 0)
            return d->facts.v[i].value;
    return UINT8_MAX;
}

static bool check_speed(const struct device *d, const struct fact *wish, char why[FAMILY_WHY_MAX])
{
    if (wish->value <= max_speed(d))
        return true;
    (void)snprintf(why, FAMILY_WHY_MAX, "has speeds from 0 to %lld", (long long)max_speed(d));
    return false;
}

static void write_fan(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "speed",
                        family_wishes(ask, FACT_SPEED) ? family_wish(ask, FACT_SPEED, 0) : ask->on);
}

static const struct family_key fan_keys[] = {
    {.name = FACT_SPEED, .kind = FACT_NUMBER, .min = 0, .max = 255, .check = check_speed},
    {.name = NULL}};

static void take_filter(const struct family_at *at, struct json_at e)
{
    family_number(at, json_get(e, "life"), FACT_FILTER_LIFE, 0);
}

const struct family_row *family_of_air(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_SPRAY,
         .key = "spray",
         .take = take_spray,
         .keys = spray_keys,
         .write = write_spray,
         .switches = no_relay},
        {.ns = NS_DIFF_SPRAY,
         .key = "spray",
         .take = take_mist,
         .keys = mist_keys,
         .write = write_mist,
         .switches = no_relay,
         .list = true,
         .with_type = true},
        {.ns = NS_DIFF_LIGHT,
         .key = "light",
         .take = take_lamp,
         .keys = lamp_keys,
         .write = write_lamp,
         .list = true,
         .with_type = true},
        {.ns = NS_DIFF_SENSOR, .key = "sensor", .take = take_diffuser_sensor},
        {.ns = NS_FAN,
         .key = "fan",
         .take = take_fan,
         .keys = fan_keys,
         .write = write_fan,
         .switches = no_relay,
         .list = true},
        {.ns = NS_FILTER, .key = "filter", .take = take_filter},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

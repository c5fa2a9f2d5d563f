/* light.c - bulbs, strips and lamps (sheet 5.5).
 *
 * `capacity` says which members count: 1 colour, 2 colour temperature, 4 brightness, 8 effect; colour
 * and temperature exclude each other.  Where there is a ToggleX, that switches the lamp; where there
 * is none (the lamp of a humidifier), the light has its own `onoff`, and brightness 0 is off. */
#include "meross/family/family_int.h"
#include "meross/wire/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { RGB = 1, TEMPERATURE = 2, LUMINANCE = 4, EFFECT = 8 };

static bool has_own_switch(const struct device *d)
{
    return !device_has_ability(d, NS_TOGGLEX) && !device_has_ability(d, NS_SPRAY);
}

/* The lamp beside the main thing: its brightness is 0 when it is off. */
static bool is_beside(const struct device *d) { return device_has_ability(d, NS_SPRAY); }

static void take_colour(const struct family_at *at, struct json_at rgb)
{
    char text[8];
    int64_t value;
    if (!json_int(rgb, &value) || value < 0 || value > 0xffffff)
        return;
    (void)snprintf(text, sizeof text, "#%06x", (unsigned)value);
    (void)facts_text(&at->d->facts, at->at, FACT_COLOR, text);
}

/* The capacity of a message; without one, what it has. */
static int64_t capacity_of(struct json_at e)
{
    int64_t capacity;
    if (json_int(json_get(e, "capacity"), &capacity))
        return capacity;
    return (json_exists(json_get(e, "rgb")) ? RGB : 0) |
           (json_exists(json_get(e, "temperature")) ? TEMPERATURE : 0) |
           (json_exists(json_get(e, "effect")) ? EFFECT : 0) | LUMINANCE;
}

/* By its name when the plug has told its effects. */
static void take_effect(const struct family_at *at, struct json_at effect)
{
    char name[FACTS_TEXT_MAX + 1];
    int64_t index;
    if (!json_int(effect, &index) || index < 0)
        return;
    if (device_effect_name(at->d, (size_t)index, name))
        (void)facts_text(&at->d->facts, at->at, FACT_EFFECT, name);
    else
        (void)facts_number(&at->d->facts, at->at, FACT_EFFECT, index, 0);
}

static void take_brightness(const struct family_at *at, struct json_at e)
{
    int64_t on = 1;
    if (is_beside(at->d) && json_int(json_get(e, "onoff"), &on) && on == 0)
        (void)facts_number(&at->d->facts, at->at, FACT_BRIGHTNESS, 0, 0);
    else
        family_number(at, json_get(e, "luminance"), FACT_BRIGHTNESS, 0);
}

static void take_light(const struct family_at *at, struct json_at e)
{
    struct facts *f = &at->d->facts;
    int64_t capacity = capacity_of(e), on;
    if (capacity & RGB)
        take_colour(at, json_get(e, "rgb"));
    if (capacity & TEMPERATURE)
        family_number(at, json_get(e, "temperature"), FACT_COLOR_TEMPERATURE, 0);
    if ((capacity & (RGB | TEMPERATURE)) == RGB)
        (void)facts_forget(f, at->at, FACT_COLOR_TEMPERATURE);
    if ((capacity & (RGB | TEMPERATURE)) == TEMPERATURE)
        (void)facts_forget(f, at->at, FACT_COLOR);
    take_brightness(at, e);
    if (capacity & EFFECT)
        take_effect(at, json_get(e, "effect"));
    else
        (void)facts_forget(f, at->at, FACT_EFFECT);
    if (has_own_switch(at->d) && json_int(json_get(e, "onoff"), &on) && (on == 0 || on == 1))
        family_relay(at, on == 1);
}

/* Of the list of effects, which is in the order of their numbers. */
static void take_effects(struct device *d, struct json_at list)
{
    device_set_effects(d, list);
    for (unsigned i = 0; i < d->facts.n; i++) {
        const struct fact *it = &d->facts.v[i];
        char name[FACTS_TEXT_MAX + 1];
        if (strcmp(facts_name(it), FACT_EFFECT) == 0 && it->kind == FACT_NUMBER &&
            device_effect_name(d, (size_t)it->value, name)) {
            (void)facts_text(&d->facts, it->at, FACT_EFFECT, name);
            return;
        }
    }
}

static bool find_effect(const struct device *d, const char *want, size_t *index)
{
    char name[FACTS_TEXT_MAX + 1];
    for (*index = 0; device_effect_name(d, *index, name); ++*index)
        if (text_eq_nocase(span_str(name), span_str(want)))
            return true;
    return false;
}

static bool check_effect(const struct device *d, const struct fact *wish, char why[FAMILY_WHY_MAX])
{
    size_t index;
    if (wish->kind == FACT_NUMBER)
        return true;
    if (find_effect(d, wish->text, &index))
        return true;
    (void)snprintf(why, FAMILY_WHY_MAX, "knows no effect called %s: give its number", wish->text);
    return false;
}

bool family_check_color(const struct device *d, const struct fact *wish, char why[FAMILY_WHY_MAX])
{
    const char *digits = wish->text + (wish->text[0] == '#');
    (void)d;
    if (strlen(digits) == 6 && strspn(digits, "0123456789abcdefABCDEF") == 6)
        return true;
    (void)snprintf(why, FAMILY_WHY_MAX, "takes a color as #rrggbb, for example #ff8000");
    return false;
}

static int64_t effect_of(const struct family_ask *ask)
{
    const struct fact *it = facts_get(ask->wish, FACTS_DEVICE, FACT_EFFECT);
    size_t index = 0;
    if (it->kind == FACT_NUMBER)
        return it->value;
    (void)find_effect(ask->d, it->text, &index);
    return (int64_t)index;
}

static uint32_t rgb_of(const struct family_ask *ask)
{
    const struct fact *it = facts_get(ask->wish, FACTS_DEVICE, FACT_COLOR);
    return (uint32_t)strtoul(it->text + (it->text[0] == '#'), NULL, 16);
}

static void write_light(struct json_writer *w, const struct family_ask *ask)
{
    int64_t capacity = 0, brightness = 0;
    int on = ask->on;
    if (family_wishes(ask, FACT_COLOR)) {
        capacity |= RGB;
        json_write_pair_int(w, "rgb", rgb_of(ask));
    }
    if (family_wishes(ask, FACT_COLOR_TEMPERATURE)) {
        capacity |= TEMPERATURE;
        json_write_pair_int(w, "temperature", family_wish(ask, FACT_COLOR_TEMPERATURE, 0));
    }
    if (family_wishes(ask, FACT_EFFECT)) {
        capacity |= EFFECT;
        json_write_pair_int(w, "effect", effect_of(ask));
    }
    if (family_wishes(ask, FACT_BRIGHTNESS)) {
        brightness = family_wish(ask, FACT_BRIGHTNESS, 0);
        if (is_beside(ask->d))
            on = brightness > 0;
        if (brightness > 0) {
            capacity |= LUMINANCE;
            json_write_pair_int(w, "luminance", brightness);
        }
    }
    if (capacity > 0)
        json_write_pair_int(w, "capacity", capacity);
    if (on >= 0)
        json_write_pair_int(w, "onoff", on);
}

static bool can_colour(const struct device *d) { return (d->light_capacity & RGB) != 0; }
static bool can_temperature(const struct device *d)
{
    return (d->light_capacity & TEMPERATURE) != 0;
}
static bool can_effect(const struct device *d) { return (d->light_capacity & EFFECT) != 0; }
static bool can_dim(const struct device *d)
{
    return d->light_capacity == 0 || (d->light_capacity & LUMINANCE) != 0;
}

static bool can_dim_only(const struct device *d) { return can_dim(d) && !is_beside(d); }
static bool can_dim_to_off(const struct device *d) { return can_dim(d) && is_beside(d); }

static const struct family_key light_keys[] = {
    {.name = FACT_BRIGHTNESS, .kind = FACT_NUMBER, .min = 1, .max = 100, .can = can_dim_only},
    {.name = FACT_BRIGHTNESS, .kind = FACT_NUMBER, .min = 0, .max = 100, .can = can_dim_to_off},
    {.name = FACT_COLOR, .kind = FACT_TEXT, .can = can_colour, .check = family_check_color},
    {.name = FACT_COLOR_TEMPERATURE,
     .kind = FACT_NUMBER,
     .min = 1,
     .max = 100,
     .can = can_temperature},
    {.name = FACT_EFFECT,
     .kind = FACT_NUMBER,
     .min = 0,
     .max = 255,
     .or_text = true,
     .can = can_effect,
     .check = check_effect},
    {.name = NULL}};

const struct family_row *family_of_lights(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_LIGHT,
         .key = "light",
         .take = take_light,
         .keys = light_keys,
         .write = write_light,
         .switches = has_own_switch},
        {.ns = NS_EFFECT, .key = "effect", .by = FAMILY_BY_DEVICE, .take_all = take_effects}};
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

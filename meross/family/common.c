/* common.c - what any device may have: its status LED, its Wi-Fi, a child lock, and alerts (sheet 5.1,
 * 5.10, 8.10, 8.12). */
#include "meross/family/family_int.h"

#include <stdio.h>

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
    int64_t percent;
    if (json_int(json_get(e, "signal"), &percent) && percent >= 0 && percent <= 100)
        (void)facts_number(&at->d->facts, at->at, FACT_SIGNAL, percent, 0);
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
    family_one_two(at, json_get(e, "enable"), FACT_STANDBY_KILLER);
}

/* --- too hot: what it does then ------------------------------------------------------------ */

static const char *const action_words[] = {FAMILY_NO_WORD, "warn", "cut", NULL};

/* enable -1 is a plug that has none. */
static void take_hot_setup(const struct family_at *at, struct json_at e)
{
    int64_t enable;
    if (json_int(json_get(e, "enable"), &enable) && enable == -1) {
        (void)facts_forget(&at->d->facts, at->at, FACT_OVERHEAT);
        (void)facts_forget(&at->d->facts, at->at, FACT_OVERHEAT_ACTION);
        return;
    }
    family_one_two(at, json_get(e, "enable"), FACT_OVERHEAT);
    family_word(at, json_get(e, "type"), FACT_OVERHEAT_ACTION, action_words);
}

static int64_t action_now(const struct device *d)
{
    const struct fact *it = facts_get(&d->facts, FACTS_DEVICE, FACT_OVERHEAT_ACTION);
    if (it == NULL || it->kind != FACT_TEXT)
        return it != NULL ? it->value : -1;
    return strcmp(it->text, action_words[1]) == 0 ? 1 : 2;
}

/* Whole, as the plug tells it. */
static void write_hot_setup(struct json_writer *w, const struct family_ask *ask)
{
    const struct fact *now = facts_get(&ask->d->facts, FACTS_DEVICE, FACT_OVERHEAT);
    int64_t action = family_wish_word(ask, FACT_OVERHEAT_ACTION, action_words);
    if (family_wishes(ask, FACT_OVERHEAT))
        json_write_pair_int(w, "enable", family_wish(ask, FACT_OVERHEAT, 0) == 1 ? 1 : 2);
    else if (now != NULL)
        json_write_pair_int(w, "enable", now->value == 1 ? 1 : 2);
    if (action < 0)
        action = action_now(ask->d);
    if (action >= 0)
        json_write_pair_int(w, "type", action);
}

/* --- screens ------------------------------------------------------------------------------- */

static const char *const unit_words[] = {FAMILY_NO_WORD, "celsius", "fahrenheit", NULL};

static void take_screen(const struct family_at *at, struct json_at e)
{
    family_fraction(at, json_get(e, "operation"), FACT_SCREEN, 1);
    family_fraction(at, json_get(e, "standby"), FACT_SCREEN_STANDBY, 1);
}

/* The device writes 75.0 where we would write 75. */
static void write_fraction(struct json_writer *w, const struct family_ask *ask, const char *member,
                           const char *fact)
{
    char text[24];
    const struct fact *it = facts_get(ask->wish, FACTS_DEVICE, fact);
    if (it == NULL)
        it = facts_get(&ask->d->facts, ask->at, fact);
    if (it == NULL)
        return;
    int64_t tenths = facts_scaled(it, 1);
    int n = snprintf(text, sizeof text, "%d.%d", (int)(tenths / 10), (int)(tenths % 10));
    json_write_name(w, member);
    json_write_raw(w, span_of(text, (size_t)n));
}

static void write_screen(struct json_writer *w, const struct family_ask *ask)
{
    write_fraction(w, ask, "operation", FACT_SCREEN);
    write_fraction(w, ask, "standby", FACT_SCREEN_STANDBY);
}

static void take_unit(const struct family_at *at, struct json_at e)
{
    family_word(at, json_get(e, "tempUnit"), FACT_UNIT, unit_words);
}

static void write_unit(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "tempUnit", family_wish_word(ask, FACT_UNIT, unit_words));
}

static const struct family_key hot_keys[] = {
    {.name = FACT_OVERHEAT, .kind = FACT_BOOL},
    {.name = FACT_OVERHEAT_ACTION, .kind = FACT_TEXT, .words = action_words},
    {.name = NULL}};
static const struct family_key screen_keys[] = {
    {.name = FACT_SCREEN, .kind = FACT_NUMBER, .min = 0, .max = 1000, .decimals = 1},
    {.name = FACT_SCREEN_STANDBY, .kind = FACT_NUMBER, .min = 0, .max = 1000, .decimals = 1},
    {.name = NULL}};
static const struct family_key unit_keys[] = {
    {.name = FACT_UNIT, .kind = FACT_TEXT, .words = unit_words}, {.name = NULL}};

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
        {.ns = NS_HOT_SETUP,
         .key = "overTemp",
         .by = FAMILY_BY_DEVICE,
         .take = take_hot_setup,
         .keys = hot_keys,
         .write = write_hot_setup},
        {.ns = NS_SCREEN,
         .key = "brightness",
         .take = take_screen,
         .keys = screen_keys,
         .write = write_screen,
         .list = true},
        {.ns = NS_TEMP_UNIT,
         .key = "tempUnit",
         .take = take_unit,
         .keys = unit_keys,
         .write = write_unit,
         .list = true},
        {.ns = NS_ALARM, .key = "alarm", .take = take_alarm},
        {.ns = NS_ALERT, .key = "alertReport", .take = take_alarm},
        {.ns = NS_THERMO_ALARM, .key = "alarm", .take = take_alarm},
        {.ns = NS_STANDBY, .key = "config", .take = take_standby},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

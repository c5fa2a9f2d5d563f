/* door.c - garage doors (sheet 5.6) and roller shutters (sheet 5.7). */
#include "meross/family/family_int.h"

#include <stdio.h>

static const char *const door_words[] = {"closed", "open", NULL};
static const char *const moving_words[] = {"stopped", "opening", "closing", NULL};

void family_door_enabled(const struct family_at *at, struct json_at e)
{
    int64_t enabled;
    family_flag(at, json_get(e, "doorEnable"), FACT_DOOR_ENABLED);
    if (json_int(json_get(e, "doorEnable"), &enabled) && enabled == 0) {
        (void)facts_forget(&at->d->facts, at->at, FACT_DOOR);
        (void)facts_forget(&at->d->facts, at->at, FACT_MOVING);
    }
}

static bool is_disabled(const struct device *d, uint32_t at)
{
    const struct fact *it = facts_get(&d->facts, at, FACT_DOOR_ENABLED);
    return it != NULL && it->value == 0;
}

/* A door that is disabled in its configuration is none. */
static void take_door(const struct family_at *at, struct json_at e)
{
    int64_t open;
    family_door_enabled(at, e);
    if (is_disabled(at->d, at->at))
        return;
    if (!json_int(json_get(e, "open"), &open) || (open != 0 && open != 1))
        return;
    bool moved = facts_text(&at->d->facts, at->at, FACT_DOOR, door_words[open]);
    if (moved && facts_get(&at->d->facts, at->at, FACT_MOVING) != NULL)
        (void)facts_text(&at->d->facts, at->at, FACT_MOVING, moving_words[0]);
}

static void write_door(struct json_writer *w, const struct family_ask *ask)
{
    json_write_pair_int(w, "open", family_wish_word(ask, FACT_DOOR, door_words));
    json_write_pair(w, "uuid", ask->d->uuid);
}

/* [trap 24] The acknowledgement shows the old state, and whether the motor was told to move. */
static void door_acked(const struct family_at *at, struct json_at asked, struct json_at reply)
{
    int64_t open, execute;
    if (json_int(json_get(json_get(asked, "state"), "open"), &open) &&
        json_int(json_get(json_get(reply, "state"), "execute"), &execute) && execute == 1)
        (void)facts_text(&at->d->facts, at->at, FACT_MOVING, moving_words[open == 1 ? 1 : 2]);
}

static bool check_door(const struct device *d, const struct fact *wish, char why[FAMILY_WHY_MAX])
{
    if (!is_disabled(d, wish->at))
        return true;
    (void)snprintf(why, FAMILY_WHY_MAX,
                   "has no door there, or it is switched off: door_enabled=true brings it back");
    return false;
}

static const struct family_key door_keys[] = {
    {.name = FACT_DOOR, .kind = FACT_TEXT, .words = door_words, .check = check_door},
    {.name = NULL}};

/* --- shutters ------------------------------------------------------------------------------ */

static void take_position(const struct family_at *at, struct json_at e)
{
    int64_t position;
    if (json_scaled(json_get(e, "position"), 0, &position) && position >= 0 && position <= 100)
        (void)facts_number(&at->d->facts, at->at, FACT_POSITION, position, 0);
}

static void take_shutter(const struct family_at *at, struct json_at e)
{
    family_word(at, json_get(e, "state"), FACT_MOVING, moving_words);
}

/* Firmware before 6.6.6 knows open and closed only; the later one measures its run times. */
static bool check_position(const struct device *d, const struct fact *wish,
                           char why[FAMILY_WHY_MAX])
{
    if (device_has_ability(d, NS_ADJUST) || wish->value == 0 || wish->value == 100)
        return true;
    (void)snprintf(
        why, FAMILY_WHY_MAX,
        "can only be open (100) or closed (0): its firmware %s knows no position between",
        d->firmware);
    return false;
}

/* -1 stops it, wherever it is. */
static void write_position(struct json_writer *w, const struct family_ask *ask)
{
    static const int64_t ends[] = {-1, 100, 0};
    int moving = family_wish_word(ask, FACT_MOVING, moving_words);
    json_write_pair_int(w, "position",
                        moving >= 0 ? ends[moving] : family_wish(ask, FACT_POSITION, 0));
}

/* It takes its time: pushes tell where it is. */
static void position_acked(const struct family_at *at, struct json_at asked, struct json_at reply)
{
    int64_t to, from = facts_value(&at->d->facts, at->at, FACT_POSITION, 0, -1);
    (void)reply;
    if (!json_int(json_get(json_get(asked, "position"), "position"), &to))
        return;
    if (to < 0)
        (void)facts_text(&at->d->facts, at->at, FACT_MOVING, moving_words[0]);
    else if (to != from)
        (void)facts_text(&at->d->facts, at->at, FACT_MOVING, moving_words[to > from ? 1 : 2]);
}

static const struct family_key position_keys[] = {
    {.name = FACT_POSITION, .kind = FACT_NUMBER, .min = 0, .max = 100, .check = check_position},
    {.name = FACT_MOVING, .kind = FACT_TEXT, .words = moving_words},
    {.name = NULL}};

const struct family_row *family_of_doors(size_t *n)
{
    static const struct family_row rows[] = {
        {.ns = NS_GARAGE,
         .key = "state",
         .take = take_door,
         .keys = door_keys,
         .write = write_door,
         .ack = FAMILY_ACK_WAITS,
         .acked = door_acked},
        {.ns = NS_POSITION,
         .key = "position",
         .take = take_position,
         .keys = position_keys,
         .write = write_position,
         .ack = FAMILY_ACK_WAITS,
         .acked = position_acked},
        {.ns = NS_SHUTTER, .key = "state", .take = take_shutter},
    };
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

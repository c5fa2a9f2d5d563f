#include "meross/people/timer_wish.h"

static bool invalid(struct verb_request *r, const char *what)
{
    answer_error(r->m, &r->answer, ANSWER_INVALID, "%s", what);
    return false;
}

static bool read_action(struct verb_request *r, struct timer_wish *w)
{
    static const char *const words[] = {"list", "add", "remove", "enable", "disable", "auto_off"};
    char word[16];
    if (!json_exists(json_get(r->root, "action")))
        return true;
    if (json_text(json_get(r->root, "action"), word, sizeof word))
        for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strcmp(word, words[i]) == 0) {
                w->action = (enum timer_action)i;
                return true;
            }
    return invalid(r, "\"action\" is list, add, remove, enable, disable or auto_off");
}

static bool read_channel(struct verb_request *r, struct device *d, struct timer_wish *w)
{
    int64_t n = 0;
    struct json_at at = json_get(r->root, "channel");
    if (json_exists(at) && (!json_int(at, &n) || n < 0 || n > UINT8_MAX))
        return invalid(r, "\"channel\" is a number from 0 to 255");
    w->timer.channel = (unsigned)n;
    if (d->n_channels == 0 || device_channel(d, w->timer.channel) != NULL)
        return true;
    answer_error(r->m, &r->answer, ANSWER_INVALID, "%s has no channel %u", d->name,
                 w->timer.channel);
    return false;
}

static bool read_new(struct verb_request *r, struct timer_wish *w)
{
    char time[8], days[96], state[8];
    int64_t once = 0;
    struct timer *t = &w->timer;
    struct json_at at = json_get(r->root, "days");
    t->enabled = true;
    t->days = TIMER_EVERY_DAY;
    if (!json_text(json_get(r->root, "time"), time, sizeof time) ||
        !timer_read_time(time, &t->minute))
        return invalid(r, "\"time\" is a time of the plug's day, as in 07:30 (by sunrise or sunset "
                          "it cannot be made here: how a plug wants that is not known)");
    if (!json_text(json_get(r->root, "state"), state, sizeof state) ||
        (strcmp(state, "ON") != 0 && strcmp(state, "OFF") != 0))
        return invalid(r, "\"state\" is ON or OFF");
    t->on = strcmp(state, "ON") == 0;
    if (json_exists(at) && (!json_text(at, days, sizeof days) || !timer_read_days(days, &t->days)))
        return invalid(r, "\"days\" is daily, weekdays, weekend, or days like mon,wed,sun");
    if (json_exists(json_get(r->root, "once")) && !json_int(json_get(r->root, "once"), &once))
        return invalid(r, "\"once\" is true or false");
    t->once = once == 1;
    if (t->once && t->days != TIMER_EVERY_DAY)
        return invalid(r, "\"once\" is the next time that it is so late: it goes with no \"days\"");
    if (json_exists(json_get(r->root, "name")) &&
        !json_text(json_get(r->root, "name"), t->name, sizeof t->name))
        return invalid(r, "\"name\" is a text of at most 32 bytes");
    return true;
}

static bool read_after(struct verb_request *r, struct timer_wish *w)
{
    int64_t s;
    struct timer *t = &w->timer;
    *t = (struct timer){.is_trigger = true,
                        .enabled = true,
                        .days = TIMER_EVERY_DAY,
                        .channel = t->channel,
                        .name = "auto off"};
    if (!json_int(json_get(r->root, "after"), &s) ||
        (s != 0 && (s < TIMER_AFTER_MIN || s > TIMER_AFTER_MAX)))
        return invalid(r, "\"after\" is a number of seconds from 60 to 86400, or 0 to end it");
    t->after_s = (unsigned)s;
    return true;
}

bool timer_wish_read(struct verb_request *r, struct device *d, struct timer_wish *w)
{
    if (!read_action(r, w))
        return false;
    if (w->action == TIMER_ADD)
        return read_channel(r, d, w) && read_new(r, w);
    if (w->action == TIMER_AUTO_OFF)
        return read_channel(r, d, w) && read_after(r, w);
    if (w->action == TIMER_LIST)
        return true;
    return (json_text(json_get(r->root, "id"), w->ref, sizeof w->ref) && w->ref[0] != '\0') ||
           invalid(r, "\"id\" is the id of a timer, its beginning, or its name");
}

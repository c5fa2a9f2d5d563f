#include "meross/wire/timer.h"

#include "meross/wire/text.h"

#include <stdio.h>

#define REPEATS     128u /* bit 7 of "week" */
#define TYPE_WEEKLY 1
#define TYPE_ONCE   2
#define DAY_MIN     1440

/* --- days ---------------------------------------------------------------------------------- */

/* Bits from Sunday on become bits from Monday on, and back. */
static unsigned to_monday(unsigned week) { return (week >> 1 | (week & 1u) << 6) & 127u; }
static unsigned to_sunday(unsigned days) { return (days << 1 | days >> 6) & 127u; }

static unsigned days_of(int64_t week, enum timer_first first)
{
    unsigned bits = (unsigned)(week & 127);
    return first == TIMER_FROM_SUNDAY ? to_monday(bits) : bits;
}

static unsigned week_of(const struct timer *t, enum timer_first first)
{
    unsigned bits = first == TIMER_FROM_SUNDAY ? to_sunday(t->days) : t->days;
    return t->once ? bits : bits | REPEATS;
}

static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                    "friday", "saturday", "sunday"};

/* The whole name, or at least three letters of its beginning. */
static bool read_day(struct span word, unsigned *days)
{
    for (unsigned i = 0; i < 7; i++) {
        struct span name = span_str(names[i]);
        if (word.n < 3 || word.n > name.n || !text_eq_nocase(word, span_of(name.p, word.n)))
            continue;
        *days |= 1u << i;
        return true;
    }
    return false;
}

static const struct {
    const char *word;
    unsigned days;
} groups[] = {{"daily", TIMER_EVERY_DAY}, {"weekdays", 31}, {"weekend", 96}};

bool timer_read_days(const char *text, unsigned *days)
{
    unsigned found = 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (text_eq_nocase(span_str(text), span_str(groups[i].word))) {
            *days = groups[i].days;
            return true;
        }
    }
    for (;;) {
        size_t n = strcspn(text, ",");
        if (!read_day(span_of(text, n), &found))
            return false;
        if (text[n] == '\0')
            break;
        text += n + 1;
    }
    *days = found;
    return true;
}

void timer_days_text(unsigned days, char out[TIMER_DAYS_TEXT])
{
    size_t n = 0;
    out[0] = '\0';
    if (days == TIMER_EVERY_DAY) {
        (void)snprintf(out, TIMER_DAYS_TEXT, "daily");
        return;
    }
    for (unsigned i = 0; i < 7; i++)
        if ((days & 1u << i) != 0)
            n += (size_t)snprintf(out + n, TIMER_DAYS_TEXT - n, "%s%.3s", n > 0 ? "," : "",
                                  names[i]);
}

/* --- other words --------------------------------------------------------------------------- */

/* Digits, at most `most` of them; how many were read. */
static size_t read_digits(const char *text, size_t most, unsigned *out)
{
    size_t n = 0;
    *out = 0;
    while (n < most && text[n] >= '0' && text[n] <= '9')
        *out = *out * 10 + (unsigned)(text[n++] - '0');
    return n;
}

bool timer_read_time(const char *text, unsigned *minute)
{
    unsigned h, m;
    size_t n = read_digits(text, 2, &h);
    if (n == 0 || text[n] != ':' || read_digits(text + n + 1, 2, &m) != 2 || text[n + 3] != '\0' ||
        h > 23 || m > 59)
        return false;
    *minute = h * 60 + m;
    return true;
}

bool timer_read_after(const char *text, unsigned *seconds)
{
    unsigned n;
    if (text_eq_nocase(span_str(text), span_str("off"))) {
        *seconds = 0;
        return true;
    }
    size_t at = read_digits(text, 5, &n);
    const char *unit = text + at;
    unsigned each = unit[0] == 's' ? 1 : unit[0] == 'h' ? 3600 : 60;
    if (at == 0 || (unit[0] != '\0' && (strchr("smh", unit[0]) == NULL || unit[1] != '\0')))
        return false;
    *seconds = n * each; /* at most 99999 hours: it fits */
    return *seconds >= TIMER_AFTER_MIN && *seconds <= TIMER_AFTER_MAX;
}

/* --- messages ------------------------------------------------------------------------------ */

static int64_t number(struct json_at v, const char *name, int64_t other)
{
    int64_t n;
    return json_int(json_get(v, name), &n) ? n : other;
}

static void read_times(struct timer *t, struct json_at v, enum timer_first first)
{
    int64_t minute = number(v, "time", 0), sun = number(v, "sunOffset", 0);
    struct json_at toggle = json_get_nocase(json_get(v, "extend"), "toggle");
    t->minute = minute >= 0 && minute < DAY_MIN ? (unsigned)minute : 0;
    t->days = days_of(number(v, "week", 0), first);
    t->once = number(v, "type", TYPE_WEEKLY) == TYPE_ONCE;
    t->sun_offset = sun >= -DAY_MIN && sun <= DAY_MIN ? (int)sun : 0;
    t->on = (int)number(toggle, "onoff", -1);
    if (t->on != 0 && t->on != 1)
        t->on = -1;
}

static void read_rule(struct timer *t, struct json_at rule, enum timer_first first)
{
    int64_t after = number(rule, "duration", 0);
    t->after_s = after >= 0 && after <= UINT32_MAX ? (unsigned)after : 0;
    t->days = days_of(number(rule, "week", 0), first);
    t->on = 0;
}

bool timer_read(struct timer *out, struct json_at v, bool is_trigger, enum timer_first first)
{
    struct timer t = {.is_trigger = is_trigger};
    int64_t channel = number(v, "channel", 0);
    if (!json_text(json_get(v, "id"), t.id, sizeof t.id) || t.id[0] == '\0')
        return false;
    (void)json_text(json_get(v, "alias"), t.name, sizeof t.name);
    t.channel = channel >= 0 && channel <= UINT8_MAX ? (unsigned)channel : 0;
    t.enabled = number(v, "enable", 0) == 1;
    if (is_trigger)
        read_rule(&t, json_get(v, "rule"), first);
    else
        read_times(&t, v, first);
    *out = t;
    return true;
}

static void write_trigger(struct json_writer *w, const struct timer *t, enum timer_first first)
{
    json_write_pair_int(w, "type", 0);
    json_write_name(w, "rule");
    json_write_open(w, '{');
    json_write_pair_int(w, "week", week_of(t, first));
    json_write_pair_int(w, "duration", t->after_s);
    json_write_close(w, '}');
}

static void write_timer(struct json_writer *w, const struct timer *t, enum timer_first first)
{
    json_write_pair_int(w, "type", t->once ? TYPE_ONCE : TYPE_WEEKLY);
    json_write_pair_int(w, "week", week_of(t, first));
    json_write_pair_int(w, "time", t->minute);
    json_write_pair_int(w, "sunOffset", 0);
    json_write_pair_int(w, "duration", 0);
    json_write_name(w, "extend");
    json_write_raw(w, span_str(t->on == 1 ? "{\"toggle\":{\"onoff\":1,\"lmTime\":0}}"
                                          : "{\"toggle\":{\"onoff\":0,\"lmTime\":0}}"));
}

void timer_write(struct json_writer *w, const struct timer *t, enum timer_first first, int64_t now)
{
    json_write_open(w, '{');
    json_write_pair(w, "id", t->id);
    json_write_pair(w, "alias", t->name);
    json_write_pair_int(w, "enable", t->enabled);
    json_write_pair_int(w, "channel", t->channel);
    json_write_pair_int(w, "createTime", now);
    if (t->is_trigger)
        write_trigger(w, t, first);
    else
        write_timer(w, t, first);
    json_write_close(w, '}');
}

void timer_write_enabled(struct json_writer *w, struct json_at v, bool enabled)
{
    char name[64];
    json_write_open(w, '{');
    for (struct json_at n = json_first_name(v); json_exists(n); n = json_next_name(n)) {
        if (!json_text(n, name, sizeof name) || strcmp(name, "enable") == 0)
            continue;
        json_write_name(w, name);
        json_write_raw(w, json_raw(json_value(n)));
    }
    json_write_pair_int(w, "enable", enabled);
    json_write_close(w, '}');
}

bool timer_same(const struct timer *a, const struct timer *b)
{
    return strcmp(a->id, b->id) == 0 && a->is_trigger == b->is_trigger &&
           a->channel == b->channel && a->enabled == b->enabled && a->once == b->once &&
           a->minute == b->minute && a->days == b->days && a->on == b->on &&
           a->after_s == b->after_s && a->sun_offset == b->sun_offset;
}

void timer_write_public(struct json_writer *w, const struct timer *t)
{
    char text[TIMER_DAYS_TEXT];
    json_write_open(w, '{');
    json_write_pair(w, "id", t->id);
    if (t->name[0] != '\0')
        json_write_pair(w, "name", t->name);
    json_write_pair(w, "kind", t->is_trigger ? "auto_off" : "timer");
    json_write_pair_int(w, "channel", t->channel);
    json_write_pair_bool(w, "enabled", t->enabled);
    if (t->on >= 0)
        json_write_pair(w, "state", t->on == 1 ? "ON" : "OFF");
    if (t->is_trigger) {
        json_write_pair_int(w, "after", t->after_s);
    } else {
        (void)snprintf(text, sizeof text, "%02u:%02u", t->minute / 60, t->minute % 60);
        json_write_pair(w, "time", text);
        json_write_pair_bool(w, "once", t->once);
        if (t->sun_offset != 0)
            json_write_pair_int(w, "sun_offset", t->sun_offset);
    }
    timer_days_text(t->days, text);
    json_write_pair(w, "days", text);
    json_write_close(w, '}');
}

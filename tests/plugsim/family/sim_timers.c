#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define ID_LENGTH 16
#define MINUTE_MS 60000
#define DAY_MIN   1440
#define REPEATS   128 /* bit 7 of `week` */
#define ONCE      2   /* type */

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

static const char *key_of(enum sim_timer_kind kind)
{
    return kind == SIM_TIMER ? "timerx" : "triggerx";
}

void sim_timers_clear(struct simplug *p)
{
    for (size_t k = 0; k < SIM_TIMER_KINDS; k++) {
        for (size_t i = 0; i < SIM_TIMERS_MAX; i++) {
            sim_tree_free(p->timers.list[k][i].body);
            p->timers.list[k][i] = (struct sim_timer){.body = NULL};
        }
    }
}

static struct sim_timer *find(struct simplug *p, enum sim_timer_kind kind, const char *id)
{
    struct sim_timer *list = p->timers.list[kind];
    for (size_t i = 0; i < SIM_TIMERS_MAX; i++) {
        if (list[i].body != NULL &&
            strcmp(sim_tree_text(sim_tree_get(list[i].body, "id")), id) == 0)
            return &list[i];
    }
    return NULL;
}

static int put_summary(const struct sim_timer *t, struct buf *out)
{
    return buf_putf(out, "{\"channel\":%lld,\"id\":\"%s\",\"count\":%u}",
                    (long long)sim_tree_number(sim_tree_get(t->body, "channel"), 0),
                    sim_tree_text(sim_tree_get(t->body, "id")), t->count);
}

int sim_timers_put(const struct simplug *p, enum sim_timer_kind kind, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < SIM_TIMERS_MAX; i++) {
        const struct sim_timer *t = &p->timers.list[kind][i];
        if (t->body == NULL)
            continue;
        TRY(buf_put_str(out, any ? "," : ""));
        TRY(put_summary(t, out));
        any = true;
    }
    return MD_OK;
}

/* ---- may it be so? ---- */

static bool in_range(const struct sim_tree *t, const char *key, int64_t low, int64_t high)
{
    int64_t n;
    return sim_tree_int(sim_tree_get(t, key), &n) && n >= low && n <= high;
}

static const char *fault(const struct simplug *p, enum sim_timer_kind kind,
                         const struct sim_tree *t)
{
    if (strlen(sim_tree_text(sim_tree_get(t, "id"))) != ID_LENGTH)
        return "an id that has not 16 characters";
    if (!in_range(t, "channel", 0, p->opt.channels - 1))
        return "a channel that it has not";
    if (!in_range(t, "enable", 0, 1))
        return "enable that is neither 0 nor 1";
    if (kind == SIM_TRIGGER) {
        const struct sim_tree *rule = sim_tree_get(t, "rule");
        bool fits = in_range(rule, "week", 0, 255) && in_range(rule, "duration", 1, 86400);
        return fits ? NULL : "no rule";
    }
    if (!in_range(t, "type", 1, 4) || !in_range(t, "week", 0, 255) ||
        !in_range(t, "time", 0, DAY_MIN - 1))
        return "no type, week or time";
    const struct sim_tree *extend = sim_tree_get(t, "extend");
    return in_range(sim_tree_get(extend, "toggle"), "onoff", 0, 1) ? NULL : "nothing to do";
}

static struct sim_timer *place_for(struct simplug *p, enum sim_timer_kind kind, const char *id)
{
    struct sim_timer *t = find(p, kind, id);
    for (size_t i = 0; i < SIM_TIMERS_MAX && t == NULL; i++) {
        if (p->timers.list[kind][i].body == NULL)
            t = &p->timers.list[kind][i];
    }
    return t;
}

static int set(struct simplug *p, enum sim_timer_kind kind, int payload, struct buf *out)
{
    struct sim_tree *body = sim_tree_from(&p->json, sim_json_get(&p->json, payload, key_of(kind)));
    const char *wrong = fault(p, kind, body);
    struct sim_timer *t =
        wrong == NULL ? place_for(p, kind, sim_tree_text(sim_tree_get(body, "id"))) : NULL;
    if (t == NULL) {
        if (wrong != NULL)
            simplug_violate(p, "%s with %s", key_of(kind), wrong);
        sim_tree_free(body);
        return MD_INVAL; /* without a fault: it is full */
    }
    sim_tree_free(t->body);
    t->body = body;
    t->count++;
    return buf_put_str(out, "{}");
}

static bool read_id(struct simplug *p, enum sim_timer_kind kind, int payload, char id[33])
{
    int asked = sim_json_get(&p->json, payload, key_of(kind));
    return sim_json_str(&p->json, sim_json_get(&p->json, asked, "id"), id, 33);
}

static int get(struct simplug *p, enum sim_timer_kind kind, int payload, struct buf *out)
{
    char id[33];
    const struct sim_timer *t = read_id(p, kind, payload, id) ? find(p, kind, id) : NULL;
    if (t == NULL)
        return buf_putf(out, "{\"digest\":{},\"%s\":{}}", key_of(kind));
    TRY(buf_put_str(out, "{\"digest\":"));
    TRY(put_summary(t, out));
    TRY(buf_putf(out, ",\"%s\":", key_of(kind)));
    TRY(sim_tree_put(t->body, out));
    return buf_put_str(out, "}");
}

static int delete (struct simplug *p, enum sim_timer_kind kind, int payload, struct buf *out)
{
    char id[33];
    struct sim_timer *t = read_id(p, kind, payload, id) ? find(p, kind, id) : NULL;
    if (t == NULL) {
        simplug_violate(p, "DELETE of a %s that it has not", key_of(kind));
        return MD_INVAL;
    }
    sim_tree_free(t->body);
    *t = (struct sim_timer){.body = NULL};
    return buf_put_str(out, "{}");
}

static int digest(struct simplug *p, enum sim_timer_kind kind, struct buf *out)
{
    TRY(buf_put_str(out, "{\"digest\":["));
    TRY(sim_timers_put(p, kind, out));
    return buf_put_str(out, "]}");
}

#define HANDLER(name, call)                                                                        \
    int name(struct simplug *p, int payload, struct buf *out, uint64_t now)                        \
    {                                                                                              \
        (void)payload;                                                                             \
        (void)now;                                                                                 \
        return call;                                                                               \
    }

HANDLER(sim_timers_get_timer, get(p, SIM_TIMER, payload, out))
HANDLER(sim_timers_set_timer, set(p, SIM_TIMER, payload, out))
HANDLER(sim_timers_delete_timer, delete (p, SIM_TIMER, payload, out))
HANDLER(sim_timers_get_trigger, get(p, SIM_TRIGGER, payload, out))
HANDLER(sim_timers_set_trigger, set(p, SIM_TRIGGER, payload, out))
HANDLER(sim_timers_delete_trigger, delete (p, SIM_TRIGGER, payload, out))
HANDLER(sim_timers_digest_timers, digest(p, SIM_TIMER, out))
HANDLER(sim_timers_digest_triggers, digest(p, SIM_TRIGGER, out))

/* ---- they fire ---- */

static int64_t local_minute(const struct simplug *p, uint64_t now)
{
    int64_t ms = simplug_device_ms(p, now);
    return (ms / 1000 + simplug_time_offset(p, ms / 1000)) / 60;
}

static bool any(const struct simplug *p, enum sim_timer_kind kind)
{
    for (size_t i = 0; i < SIM_TIMERS_MAX; i++) {
        if (p->timers.list[kind][i].body != NULL)
            return true;
    }
    return false;
}

void sim_timers_switched(struct simplug *p, unsigned channel, bool on, uint64_t now)
{
    if (channel < SIM_TIMERS_CHANNELS)
        p->timers.on_since[channel] = on ? now : 0;
}

/* When this trigger switches off; SIMPLUG_NEVER: not. */
static uint64_t trigger_due(const struct simplug *p, const struct sim_timer *t)
{
    if (t->body == NULL || sim_tree_number(sim_tree_get(t->body, "enable"), 0) != 1)
        return SIMPLUG_NEVER;
    uint64_t since = p->timers.on_since[sim_tree_number(sim_tree_get(t->body, "channel"), 0)];
    int64_t s = sim_tree_number(sim_tree_get(sim_tree_get(t->body, "rule"), "duration"), 0);
    return since == 0 ? SIMPLUG_NEVER : since + (uint64_t)s * 1000;
}

uint64_t sim_timers_due(const struct simplug *p, uint64_t now)
{
    uint64_t due = SIMPLUG_NEVER;
    for (size_t i = 0; i < SIM_TIMERS_MAX; i++) {
        uint64_t at = trigger_due(p, &p->timers.list[SIM_TRIGGER][i]);
        due = at < due ? at : due;
    }
    if (!any(p, SIM_TIMER))
        return due;
    uint64_t minute = now + (uint64_t)(MINUTE_MS - simplug_device_ms(p, now) % MINUTE_MS);
    return minute < due ? minute : due;
}

static void switch_by(struct simplug *p, const struct sim_tree *body, bool on, const char *by,
                      uint64_t now)
{
    unsigned changed = 0;
    int64_t channel = sim_tree_number(sim_tree_get(body, "channel"), 0);
    (void)simplug_switch(p, (unsigned)channel, on, by, now, &changed);
    if (simplug_listens(p))
        simplug_say_relays(p, changed, now);
}

/* The bit of `week` for a local day.  Sources contradict each other (sheet 5.12). */
static int64_t weekday_bit(const struct simplug *p, int64_t minute)
{
    int64_t from_sunday = (minute / DAY_MIN + 4) % 7; /* 1970 began on a Thursday */
    return 1 << (p->opt.week_from_monday ? (from_sunday + 6) % 7 : from_sunday);
}

static void fire(struct simplug *p, struct sim_timer *t, int64_t minute, uint64_t now)
{
    const struct sim_tree *body = t->body;
    int64_t week = sim_tree_number(sim_tree_get(body, "week"), 0);
    if (body == NULL || sim_tree_number(sim_tree_get(body, "enable"), 0) != 1 ||
        sim_tree_number(sim_tree_get(body, "time"), -1) != minute % DAY_MIN ||
        (week & ~REPEATS & weekday_bit(p, minute)) == 0)
        return;
    const struct sim_tree *toggle = sim_tree_get(sim_tree_get(body, "extend"), "toggle");
    bool on = sim_tree_number(sim_tree_get(toggle, "onoff"), 0) == 1;
    if (sim_tree_number(sim_tree_get(body, "type"), 0) == ONCE &&
        sim_tree_set_int(t->body, "enable", 0) != MD_OK)
        p->broken = true;
    switch_by(p, t->body, on, "timer", now);
}

bool sim_timers_act(struct simplug *p, uint64_t now)
{
    for (size_t i = 0; i < SIM_TIMERS_MAX; i++) {
        const struct sim_timer *t = &p->timers.list[SIM_TRIGGER][i];
        if (now >= trigger_due(p, t)) {
            switch_by(p, t->body, false, "trigger", now);
            p->timers.on_since[sim_tree_number(sim_tree_get(t->body, "channel"), 0)] = 0;
            return true;
        }
    }
    int64_t minute = p->st.zone ? local_minute(p, now) : 0;
    if (minute == p->timers.minute)
        return false;
    p->timers.minute = minute;
    for (size_t i = 0; i < SIM_TIMERS_MAX && minute != 0; i++)
        fire(p, &p->timers.list[SIM_TIMER][i], minute, now);
    return true;
}

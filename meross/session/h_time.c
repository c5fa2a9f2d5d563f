/* h_time.c - Appliance.System.Time: without a zone and its table, plugs that meter report 0 V and
 * 0 W for ever. */
#include "broker/base/log.h"
#include "meross/session/command.h"
#include "meross/session/inbound.h"
#include "meross/time/zone_write.h"
#include "meross/wire/namespaces.h"

#define AGAIN_MS    600000 /* a plug that refuses must not make us loop */
#define YEAR_S      (365 * 24 * 3600)
#define CLOCK_OFF_S 120      /* a plug may go by servers of its own            */
#define JUMPED_S    5        /* but not by what this host said before its clock was set */
#define UNSEEN_MS   86400000 /* a plug that does not say what it has is told so often     */
#define RULES_MAX   64       /* read of a plug's table; the cloud sends 20 */

struct table {
    struct zone_rule rule[RULES_MAX];
    size_t n;
};

static void read_table(struct json_at list, struct table *out)
{
    out->n = 0;
    JSON_EACH(it, list)
    {
        int64_t at, offset;
        struct json_at first = json_first(it);
        if (out->n < RULES_MAX && json_int(first, &at) && json_int(json_next(first), &offset) &&
            offset > -86400 && offset < 86400)
            out->rule[out->n++] = (struct zone_rule){at, (int32_t)offset, false};
    }
}

/* Does the plug's table say, from now on, what ours says, and for another year at least?  The
 * summer flag is not compared: sources disagree about it, and the offsets count. */
static bool table_fits(const struct table *theirs, const struct zone_rule ours[], size_t n,
                       int64_t now)
{
    size_t i = 0;
    while (i < theirs->n && theirs->rule[i].at <= now)
        i++;
    if (i == 0 || theirs->rule[i - 1].offset != ours[0].offset)
        return false;
    size_t coming = theirs->n - i, known = n - 1;
    for (size_t k = 0; k < coming && k < known; k++)
        if (theirs->rule[i + k].at != ours[1 + k].at ||
            theirs->rule[i + k].offset != ours[1 + k].offset)
            return false;
    if (coming > known)
        return n == ZONE_TABLE_MAX;
    return coming == known || (coming > 0 && theirs->rule[theirs->n - 1].at >= now + YEAR_S);
}

static bool clock_fits(const struct plug *p, struct json_at time, int64_t now)
{
    int64_t at, off = p->dev->clock_jumped ? JUMPED_S : CLOCK_OFF_S;
    if (!json_int(json_get(time, "timestamp"), &at))
        return true;
    return at >= now - off && at <= now + off;
}

static bool fits(const struct plug *p, struct json_at time, const struct zone_rule ours[], size_t n,
                 int64_t now)
{
    const struct meross *m = p->m;
    char name[ZONE_NAME_MAX + 1];
    struct table theirs;
    (void)json_text(json_get(time, "timezone"), name, sizeof name);
    read_table(json_get(time, "timeRule"), &theirs);
    return strcmp(name, m->zone.name) == 0 && clock_fits(p, time, now) &&
           table_fits(&theirs, ours, n, now);
}

static void on_done(void *ctx, int err, const struct envelope *reply)
{
    struct plug *p = ctx;
    (void)reply;
    if (err == MD_AGAIN)
        p->dev->time_set_ms = 0; /* with the next poll */
    else if (err == MD_OK) {
        diary_zone(p, HEALTH_ZONE_OURS);
        log_debug("meross", "plug=%s took the time zone", log_q(span_str(p->dev->name)));
    } else if (err != MD_CLOSED)
        log_info("meross", "plug=%s did not take the time zone: %s; tried again in ten minutes",
                 log_q(span_str(p->dev->name)), md_err_text(err));
}

static void set_time(struct plug *p, const struct zone_rule rules[], size_t n, int64_t now)
{
    struct buf payload;
    buf_init(&payload, ENVELOPE_TO_PLUG_MAX);
    int err = zone_write(&payload, p->m->zone.name, rules, n, now);
    struct command_ask ask = {.method = ENVELOPE_SET,
                              .ns = NS_TIME,
                              .payload = buf_view(&payload),
                              .background = true,
                              .cb = on_done,
                              .ctx = p};
    if (err == MD_OK)
        err = command_send(p, &ask);
    if (err == MD_OK)
        p->dev->time_set_ms = env_mono_ms(p->m->env);
    buf_free(&payload);
}

static bool too_soon(const struct plug *p, bool seen)
{
    uint64_t last = p->dev->time_set_ms;
    return last != 0 && env_mono_ms(p->m->env) - last < (seen ? AGAIN_MS : UNSEEN_MS);
}

void time_check(struct plug *p, struct json_at time)
{
    struct meross *m = p->m;
    struct zone_rule rules[ZONE_TABLE_MAX];
    if (!m->has_zone || !meross_clock_sane(m) || p->phase != PLUG_BOUND)
        return;
    if (too_soon(p, json_exists(time)))
        return;
    if (p->dev->abilities != NULL && !device_has_ability(p->dev, NS_TIME))
        return;
    int64_t now = env_wall_s(m->env);
    size_t n = zone_table(&m->zone, now, rules, ZONE_TABLE_MAX);
    bool good = fits(p, time, rules, n, now);
    p->dev->clock_jumped = false;
    if (good) {
        diary_zone(p, HEALTH_ZONE_OURS);
        return;
    }
    diary_zone(p, HEALTH_ZONE_MISSING);
    set_time(p, rules, n, now);
}

void time_on_push(struct plug *p, const struct envelope *e)
{
    time_check(p, json_get(e->payload, "time"));
}

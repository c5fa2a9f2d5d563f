#include "meross/session/clockwatch.h"

#include "broker/base/log.h"
#include "meross/session/polls.h"
#include "meross/time/clock.h"
#include "meross/wire/namespaces.h"

#define CHECK_MS 10000 /* how often a host without time is looked at again */
#define JUMP_S   5     /* a clock that is slewed moves less in a minute     */

void clockwatch_tell(struct meross *m)
{
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d)) {
        d->time_set_ms = 0;
        if (d->plug != NULL && d->plug->phase == PLUG_BOUND && d->plug->key != NULL)
            polls_hurry(d->plug, NS_ALL);
    }
}

/* What was written down by a clock that was wrong: before it knew the time, or ahead of it. */
static void correct_seen(struct meross *m, struct device *d)
{
    const struct timeline_session *s = timeline_at(&d->health.timeline, 0);
    int64_t now = env_wall_s(m->env);
    if (d->last_seen == 0 || (clock_is_sane(d->last_seen) && d->last_seen <= now))
        return;
    d->last_seen = s != NULL && s->ended_ms != 0 ? env_wall_of(m->env, s->ended_ms) : now;
}

static void correct_all(struct meross *m)
{
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d))
        correct_seen(m, d);
}

/* Where the monotonic clock began, by the wall clock. */
static int64_t base(const struct meross *m)
{
    return env_wall_s(m->env) - (int64_t)(env_mono_ms(m->env) / 1000);
}

static bool is_sane(const struct meross *m) { return clock_is_sane(env_wall_s(m->env)); }

static void on_check(void *ctx)
{
    struct meross *m = ctx;
    m->clock = NULL;
    if (!is_sane(m)) {
        meross_timer(m, &m->clock, CHECK_MS, on_check, m);
        return;
    }
    m->clock_base = base(m);
    log_info("meross", "this host knows the time now; the plugs are told");
    correct_all(m);
    clockwatch_tell(m);
}

bool meross_clock_sane(struct meross *m)
{
    if (is_sane(m))
        return true;
    if (m->clock != NULL || m->broker == NULL)
        return false;
    log_warn("meross", "this host does not know the time yet: plugs get no clock and no time zone "
                       "until it does (is NTP running?)");
    meross_timer(m, &m->clock, CHECK_MS, on_check, m);
    return false;
}

void clockwatch_start(struct meross *m)
{
    m->clock_base = base(m);
    (void)meross_clock_sane(m); /* says so at once if it does not know the time */
}

void clockwatch_look(struct meross *m)
{
    int64_t now = base(m), off = now - m->clock_base;
    if (!meross_clock_sane(m) || m->clock != NULL || (off <= JUMP_S && off >= -JUMP_S))
        return;
    m->clock_base = now;
    log_info("meross", "the clock of this host was set %lld s %s; the plugs are told",
             (long long)(off > 0 ? off : -off), off > 0 ? "forward" : "back");
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d))
        d->clock_jumped = true;
    correct_all(m);
    clockwatch_tell(m);
}

void clockwatch_stop(struct meross *m) { meross_timer_stop(&m->clock); }

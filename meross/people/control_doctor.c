/* control_doctor.c - the verb `doctor`: what is known about faults, for `merossd doctor` to judge.
 *
 *   {}                all plugs in brief, and the connections that came to nothing
 *   {"plug":"lamp"}   one of them, with its timeline and what its TLS offers */
#include "meross/people/verb.h"
#include "meross/session/plug.h"
#include "meross/time/clock.h"

static const char *phase_name(const struct device *d)
{
    static const char *const names[] = {"connecting", "connected", "subscribed", "bound"};
    return d->plug == NULL ? "away" : names[d->plug->phase];
}

/* What it measures at its one outlet, or as a whole; -1: nothing. */
static int64_t measured(const struct device *d, const char *fact, unsigned decimals)
{
    int64_t v = facts_value(&d->facts, facts_channel(0), fact, decimals, -1);
    return v >= 0 ? v : facts_value(&d->facts, FACTS_DEVICE, fact, decimals, -1);
}

static void write_measured(struct json_writer *w, const struct device *d)
{
    int64_t millivolt = measured(d, FACT_VOLTAGE, 3), signal = measured(d, FACT_SIGNAL, 0);
    if (millivolt >= 0)
        json_write_pair_int(w, "millivolt", millivolt);
    if (signal >= 0)
        json_write_pair_int(w, "signal", signal);
}

static void write_attempt(struct json_writer *w, const struct meross *m, const struct attempt *it)
{
    const struct device *of = NULL;
    attempts_write(w, it, m->env);
    for (struct device *d = registry_next(m->registry, NULL); d != NULL && of == NULL;
         d = registry_next(m->registry, d))
        if (d->announced && attempts_is_of(it, d->address, d->uuid))
            of = d;
    if (of != NULL) {
        const struct timeline_session *s = timeline_at(&of->health.timeline, 0);
        json_write_pair(w, "plug", of->name);
        json_write_pair_bool(w, "recovered",
                             of->online && s != NULL && s->opened_ms >= it->last_ms);
    }
    json_write_close(w, '}');
}

static void write_plug(struct json_writer *w, const struct meross *m, const struct device *d,
                       bool whole)
{
    const struct attempt *failed = attempts_of(&m->attempts, d->address, d->uuid);
    uint64_t now_ms = env_mono_ms(m->env);
    json_write_open(w, '{');
    json_write_pair(w, "name", d->name);
    json_write_pair(w, "uuid", d->uuid);
    json_write_pair(w, "type", d->type);
    json_write_pair(w, "hardware", d->hardware);
    json_write_pair(w, "firmware", d->firmware);
    json_write_pair(w, "chip", d->chip);
    json_write_pair(w, "address", d->address);
    json_write_pair_bool(w, "known", d->announced);
    json_write_pair_bool(w, "online", d->online);
    json_write_pair_bool(w, "bound", d->bound);
    json_write_pair(w, "phase", phase_name(d));
    json_write_pair_bool(w, "trusted", d->plug == NULL || d->plug->proven);
    json_write_pair(w, "key", device_key_name(d->key));
    json_write_pair_int(w, "last_seen", d->last_seen);
    write_measured(w, d);
    json_write_name(w, "health");
    health_write(w, &d->health, now_ms);
    if (failed != NULL) {
        json_write_name(w, "failed");
        attempts_write(w, failed, m->env);
        json_write_close(w, '}');
    }
    if (whole) {
        json_write_name(w, "timeline");
        timeline_write(w, &d->health.timeline, m->env);
    }
    if (d->health.hello != NULL)
        json_write_pair(w, "hello", d->health.hello);
    json_write_close(w, '}');
}

static void write_zone(struct json_writer *w, const struct meross *m, int64_t now)
{
    struct zone_rule rules[ZONE_TABLE_MAX];
    if (!m->has_zone)
        return;
    size_t n = zone_table(&m->zone, now, rules, ZONE_TABLE_MAX);
    json_write_name(w, "zone");
    json_write_open(w, '{');
    json_write_pair(w, "name", m->zone.name);
    json_write_pair_int(w, "rules", (int64_t)n);
    json_write_pair_int(w, "offset", rules[0].offset);
    if (n > 1)
        json_write_pair_int(w, "next", rules[1].at);
    json_write_close(w, '}');
}

static void write_house(struct json_writer *w, struct meross *m)
{
    int64_t now = env_wall_s(m->env);
    json_write_pair_int(w, "now", now);
    json_write_pair_int(w, "started", env_wall_of(m->env, m->started_ms));
    json_write_pair_int(w, "uptime", (int64_t)((env_mono_ms(m->env) - m->started_ms) / 1000));
    json_write_pair_bool(w, "clock", clock_is_sane(now));
    write_zone(w, m, now);
    json_write_name(w, "attempts");
    json_write_open(w, '[');
    for (unsigned i = 0; i < ATTEMPTS_MAX; i++)
        if (m->attempts.v[i].n > 0)
            write_attempt(w, m, &m->attempts.v[i]);
    json_write_close(w, ']');
    json_write_pair_int(w, "attempts_total", m->attempts.total);
}

void verb_doctor(struct verb_request *r)
{
    struct meross *m = r->m;
    struct json_writer w;
    struct buf b;
    const struct device *one = NULL;
    if (json_exists(json_get(r->root, "plug")) && (one = verb_find(r)) == NULL)
        return;
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    write_house(&w, m);
    json_write_name(&w, "plugs");
    json_write_open(&w, '[');
    if (one != NULL)
        write_plug(&w, m, one, true);
    for (struct device *d = registry_next(m->registry, NULL); d != NULL && one == NULL;
         d = registry_next(m->registry, d))
        write_plug(&w, m, d, false);
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    answer_end(m, &r->answer, &w);
}

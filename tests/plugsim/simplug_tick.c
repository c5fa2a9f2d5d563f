#include "tests/plugsim/simplug_int.h"

#include "broker/base/mem.h"

#define BACK_MS 9000u /* from its DISCONNECT to the next connection: 15 s to 24 s */
#define PONG_MS 10000u

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t ping_at(const struct simplug *p)
{
    if (p->link != SIMPLUG_UP || p->opt.keep_alive_s == 0 || p->pong_by != SIMPLUG_NEVER)
        return SIMPLUG_NEVER;
    return p->sent_at + p->opt.keep_alive_s * 1000u;
}

/* What goes on whether there is a connection or not. */
static uint64_t own_due(const struct simplug *p, uint64_t now)
{
    uint64_t due = least(p->give_up_at, sim_setup_due(p));
    due = least(due, least(sim_space_due(p), sim_timers_due(p, now)));
    return least(due, sim_alarm_due(p));
}

static uint64_t next_due(const struct simplug *p, uint64_t now)
{
    if (p->st.dead)
        return SIMPLUG_NEVER;
    uint64_t due = least(own_due(p, now), p->meter_push_at);
    if (p->link == SIMPLUG_DOWN)
        return p->pairing ? due : least(due, p->connect_at);
    due = least(due, least(p->connack_by, least(p->bind_at, p->hangup_at)));
    due = least(due, least(p->clock_at, least(p->pong_by, p->die_at)));
    due = least(due, least(ping_at(p), simplug_wire_due(p)));
    return p->queued > 0 ? least(due, p->queue[0].due) : due;
}

static void repeat_bind(struct simplug *p, uint64_t now)
{
    simplug_say_bind(p, now);
    p->binds_left--;
    p->bind_at = p->binds_left > 0 ? p->bind_at + SIMPLUG_BIND_MS : SIMPLUG_NEVER;
}

static void answer_next(struct simplug *p, uint64_t now)
{
    struct simplug_request r = p->queue[0];
    struct simplug_envelope e;
    const char *wrong;
    memmove(&p->queue[0], &p->queue[1], --p->queued * sizeof p->queue[0]);
    int err = sim_json_parse(&p->json, span_of(r.json, r.n));
    if (err == MD_OK && simplug_envelope_read(p, &e, &wrong) == MD_OK)
        simplug_do(p, &e, now);
    mem_free(r.json);
}

/* The one thing that is due first; false when nothing is. */
static bool act(struct simplug *p, uint64_t now)
{
    if (sim_setup_act(p, now) || sim_space_act(p, now) || sim_timers_act(p, now) ||
        sim_alarm_act(p, now))
        return true;
    if (now >= p->give_up_at) {
        simplug_give_up(p, now);
    } else if (now >= p->die_at) {
        simplug_die(p);
    } else if (now >= p->connack_by) {
        simplug_violate(p, "no CONNACK within 10 s");
        simplug_lose(p, "no CONNACK", now);
    } else if (now >= p->hangup_at) {
        simplug_hang_up(p, "no answer to Bind", now + BACK_MS, now);
    } else if (now >= p->bind_at) {
        repeat_bind(p, now);
    } else if (now >= p->clock_at) {
        p->clock_at += SIMPLUG_CLOCK_MS;
        simplug_say_clock(p, now);
    } else if (now >= p->pong_by) {
        simplug_violate(p, "no PINGRESP within 10 s");
        simplug_lose(p, "no PINGRESP", now);
    } else if (now >= ping_at(p)) {
        p->pong_by = now + PONG_MS;
        simplug_wire_ping(p, now);
    } else if (now >= p->meter_push_at) {
        p->meter_push_at = now + p->opt.meter_push_s * 1000u;
        simplug_say_meters(p, now);
    } else if (p->queued > 0 && now >= p->queue[0].due) {
        answer_next(p, now);
    } else if (now >= simplug_wire_due(p)) {
        simplug_wire_late(p, now);
    } else {
        return false;
    }
    return true;
}

uint64_t simplug_tick(struct simplug *p, uint64_t now)
{
    while (!p->st.dead && act(p, now))
        if (p->broken)
            simplug_lose(p, "out of memory", now);
    return next_due(p, now);
}

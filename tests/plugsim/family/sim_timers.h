/* sim_timers.h - TimerX and TriggerX: what a plug does by itself, by its own clock and zone, with
 * or without a broker (sheet 5.12). */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_TIMERS_H
#define TESTS_PLUGSIM_FAMILY_SIM_TIMERS_H

#include "tests/plugsim/family/sim_tree.h"

#define SIM_TIMERS_MAX      16
#define SIM_TIMERS_CHANNELS 8

struct simplug;

enum sim_timer_kind { SIM_TIMER, SIM_TRIGGER, SIM_TIMER_KINDS };

struct sim_timer {
    struct sim_tree *body; /* as it was set; NULL: free */
    unsigned count;        /* how often it was set */
};

struct sim_timers {
    struct sim_timer list[SIM_TIMER_KINDS][SIM_TIMERS_MAX];
    int64_t minute; /* of local time since 1970 that was looked at last; 0: none */
    uint64_t on_since[SIM_TIMERS_CHANNELS]; /* 0: it is off */
};

void sim_timers_clear(struct simplug *p);
void sim_timers_switched(struct simplug *p, unsigned channel, bool on, uint64_t now);
uint64_t sim_timers_due(const struct simplug *p, uint64_t now);
bool sim_timers_act(struct simplug *p, uint64_t now); /* false: nothing was due */

/* Appends {"channel":0,"id":"...","count":1},... as the digest has them. */
MD_MUST_USE int sim_timers_put(const struct simplug *p, enum sim_timer_kind kind, struct buf *out);

/* Handlers as those of simplug_do.c. */
int sim_timers_get_timer(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_set_timer(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_delete_timer(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_get_trigger(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_set_trigger(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_delete_trigger(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_digest_timers(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_timers_digest_triggers(struct simplug *p, int payload, struct buf *out, uint64_t now);

#endif

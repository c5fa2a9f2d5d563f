/* house.h - a whole house without sockets: the broker with the Meross logic and the access rules,
 * simulated plugs on it, a hand that speaks MQTT, and one clock for all that is stepped. */
#ifndef TESTS_SIM_HOUSE_H
#define TESTS_SIM_HOUSE_H

#include "tests/fake/fake_env.h"
#include "tests/fake/fake_wire.h"
#include "tests/plugsim/simplug.h"

#define HOUSE_PLUGS   32
#define HOUSE_STEP    10 /* milliseconds of one step of the clock */
#define HOUSE_NOTES   512
#define HOUSE_WALL_MS 1790000000000 /* 2026-09-21: a clock that is believed */

struct house;

struct house_plug {
    struct house *house;
    struct simplug *sim;
    struct conn *conn; /* NULL: no transport */
    char address[32];
    const char *hello; /* what its TLS offers; NULL: nothing is told */
    bool unplugged;    /* bytes go nowhere and nobody is told: Wi-Fi is gone */
};

struct house_note { /* one message the hand received */
    char topic[128];
    char payload[4096];
    bool retain;
};

struct house {
    struct fake_env fake;
    struct store *store; /* outlives the broker: its state directory */
    struct meross *meross;
    struct access *access;
    struct broker *broker;
    const char *keys[4]; /* NULL-terminated: meross_key */
    struct house_plug plugs[HOUSE_PLUGS];
    unsigned n_plugs;
    struct wire hand; /* an ordinary client on this host, subscribed to meross/# */
    struct house_note notes[HOUSE_NOTES];
    unsigned n_notes;
    size_t mem_before;
    char log[16384]; /* WARN and ERROR lines since house_start() */
};

void house_start(struct house *h, const char *key); /* key NULL: none is configured */
void house_start_on(struct house *h, const char *key, struct store *store); /* store taken; all else
                                                                             was freed before */
void house_broker_stop(struct house *h);            /* every connection ends; the store stays */
void house_broker_start(struct house *h);           /* a new one on the same store            */
void house_stop(struct house *h);                   /* everything, and nothing may have leaked */

struct house_plug *house_plug(struct house *h, const struct simplug_options *o);
struct simplug_options house_options(const struct house *h, const char *type, unsigned index);
const struct simplug_status *house_status(const struct house_plug *p);

void house_run(struct house *h, uint64_t ms);
/* The same in large steps, for days and months; what the hand hears meanwhile is forgotten. */
void house_leap(struct house *h, uint64_t ms, uint64_t step_ms);
/* Runs until every plug is bound, at most `ms`; returns how long it took, UINT64_MAX: not. */
uint64_t house_run_until_bound(struct house *h, uint64_t ms);
void house_wall(struct house *h, int64_t wall_ms); /* steps the wall clock */

/* The hand publishes; the hand's newest note on a topic ("" when there is none). */
void house_say(struct house *h, const char *topic, const char *payload);
const char *house_heard(const struct house *h, const char *topic);
unsigned house_count(const struct house *h, const char *topic, const char *part);
void house_forget(struct house *h); /* the notes so far */

void house_assert_clean(const struct house *h); /* no plug saw anything it should not */

#endif

/* sim_space.h - the namespaces of a device that are described by its model's file: entries that
 * are read, set, and told when they change.
 *
 * A namespace in the file:
 *   "key":     the payload's member
 *   "entries": [{...}, ...]  what it holds
 *   "id":      what tells the entries apart: "channel" (default), "id", "subId", or "none"
 *   "view":    ["Appliance.Hub.Mts100.All", "mode"]  instead of entries: a part of another's
 *   "get":     "list" (default), "object", "wrapped" (object beside "channel":0), "listed" (only
 *              what is named in the request), "none"
 *   "rare_s":  a GET sooner after the last one is a violation: it wakes sub-devices
 *   "query":   true: PUSH {} makes it push what it holds (sheet 5.0)
 *   "push":    "list" (default), "object", "none"
 *   "set":     {"onoff": [0, 1], "luminance": [1, 100], "mode": [0, 1, 4], "name": []}  what may be
 *              set: between two, one of three or more, anything.  Without it: read only
 *   "needs":   ["uuid"]  what an entry of a SET must have
 *   "ack":     "empty" (default), "entry" (what it is now)
 *   "with":    {"type": "mod100"}  must accompany a SET, and is in all that is told
 *   "capacity": true: the rules of Control.Light (sheet 5.5)
 *   "turns_on": true: a SET switches the channel's relay on
 *   "follow":  {"manualTemp": "targetTemp"}  the second takes the value of the first
 *   "target":  {"by": "mode", "of": ["heatTemp", ...], "is": "targetTemp"}
 *   "compare": {"state": ["currentTemp", "targetTemp", 1, 0]}  the third while the first is lower
 *   "also":    ["Appliance.Digest.Hub"]  entries with the same id take the same members
 *   "late":    {"member": "open", "ms": 10000, ["stop": -1], ["meanwhile": {"namespace": ...,
 *              "member": "state", "up": 1, "down": 2}]}  a motor: it takes its time           */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_SPACE_H
#define TESTS_PLUGSIM_FAMILY_SIM_SPACE_H

#include "tests/plugsim/family/sim_model.h"

#define SIM_SPACE_MOVES   8
#define SIM_SPACE_CHANGES 16

struct simplug;

struct sim_move { /* a member on its way; space NULL: free */
    const struct sim_tree *space;
    struct sim_tree *entry;
    int64_t from, to;
    uint64_t since, due;
};

struct sim_change { /* entries that are to be told */
    const struct sim_tree *space;
    uint64_t entries; /* bit by place */
};

struct sim_spaces {
    uint64_t rare_at; /* the last GET of what has "rare_s"; 0: none yet */
    struct sim_move move[SIM_SPACE_MOVES];
    struct sim_change change[SIM_SPACE_CHANGES];
};

/* The namespace's description; NULL when the model's file has none. */
const struct sim_tree *sim_space_of(const struct simplug *p, const char *ns);
bool sim_space_can(const struct simplug *p, const char *ns, const char *method);

/* As the handlers of simplug_do.c. */
int sim_space_get(struct simplug *p, const struct sim_tree *space, int payload, struct buf *out,
                  uint64_t now);
int sim_space_set(struct simplug *p, const struct sim_tree *space, int payload, struct buf *out,
                  uint64_t now);
/* Appends what the namespace holds: its first entry, or all of them without brackets. */
MD_MUST_USE int sim_space_put(const struct simplug *p, const struct sim_tree *space, bool list,
                              struct buf *out);

void sim_space_tell(struct simplug *p, uint64_t now); /* pushes what has changed */
/* Answers a query by PUSH; false: this is no such namespace. */
bool sim_space_query(struct simplug *p, const char *ns, uint64_t now);
uint64_t sim_space_due(const struct simplug *p);
bool sim_space_act(struct simplug *p, uint64_t now); /* false: nothing was due */

#endif

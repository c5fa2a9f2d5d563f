/* sim_alarm.h - what a device tells again and again until it is answered: over-temperature, a hub's
 * list of sub-devices with needReply, alarms (sheet 5.9, 5.10). */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_ALARM_H
#define TESTS_PLUGSIM_FAMILY_SIM_ALARM_H

#include "broker/base/buf.h"

#define SIM_ALARMS   4
#define SIM_ALARM_MS 5000u /* between two of the same */

struct simplug;
struct simplug_envelope;

struct sim_alarm {
    char ns[64], method[12], until[12]; /* ns "": free; until: the method that ends it */
    char *payload;                      /* owned */
    char id[33];                        /* the same each time */
    uint64_t due;
};

void sim_alarm_start(struct simplug *p, const char *ns, const char *method, const char *until,
                     struct span payload, uint64_t now);
void sim_alarm_announce(struct simplug *p,
                        uint64_t now); /* it is bound: what its model announces */
/* Is this the answer to one?  Then that one is over. */
bool sim_alarm_answered(struct simplug *p, const struct simplug_envelope *e);
uint64_t sim_alarm_due(const struct simplug *p);
bool sim_alarm_act(struct simplug *p, uint64_t now); /* false: nothing was due */
void sim_alarm_clear(struct simplug *p);

#endif

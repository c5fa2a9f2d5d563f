/* inbound.h - what a plug says on its own accord, and the answers that carry state, by namespace
 * and method.  One table in inbound.c lists every handler; the h_*.c hold them.
 *
 * Each is called with a plug whose device is known and with an envelope lent for the call; the
 * payload is whatever the plug chose to send. */
#ifndef MEROSS_INBOUND_H
#define MEROSS_INBOUND_H

#include "meross/session/plug.h"

/* False when there is no handler for it: not an error.  What would change something is not done for
 * a connection that is not trusted yet. */
bool inbound_dispatch(struct plug *p, const struct envelope *e);

/* h_bind.c */
void bind_on_set(struct plug *p, const struct envelope *e);    /* answered, each time, at once   */
void bind_on_push(struct plug *p, const struct envelope *e);   /* old firmware: not answered     */
void bind_on_unbind(struct plug *p, const struct envelope *e); /* its owner reset it             */
/* h_clock.c */
void clock_on_push(struct plug *p, const struct envelope *e);   /* the same header, our time    */
void clock_on_config(struct plug *p, const struct envelope *e); /* the same message back        */
void clock_on_subdevices(struct plug *p, const struct envelope *e); /* the same, if it asks so   */
/* h_time.c */
void time_on_push(struct plug *p, const struct envelope *e);
/* Sends System.Time when `time` (an object as in System.All) is not what the host says, at
 * most once in ten minutes per plug. */
void time_check(struct plug *p, struct json_at time);
/* h_family.c */
/* What one of the families understands (meross/family); false: none does. */
bool family_on_message(struct plug *p, const struct envelope *e);
void family_on_digest(struct plug *p, struct json_at digest); /* of System.All */
/* A SET of ours was acknowledged. */
struct family_step;
void family_on_step(struct plug *p, const struct family_step *step, struct json_at reply);
/* diary.c */
void diary_on_debug(struct plug *p, const struct envelope *e);
/* h_state.c */
void state_on_all(struct plug *p, const struct envelope *e);
void state_on_ability(struct plug *p, const struct envelope *e);
void state_on_togglex(struct plug *p, const struct envelope *e);
void state_on_toggle(struct plug *p, const struct envelope *e);
/* h_energy.c */
void energy_on_electricity(struct plug *p, const struct envelope *e);
void energy_on_days(struct plug *p, const struct envelope *e);
void energy_on_hours(struct plug *p, const struct envelope *e);
/* We asked for it and the plug agreed: as if it had said so. */
void state_assume(struct plug *p, unsigned channel, bool on);
/* Remembers the members of "hardware" and "firmware", as in Bind and System.All; a plug that had
 * only a first name gets its proper one. */
void state_take_identity(struct plug *p, struct json_at hardware, struct json_at firmware);

#endif

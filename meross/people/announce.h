/* announce.h - what people are told about plugs: retained topics, events, the registry.  Nothing is
 * told of a plug that is not announced. */
#ifndef MEROSS_ANNOUNCE_H
#define MEROSS_ANNOUNCE_H

#include "meross/wire/json_write.h"
#include "meross/meross_int.h"

/* The state topic, retained; only when it differs from what was published last. */
void announce_state(struct meross *m, struct device *d);

void announce_availability(struct meross *m, const struct device *d); /* retained */

/* All topics of a plug, whatever was published before. */
void announce_all(struct meross *m, struct device *d);

/* Removes the retained topics of a name. */
void announce_clear(struct meross *m, struct device *d);

/* An event.  text is one further member, or NULL. */
void announce_event(struct meross *m, const struct device *d, const char *event, const char *name,
                    const char *text);
void announce_switched(struct meross *m, const struct device *d, unsigned channel, bool on,
                       bool by_us);
/* A fact of the device, of one of its channels or of a sub-device is an event: {"event":"door",
 * "channel":1,"door":"open"}. */
void announce_fact(struct meross *m, const struct device *d, const struct fact *it);

/* What the list of plugs shows changed: within a second the registry is saved, and the list and
 * the info are published; many changes in a row cost one such round. */
void announce_soon(struct meross *m);

/* Something else changed: the registry is saved within a second, and nothing is published. */
void announce_save_soon(struct meross *m);

/* Saves the registry now, before somebody is told that what he wanted is done. */
void announce_save_now(struct meross *m);

/* The list of plugs and the info, now. */
void announce_broker(struct meross *m);
/* The info again each minute, because of what it counts. */
void announce_info_later(struct meross *m);
void announce_broker_state(struct meross *m, bool online);

#endif

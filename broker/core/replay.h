/* replay.h - Retained Messages for the filters of a SUBSCRIBE, a budget of them each turn.
 *
 * A filter with '+' may look at all of the tree and find nothing, and one packet may name thousands
 * of them; everybody else would wait meanwhile.  What exceeds the budget of a turn, which all
 * clients share, is done in the next ones; until then the packets behind the SUBSCRIBE wait, so
 * their order is as if nothing had happened.
 *
 * It is the Session's: one that is kept gets all of it [MQTT-3.3.1-6], also when its connection
 * ends before; the packets of the next one wait, too. */
#ifndef BROKER_CORE_REPLAY_H
#define BROKER_CORE_REPLAY_H

#include "broker/codec/mqtt.h"
#include "broker/core/conn_int.h"

/* Topic levels looked at in one turn, and a few for each filter and each message; the last filter
 * may exceed it. */
#define REPLAY_BUDGET     10000u
#define REPLAY_PER_FILTER 4u
/* A Session that has more filters left when its connection ends gets no more: whoever has gone may
 * not keep us busy for hours. */
#define REPLAY_AWAY 1000u

struct grant {    /* what became of one filter                 */
    uint8_t code; /* of SUBACK                                 */
    bool replay;  /* whether Retained Messages follow          */
};

/* After SUBACK, which conn_out.c sends first: queues what the filters match; `list` and `grant`,
 * one for each filter, are copied where it takes longer: session->replaying then.
 * Errors: MD_NOMEM. */
MD_MUST_USE int replay_start(struct conn *c, struct mqtt_filters list, const struct grant *grant);

void replay_stop(struct session *s); /* s->replaying: it ends           */
void replay_away(struct session *s); /* the same: its connection is gone */

/* A new turn begins; true: more is waiting. */
bool replays_turn(struct broker *b);

#endif

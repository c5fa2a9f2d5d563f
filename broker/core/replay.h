/* replay.h - Retained Messages for the filters of a SUBSCRIBE, a budget of them each turn.
 *
 * A filter with '+' may look at all of the tree and find nothing, and one packet may name thousands
 * of them; everybody else would wait meanwhile.  What exceeds the budget of a turn, which all
 * clients share, is done in the next ones; until then the packets behind the SUBSCRIBE wait, so
 * their order is as if nothing had happened.
 *
 * It is the Session's: one that is kept gets all of it [MQTT-3.3.1-6], also when its connection
 * ends before, or the broker: SUBACK promised it, so what is left is stored (STORE_REPLAY).  The
 * packets of the next connection wait, too. */
#ifndef BROKER_CORE_REPLAY_H
#define BROKER_CORE_REPLAY_H

#include "broker/core/session.h"

/* Topic levels looked at in one turn, and a few for each filter and each message; the last filter
 * may exceed it. */
#define REPLAY_BUDGET     10000u
#define REPLAY_PER_FILTER 4u
/* A Session that has more filters left when its connection ends gets the rest when it is back:
 * whoever has gone may not keep us busy for hours. */
#define REPLAY_AWAY 1000u

/* After SUBACK, which conn_out.c sends first: queues what the filters match.  `todo` has them as a
 * SUBSCRIBE does, with the QoS that was granted; it is taken, and empty afterwards.
 * session->replaying when it takes longer.  Errors: MD_NOMEM. */
MD_MUST_USE int replay_start(struct session *s, struct buf *todo);

/* The same for what was stored of an absent Session that has none.
 * Errors: MD_INVAL: it is no such list, or not all are filters of the Session (an older version,
 * which knows no replays, may have ended what they belonged to); MD_NOMEM. */
MD_MUST_USE int replay_restore(struct session *s, struct span list);
/* So many of its first filters were done.  Errors: MD_INVAL: it has not as many. */
MD_MUST_USE int replay_skip(struct session *s, uint32_t done);

/* s->replaying: */
void replay_stop(struct session *s); /* it ends here; what is stored stays */
void replay_away(struct session *s); /* its connection is gone             */
void replay_back(struct session *s); /* and there is another               */

/* A new turn begins; true: more is waiting. */
bool replays_turn(struct broker *b);

#endif

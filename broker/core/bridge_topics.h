/* bridge_topics.h - the two names of a topic: here and on the other side of a bridge.  Pure. */
#ifndef BROKER_CORE_BRIDGE_TOPICS_H
#define BROKER_CORE_BRIDGE_TOPICS_H

#include "broker/base/buf.h"
#include "broker/bridge.h"

/* The Topic Filter of one entry, here or there, appended to `out`.  Errors: MD_INVAL when prefix
 * and pattern do not make one, MD_NOMEM. */
MD_MUST_USE int bridge_topics_filter(const struct bridge_topic *t, bool remote, struct buf *out);

/* The name on the other side of a valid Topic Name, by the first entry that matches.
 *
 * outward  true: from here to there, by entries that go out; false: the way back in.
 * *found   the entry; lent.
 * out      the name is appended.
 * Errors: MD_NOENT (no entry wants it), MD_TOOBIG (the name would pass 65,535 bytes), MD_NOMEM. */
MD_MUST_USE int bridge_topics_map(const struct bridge_topic *v, size_t n, bool outward,
                                  struct span name, const struct bridge_topic **found,
                                  struct buf *out);

#endif

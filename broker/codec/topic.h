/* topic.h - Topic Names and Topic Filters as text: validity and matching.
 * Pure.  [MQTT 4.7] */
#ifndef BROKER_CODEC_TOPIC_H
#define BROKER_CODEC_TOPIC_H

#include "broker/base/span.h"

/* Not empty [MQTT-4.7.3-1], no wildcards [MQTT-3.3.2-2], well-formed UTF-8 without
 * U+0000 [MQTT-4.7.3-2], at most 65,535 bytes [MQTT-4.7.3-3]. */
bool topic_name_valid(struct span s);
/* The same, but with wildcards in their places [MQTT-4.7.1-2] [MQTT-4.7.1-3]. */
bool topic_filter_valid(struct span s);

size_t topic_levels(struct span s); /* separators + 1 */
/* More levels than `max`, which is not 0; a short topic is not even looked at. */
bool topic_deeper(struct span s, size_t max);

/* The slow, obviously right matcher.  core/subs.c has the fast one; a
 * property test keeps the two equal.  Both arguments are valid. */
bool topic_match(struct span filter, struct span name);

/* Cuts the next level off *rest.  Start with *rest = the whole text and *more = true;
 * false after the last one.  "a//" has the levels "a", "", "". */
bool topic_next_level(struct span *rest, bool *more, struct span *level);

#endif

/* router.h - one message in, every subscriber out.  The only function that
 * connects publishers to subscribers. */
#ifndef BROKER_CORE_ROUTER_H
#define BROKER_CORE_ROUTER_H

#include "broker/broker.h"
#include "broker/core/message.h"

/* 1. keep it when RETAIN is set, 2. collect the subscribers, 3. deliver.
 *
 * On MD_OK the broker has taken responsibility, and PUBACK or PUBREC may be
 * sent [MQTT-4.3.2-2].  `m` is shared.  Errors: MD_NOMEM from step 1 or 2, MD_FULL (memory_limit)
 * from step 1: nothing was delivered, and the caller closes the connection so that the client
 * tries again [MQTT-4.8.0-2]. */
MD_MUST_USE int route_publish(struct broker *b, struct message *m);

/* The same for a Will Message, or one of this program: nobody would send it again, so at
 * memory_limit it is delivered and not kept, whatever its QoS.  Errors: MD_NOMEM. */
MD_MUST_USE int route_unanswered(struct broker *b, struct message *m);

#endif

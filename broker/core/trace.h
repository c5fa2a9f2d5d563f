/* trace.h - one DEBUG line per packet, in the words that mosquitto -v uses, because people
 * and their scripts know them.  Cheap when nobody listens: callers test log_wants(). */
#ifndef BROKER_CORE_TRACE_H
#define BROKER_CORE_TRACE_H

#include "broker/codec/mqtt.h"
#include "broker/core/outq.h"

void trace_received(struct span client_id, const struct mqtt_packet *p);
void trace_sending(struct span client_id, const struct delivery *d);

#endif

/* exchange.h - inside of server_exchange(), for broker/net only. */
#ifndef BROKER_NET_EXCHANGE_H
#define BROKER_NET_EXCHANGE_H

#include "broker/net/server_int.h"

/* Every exchange under way ends with MD_CLOSED. */
void exchanges_stop(struct server *s);

#endif

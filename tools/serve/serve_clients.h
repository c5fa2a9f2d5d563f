/* serve_clients.h - answers <base>/broker/request/clients: who is connected, and who is away with a
 * Session that waits.  A local client of the broker, like meross/. */
#ifndef TOOLS_SERVE_CLIENTS_H
#define TOOLS_SERVE_CLIENTS_H

#include "broker/broker.h"

#define SERVE_CLIENTS_MAX 2000u /* in one answer; it says when there are more */

struct serve_clients;

/* base  meross_topic.
 * b     kept until serve_clients_free().
 * *out  given: serve_clients_free(), before the broker is.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int serve_clients_new(struct serve_clients **out, struct broker *b, const char *base);
void serve_clients_free(struct serve_clients *c); /* NULL is fine */

#endif

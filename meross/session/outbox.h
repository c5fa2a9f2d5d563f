/* outbox.h - publishing, for this room: a failure is logged where it happens, and nothing is
 * published before meross_attach() and after meross_detach(). */
#ifndef MEROSS_OUTBOX_H
#define MEROSS_OUTBOX_H

#include "broker/base/buf.h"
#include "meross/meross_int.h"

#define OUTBOX_JSON_MAX (8u << 20) /* bytes of the largest message of ours: the list of all plugs */

void outbox_publish(struct meross *m, const char *topic, struct span payload, bool retain);

/* Publishes what the writer of `json` has collected, unless it failed; then frees the buf. */
struct json_writer;
void outbox_publish_json(struct meross *m, const char *topic, struct json_writer *w, bool retain);

#endif

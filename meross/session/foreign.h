/* foreign.h - what any other client sends to a plug: other home automation, an app, a person with
 * a tool.  It is checked (shield.h), waits for its turn among the requests to the plug
 * (command.h), and is then sent as it is; the plug answers on the topic that it named.
 *
 *   a request (GET, SET, DELETE, a PUSH that asks for one)
 *       at most FOREIGN_QUEUE_MAX wait for a plug, each at most FOREIGN_WAIT_MS, because some
 *       plugs refuse an old timestamp
 *   an answer to something that the plug itself said (SETACK, PUSH with its messageId)
 *       goes at once, but only the first: merossd answers Bind, Clock and the like itself, and what
 *       comes second is dropped without a word
 *
 * A plug ignores a messageId that it has seen, so one that was sent lately is refused. */
#ifndef MEROSS_FOREIGN_H
#define MEROSS_FOREIGN_H

#include "meross/meross_int.h"

#define FOREIGN_QUEUE_MAX 8
#define FOREIGN_WAIT_MS   4000

/* `who` published `message` to /appliance/<uuid>/subscribe.  True: there is no such plug, and the
 * broker may deliver it to whoever listens; false: it has been seen to. */
bool foreign_take(struct meross *m, const struct broker_client *who,
                  const struct broker_message *message, struct span uuid);

#endif

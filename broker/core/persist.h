/* persist.h - what of the broker outlives it: Sessions with Clean Session 0, their subscriptions,
 * their queues and windows, the Packet Identifiers of QoS 2 both ways, and Retained Messages.
 *
 *     STORE_SESSION  Client Identifier      -> number(4) | has user name(1) | user name
 *     STORE_SUB      number(4) | filter     -> QoS(1)
 *     STORE_QUEUE    number(4) | order(4)   -> message(8) | packet id(2) | flags(1)
 *     STORE_QOS2     number(4) | packet id(2) -> nothing
 *     STORE_REPLAY   number(4)              -> filters (replay.h), as in SUBSCRIBE
 *     STORE_REPLAY   number(4) | 0(1)       -> so many of them are done(4)
 *     STORE_MESSAGE  message(8)             -> QoS(1) | topic length(2) | topic | payload
 *     STORE_RETAIN   topic                  -> QoS(1) | payload
 *
 * A message is stored once however many queues it stands in.  All of it is nothing but calls of
 * store.h; without a store, or for a Session that is not kept, they do nothing.  For
 * broker/core only. */
#ifndef BROKER_CORE_PERSIST_H
#define BROKER_CORE_PERSIST_H

#include "broker/core/broker_int.h"
#include "broker/core/session.h"

/* A Session that is kept from now on gets its number (session->number).  Errors: of the store. */
MD_MUST_USE int persist_session(struct session *s);
void persist_session_gone(struct session *s); /* and everything that belongs to it */

MD_MUST_USE int persist_sub(struct session *s, struct span filter, unsigned qos);
void persist_unsub(struct session *s, struct span filter);

/* A replay that takes longer, and how far it has come.  Errors: of the store. */
MD_MUST_USE int persist_replay(struct session *s, struct span list);
MD_MUST_USE int persist_replay_done(struct session *s, uint32_t done);
void persist_replay_gone(struct session *s);

/* An entry of the queue (new), or one that was moved to the window or changed there.
 * Errors: of the store. */
MD_MUST_USE int persist_delivery(struct session *s, const struct delivery *d);
/* A new entry wherever it stands. */
MD_MUST_USE int persist_delivery_new(struct session *s, const struct delivery *d);
/* It is done with.  `m` is its message, NULL when that went before. */
void persist_delivery_done(struct session *s, const struct delivery *d, struct message *m);
/* It needs its message no more, but its PUBCOMP is outstanding. */
void persist_delivery_released(struct session *s, const struct delivery *d, struct message *m);

MD_MUST_USE int persist_qos2(struct session *s, uint16_t packet_id);
void persist_qos2_done(struct session *s, uint16_t packet_id);

/* `m` is about to replace `old` (NULL: nothing); an empty payload removes.  What does not change
 * is not written.  Errors: of the store. */
MD_MUST_USE int persist_retained(struct broker *b, const struct message *m,
                                 const struct message *old);

#endif

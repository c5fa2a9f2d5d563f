/* control.h - what people ask on our topics, and the answers (topics.h, answer.h).
 *
 *   <base>/<plug>/set, <base>/<plug>/<channel>/set   ON | OFF | TOGGLE in any case, or
 *                              {"state":"ON","channel":0,"transaction":"t1"}
 *   <base>/<plug>/get          empty, or {"transaction":"t1"}
 *   <base>/broker/request/<verb>  {"transaction":"t1",...}; always answered:
 *       list                        {"plugs":[...]}
 *       rename  plug, name          {"name":"new","was":"old"}
 *       forget  plug                {"name":"old"}; one that is connected is disconnected, and
 *                                   is registered as new, under its first name, when it returns
 *       permit  seconds             {"seconds":120}; so long new plugs are let in where
 *                                   `meross_auth known` keeps them out; 120 when not given, 0 ends it
 *
 * `plug` is a name, a uuid or a MAC address.  The channel is 0 unless it is named: the outlet, or
 * all outlets of a strip. */
#ifndef MEROSS_CONTROL_H
#define MEROSS_CONTROL_H

#include "meross/meross_int.h"

/* The callback of the subscriptions; ctx is struct meross. */
void control_on_message(void *ctx, const struct broker_message *message);

/* control_switch.c */
void control_set(struct meross *m, const struct topics_ref *ref, struct span payload);
void control_get(struct meross *m, const struct topics_ref *ref, struct span payload);
/* control_registry.c */
void control_broker(struct meross *m, struct span verb, struct span payload);

#endif

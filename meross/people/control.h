/* control.h - what people ask on our topics, and the answers (topics.h, answer.h).
 *
 *   <base>/<plug>/set, <base>/<plug>/<part>/set (level.h)   ON | OFF | TOGGLE in any case, or
 *                              {"state":"ON","channel":0,"transaction":"t1"}, or
 *                              {"channels":[{"channel":1,"state":"ON"}]} (orders.h), or
 *                              {"brightness":80,"color":"#ff0000"} (wishes.h);
 *                              with "when_back":true also later (when_back.h)
 *   <base>/<plug>/get          empty, or {"transaction":"t1"}
 *   <base>/broker/request/<verb>  {"transaction":"t1",...}; always answered:
 *       list                        {"plugs":[...]}
 *       show    plug                all that is known of it, an object
 *       rename  plug, name          {"name":"new","was":"old"}; with "channel" or "subdevice" that
 *                                   part of it is named
 *       forget  plug                {"name":"old"}; one that is connected is disconnected, and
 *                                   is registered as new, under its first name, when it returns
 *       timer   plug, action ...    what a plug does by itself, see control_timer.c:
 *                                     list (also without "action")   {"timers":[...]}
 *                                     add  time, state, days, once, channel, name  {"timer":{...}}
 *                                     remove, enable, disable  id
 *                                     auto_off  after (seconds; 0 ends it), channel
 *       permit  seconds             {"seconds":120}; so long new plugs are let in where
 *                                   `meross_auth known` keeps them out; 120 when not given, 0 ends
 *                                   it
 *       move    plug, host, port, key   {"name":"kettle","confirmed":true}; the plug is told
 *                                   another broker, and its key there; without "key" it keeps the
 *                                   one it has.  confirmed is false when it left before it answered
 *       unbind  plug                {"name":"kettle"}: it forgot its Wi-Fi and its key, and is
 *                                   forgotten here
 *       power   [plug]              {"plugs":[{"name":"kettle","online":true,"channels":[
 *                                   {"channel":0,"age":12,"power":60,...}]}]}; for two minutes
 *                                   they are read often
 *       energy  plug                {"name":"kettle","zone":"Europe/Berlin","channels":[
 *                                   {"channel":0,"total":48211,"month":9120,"today":512,
 *                                   "counted":1790000000,"rows":[{"day":"2026-04-03","wh":512}],
 *                                   "wh":512,"sum":512}]}, in Wh: the last seven days, or one of
 *                                   "days":n, "month":"2026-04", "day":"2026-04-03" and "hours":n,
 *                                   which have {"hour":"2026-04-03T02:00+02:00",
 *                                   "begin":1775174400,"wh":21}; "channel":n for only one.  wh is
 *                                   what is booked for all of the period, sum that of the rows;
 *                                   only hours can be missing
 *       energy                      {"plugs":[{"name":"kettle","channel":0,"total":...,"wh":...}]}
 *       raw     plug, method, namespace, payload
 *                                   {"plug":"kettle","answered":true,"method":"GETACK",
 *                                   "namespace":"...","payload":{...}}; a PUSH need not be answered
 *       key     uuid, mac, key, name, address   {"name":"plug-3456","uuid":"...","expected":true}:
 *                                   the key of a plug, told before it comes, or before it gets a
 *                                   new one; name and address may be left out.  The request reaches
 *                                   nobody but merossd
 *       unkey   uuid                {"taken_back":true}: the key that was told last will not be
 *                                   used
 *       arrival uuid                {"phase":"bound",...}: how far a plug that is awaited has come
 *       doctor  plug, if at all     what is known about faults: control_doctor.c
 *
 * `plug` is a name, the beginning of exactly one, a uuid or a MAC address; in a topic it is a
 * name.  The channel is 0 unless it is named: the outlet, or all outlets of a strip. */
#ifndef MEROSS_CONTROL_H
#define MEROSS_CONTROL_H

#include "meross/meross_int.h"

/* Subscribes to all of them, into m->subs.  Errors: MD_NOMEM; some may be subscribed then. */
MD_MUST_USE int control_subscribe(struct meross *m);

/* control_set.c */
void control_set(struct meross *m, const struct topics_ref *ref, struct span payload);
/* The same for an order that was kept (when_back.h); nobody waits for an answer. */
void control_again(struct meross *m, struct device *d, struct span level, struct span payload);
void control_get(struct meross *m, const struct topics_ref *ref, struct span payload);
/* control_registry.c */
void control_broker(struct meross *m, struct span verb, struct span payload);

#endif

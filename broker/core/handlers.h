/* handlers.h - one function per Control Packet a client may send; each is
 * called by conn.c and lives in the h_*.c of its chapter.
 * Return MD_OK, or an error after which the connection is closed; *why then
 * names the statement or the reason. */
#ifndef BROKER_CORE_HANDLERS_H
#define BROKER_CORE_HANDLERS_H

#include "broker/core/conn_int.h"

int handle_connect(struct conn *c, const struct mqtt_connect *p, const char **why); /* 3.1     */
int handle_publish(struct conn *c, const struct mqtt_publish *p, const char **why); /* 3.3     */
int handle_ack(struct conn *c, enum mqtt_type type, uint16_t id, const char **why); /* 3.4-3.7 */
int handle_subscribe(struct conn *c, struct mqtt_filters *p, const char **why);     /* 3.8     */
int handle_unsubscribe(struct conn *c, struct mqtt_filters *p, const char **why);   /* 3.10    */
int handle_pingreq(struct conn *c, const char **why);                               /* 3.12    */
int handle_disconnect(struct conn *c, const char **why);                            /* 3.14    */

#endif

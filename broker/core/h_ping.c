/* h_ping.c - PINGREQ and DISCONNECT.  [MQTT 3.12 - 3.14] */
#include "broker/core/handlers.h"

#include "broker/codec/mqtt_encode.h"

int handle_pingreq(struct conn *c, const char **why)
{
    if (mqtt_put_pingresp(&c->ctl) != MD_OK) {
        *why = "out of memory";
        return MD_NOMEM;
    }
    conn_answered(c);
    return MD_OK;
}

int handle_disconnect(struct conn *c, const char **why)
{
    message_unref(c->will); /* [MQTT-3.14.4-3] */
    c->will = NULL;
    *why = "it said goodbye";
    return MD_CLOSED;
}

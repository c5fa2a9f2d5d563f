/* h_ack.c - PUBACK, PUBREC, PUBREL, PUBCOMP from a client.  [MQTT 3.4 - 3.7] */
#include "broker/core/handlers.h"

#include "broker/base/log.h"
#include "broker/core/broker_int.h"

/* PUBREL ends what h_publish.c began; an unknown id gets its PUBCOMP too, the Session may
 * have been lost meanwhile. */
static int on_pubrel(struct conn *c, uint16_t id)
{
    session_qos2_release(c->session, id);
    conn_ack(c, MQTT_PUBCOMP, id);
    return MD_OK;
}

int handle_ack(struct conn *c, enum mqtt_type type, uint16_t id, const char **why)
{
    if (type == MQTT_PUBREL)
        return on_pubrel(c, id);
    int err = session_ack(c->session, type, id);
    if (err == MD_PROTO) {
        *why = "[MQTT-4.8.0-1]: an acknowledgement that does not fit the message's QoS";
        return err;
    }
    if (err == MD_NOENT)
        log_debug("mqtt", "client=%s acknowledged id %u, which is not in flight",
                  log_q(c->who.client_id), id);
    if (type == MQTT_PUBREC)
        conn_ack(c, MQTT_PUBREL, id); /* unknown ones too: it waits for this */
    return MD_OK;
}

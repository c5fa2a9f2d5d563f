/* gateway.h - Appliance.Config.Key: the broker that a plug connects to, and the key it signs with.
 * Pure. */
#ifndef MEROSS_GATEWAY_H
#define MEROSS_GATEWAY_H

#include "meross/wire/json_write.h"
#include "meross/wire/sign.h"

#define GATEWAY_HOST_MAX 63 /* bytes; what a plug has room for is not known, this is plenty */

struct gateway {
    const char *host; /* name or address */
    unsigned port;
    const char *key; /* secret */
    int64_t user_id;
};

/* May a plug be told so?  1 to GATEWAY_HOST_MAX letters, digits and . : - _ */
bool gateway_host_ok(struct span host);

/* Writes the payload.  Both hosts are set, to the same: a plug whose second one is empty stalls or
 * falls back to set-up mode when the first does not answer. */
void gateway_write(struct json_writer *w, const struct gateway *g);

#endif

/* fuzz_orders.c - any bytes as a `set` and as a message to a plug: what is taken as an order obeys
 * its limits, and what the shield lets through is text that every parser reads alike. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/people/orders.h"
#include "meross/session/shield.h"
#include "meross/wire/text.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_orders(struct orders *o, struct device *strip)
{
    MD_ASSERT(o->n > 0 && o->n <= DEVICE_CHANNELS_MAX);
    if (!orders_settle(o, strip))
        return;
    MD_ASSERT(o->n > 0);
    (void)orders_resolve(o, strip);
    for (unsigned i = 0; i < o->n; i++)
        for (unsigned k = 0; k < i; k++)
            MD_ASSERT(o->v[i].channel <= UINT8_MAX && o->v[i].channel != o->v[k].channel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char from[ENVELOPE_FROM_MAX + 1];
    struct span text = span_of(data, size);
    struct broker_message m = {span_str("/appliance/x/subscribe"), text, 0, false};
    struct device strip = {.n_channels = 3,
                           .channel = {{.number = 0, .on = 1}, {.number = 1}, {.number = 2}}};
    struct answer a = {.always = false};
    struct orders o;
    if (orders_read(&o, span_of(NULL, 0), text, &a))
        check_orders(&o, &strip);
    if (orders_read(&o, span_of(data, size < 4 ? size : 4), text, &a))
        check_orders(&o, &strip);
    if (shield_objection(&m, from) == NULL)
        MD_ASSERT(text_utf8_valid(text) && strlen(from) <= ENVELOPE_FROM_MAX);
    MD_ASSERT(mem_used() == 0);
    return 0;
}

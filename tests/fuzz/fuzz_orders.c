/* fuzz_orders.c - any bytes as a `set`: what is taken as an order obeys its limits. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/people/orders.h"

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
    struct span text = span_of(data, size);
    struct device strip = {.n_channels = 3,
                           .channel = {{.number = 0, .on = 1}, {.number = 1}, {.number = 2}}};
    struct answer a = {.always = false};
    struct orders o;
    if (orders_read(&o, span_of(NULL, 0), text, &a))
        check_orders(&o, &strip);
    if (orders_read(&o, span_of(data, size < 4 ? size : 4), text, &a))
        check_orders(&o, &strip);
    MD_ASSERT(mem_used() == 0);
    return 0;
}

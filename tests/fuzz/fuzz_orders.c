/* fuzz_orders.c - any bytes as a `set`, on a topic that may name a part: what is taken as an
 * order obeys its limits, and what is written anew for a sub-device is JSON. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/people/level.h"
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

static void check_part(struct span part, struct span text)
{
    struct device hub = {.n_channels = 0};
    struct level level;
    unsigned tokens;
    struct subdev *s = subdevs_add(&hub.subs, "01008C11");
    MD_ASSERT(s != NULL && facts_text(&hub.facts, facts_channel(7), FACT_NAME, "lamp"));
    memcpy(s->name, "bath", 5);
    int err = level_read(&level, &hub, part, text);
    MD_ASSERT(err != MD_OK || level.channel.p == NULL || level.channel.n > 0);
    if (err == MD_OK && level.channel.p == NULL && part.p != NULL)
        MD_ASSERT(json_check(level.payload, &tokens) == MD_OK);
    level_free(&level);
    device_clear(&hub);
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
    check_part(span_of(data, size < 4 ? size : 4), text);
    check_part(span_str("bath"), text);
    check_part(span_str("LAMP"), text);
    MD_ASSERT(mem_used() == 0);
    return 0;
}

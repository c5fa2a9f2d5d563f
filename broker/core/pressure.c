/* pressure.c - memory_limit: what is given up, and in which order.  The ceiling is polite: nothing
 * here aborts, and what is given up first is what MQTT promises least. */
#include "broker/base/mem.h"
#include "broker/core/broker_int.h"

enum pressure broker_pressure(const struct broker *b)
{
    size_t limit = b->limits.memory_limit, used;
    if (limit == 0)
        return PRESSURE_NONE;
    used = mem_used();
    if (used >= limit)
        return PRESSURE_FULL;
    if (used >= limit - limit / 10)
        return PRESSURE_HIGH;
    if (used >= limit - limit / 5)
        return PRESSURE_SOME;
    return used >= limit - limit / 4 ? PRESSURE_EARLY : PRESSURE_NONE;
}

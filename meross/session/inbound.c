#include "meross/session/inbound.h"

#include "meross/wire/namespaces.h"

typedef void (*inbound_cb)(struct plug *p, const struct envelope *e);

static const struct {
    const char *ns;
    enum envelope_method method;
    inbound_cb handler;
    bool anybody; /* also of a connection that is not trusted yet */
} table[] = {
    {NS_BIND, ENVELOPE_SET, bind_on_set, true},
    {NS_BIND, ENVELOPE_PUSH, bind_on_push, true},
    {NS_UNBIND, ENVELOPE_PUSH, bind_on_unbind, false},
    {NS_CLOCK, ENVELOPE_PUSH, clock_on_push, true},
    {NS_CONSUMPTION, ENVELOPE_PUSH, clock_on_config, true},
    {NS_SUBDEVICES, ENVELOPE_PUSH, clock_on_subdevices, true},
    {NS_TIME, ENVELOPE_PUSH, time_on_push, false},
    {NS_ALL, ENVELOPE_GETACK, state_on_all, false},
    {NS_DEBUG, ENVELOPE_GETACK, diary_on_debug, false},
    {NS_ABILITY, ENVELOPE_GETACK, state_on_ability, false},
    {NS_TOGGLEX, ENVELOPE_PUSH, state_on_togglex, false},
    {NS_TOGGLEX, ENVELOPE_GETACK, state_on_togglex, false},
    {NS_TOGGLE, ENVELOPE_PUSH, state_on_toggle, false},
    {NS_TOGGLE, ENVELOPE_GETACK, state_on_toggle, false},
    {NS_ELECTRICITY, ENVELOPE_PUSH, energy_on_electricity, false},
    {NS_ELECTRICITY, ENVELOPE_GETACK, energy_on_electricity, false},
    {NS_ELECTRICITYX, ENVELOPE_PUSH, energy_on_electricity, false},
    {NS_ELECTRICITYX, ENVELOPE_GETACK, energy_on_electricity, false},
    {NS_CONSUMPTIONX, ENVELOPE_PUSH, energy_on_days, false},
    {NS_CONSUMPTIONX, ENVELOPE_GETACK, energy_on_days, false},
    {NS_CONSUMPTIONH, ENVELOPE_PUSH, energy_on_hours, false},
    {NS_CONSUMPTIONH, ENVELOPE_GETACK, energy_on_hours, false},
};

bool inbound_dispatch(struct plug *p, const struct envelope *e)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].method == e->method && strcmp(table[i].ns, e->ns) == 0) {
            if (p->proven || table[i].anybody)
                table[i].handler(p, e);
            return true;
        }
    }
    return p->proven && family_on_message(p, e);
}

#include "meross/inbound.h"

typedef void (*inbound_cb)(struct plug *p, const struct envelope *e);

static const struct {
    const char *ns;
    enum envelope_method method;
    inbound_cb handler;
} table[] = {
    {"Appliance.Control.Bind", ENVELOPE_SET, bind_on_set},
    {"Appliance.Control.Bind", ENVELOPE_PUSH, bind_on_push},
    {"Appliance.Control.Unbind", ENVELOPE_PUSH, bind_on_unbind},
    {"Appliance.System.Clock", ENVELOPE_PUSH, clock_on_push},
    {"Appliance.Control.ConsumptionConfig", ENVELOPE_PUSH, clock_on_config},
    {"Appliance.Hub.SubdeviceList", ENVELOPE_PUSH, clock_on_subdevices},
    {"Appliance.System.Time", ENVELOPE_PUSH, time_on_push},
    {"Appliance.System.All", ENVELOPE_GETACK, state_on_all},
    {"Appliance.System.Ability", ENVELOPE_GETACK, state_on_ability},
    {"Appliance.Control.ToggleX", ENVELOPE_PUSH, state_on_togglex},
    {"Appliance.Control.ToggleX", ENVELOPE_GETACK, state_on_togglex},
    {"Appliance.Control.Toggle", ENVELOPE_PUSH, state_on_toggle},
    {"Appliance.Control.Toggle", ENVELOPE_GETACK, state_on_toggle},
};

bool inbound_dispatch(struct plug *p, const struct envelope *e)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].method == e->method && strcmp(table[i].ns, e->ns) == 0) {
            table[i].handler(p, e);
            return true;
        }
    }
    return false;
}

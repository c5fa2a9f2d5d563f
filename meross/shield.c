#include "meross/shield.h"

const char *shield_objection(const struct broker_message *m, char from[ENVELOPE_FROM_MAX + 1])
{
    struct envelope e;
    from[0] = '\0';
    if (m->retain)
        return "a retained request would be obeyed again at every reconnect; publish it without "
               "the retain flag";
    if (m->payload.n > ENVELOPE_TO_PLUG_MAX)
        return "it is larger than a plug can take (8192 bytes)";
    switch (envelope_parse(&e, m->payload)) {
    case MD_OK:
        memcpy(from, e.from, sizeof e.from);
        envelope_free(&e);
        return NULL;
    case MD_NOMEM:
        return "no memory to check it";
    default:
        return "it is no well-formed Meross message (JSON with header and payload), and a "
               "plug may reboot on such a thing";
    }
}

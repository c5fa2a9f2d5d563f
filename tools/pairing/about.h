/* about.h - what a plug says of itself before it is paired: System.All and System.Ability. */
#ifndef TOOLS_PAIRING_ABOUT_H
#define TOOLS_PAIRING_ABOUT_H

#include "meross/wire/json.h"

struct about { /* a plain value; "" and false where nothing is known */
    char type[32], uuid[33], mac[18], firmware[32], chip[32];
    int64_t user_id;
    int64_t cloud; /* online.status: 1 it has a session with its broker; 0, 2 none; -1 not said */
    bool wifi, wifix, ecdhe, time, metering, trace; /* abilities */
};

/* payload  of System.All.  False when it names no plug: uuid and MAC address are needed. */
bool about_read_all(struct about *a, struct json_at payload);

/* payload  of System.Ability.  False when it is none. */
bool about_read_ability(struct about *a, struct json_at payload);

/* uuid and MAC address out of the topic that a plug names in `from`:
 * "/appliance/<uuid>/publish"; the uuid ends in the MAC.  False when it is none. */
bool about_read_from(struct about *a, const char *from);

#endif

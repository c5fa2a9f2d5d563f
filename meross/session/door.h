/* door.h - which plugs are let in. */
#ifndef MEROSS_DOOR_H
#define MEROSS_DOOR_H

#include "meross/session/auth.h"
#include "meross/meross_int.h"

#define DOOR_PERMIT_S     120 /* when a request names no time */
#define DOOR_PERMIT_MAX_S 3600
#define DOOR_QUIET_MS     60000 /* one line for each plug in this time */

/* May this plug connect?  A refusal is logged, with the next step. */
bool door_open(struct meross *m, const struct broker_client *who, const struct auth_plug *is,
               bool has_will);

/* New plugs are let in for so many seconds from now; 0: no longer. */
void door_permit(struct meross *m, unsigned seconds);

#endif

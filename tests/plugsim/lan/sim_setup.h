/* sim_setup.h - how a plug gets to a network and to a broker: its access point, the home network
 * that it can hear, Config.Key and the two hosts it tries in turn.
 *
 *   ACCESS POINT --Wifi, WifiX--> LEAVING --> JOINING --> on the LAN --Config.Key--> another broker
 *        ^---- wrong password, no such network -----'                                        */
#ifndef TESTS_PLUGSIM_LAN_SIM_SETUP_H
#define TESTS_PLUGSIM_LAN_SIM_SETUP_H

#include "broker/base/buf.h"

struct simplug;

struct sim_server {
    char host[64];
    unsigned port;
};

struct sim_setup {
    struct sim_server server[2]; /* [0].host "": the driver's default */
    unsigned active;             /* the one to try next               */
    bool keyed;                  /* Config.Key came; it waits here until it counts */
    char key[65];
    unsigned user_id;
    bool wifi_right; /* what Wifi said fits the home network */
    int trace_code;  /* of the last attempt to join          */
    char trace_ssid[96];
    uint64_t leave_at, join_at, rekey_at; /* SIMPLUG_NEVER: not */
    unsigned lists;                       /* WifiList requests so far */
    bool has_session;                     /* of ECDHE */
    char session[33];
};

void sim_setup_reset(struct simplug *p); /* as it leaves the factory */
bool sim_setup_joining(const struct simplug *p);
uint64_t sim_setup_due(const struct simplug *p);
bool sim_setup_act(struct simplug *p, uint64_t now); /* false: nothing was due */
void sim_setup_failed(struct simplug *p);            /* nobody at the active server */

/* Handlers as those of simplug_do.c. */
int sim_setup_get_list(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_setup_get_trace(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_setup_set_key(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_setup_set_wifi(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_setup_set_wifix(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_setup_set_ecdhe(struct simplug *p, int payload, struct buf *out, uint64_t now);
int sim_setup_get_suite(struct simplug *p, int payload, struct buf *out, uint64_t now);

#endif

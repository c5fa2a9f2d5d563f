/* networks.h - the Wi-Fi networks that a plug can see (Config.WifiList), which of them it can join,
 * and the message that makes it join one (Config.Wifi, WifiX).
 *
 * What the list says of a network goes back to the plug exactly as it came, whatever it means:
 * some firmware needs it and some refuses what was made up.  Names of networks are bytes. */
#ifndef TOOLS_PAIRING_NETWORKS_H
#define TOOLS_PAIRING_NETWORKS_H

#include "meross/wire/json.h"
#include "meross/wire/json_write.h"
#include "tools/pairing/about.h"

#define NETWORKS_MAX         64 /* the strongest are kept                         */
#define NETWORKS_SSID_MAX    32
#define NETWORKS_PASS_MAX    64
#define NETWORKS_RAW_MAX     64 /* bytes of a value as it stands in the message   */
#define NETWORKS_MEMBERS     5  /* ssid, bssid, channel, encryption, cipher       */
#define NETWORKS_PAYLOAD_MAX 1024

struct network {
    uint8_t ssid[NETWORKS_SSID_MAX];
    size_t ssid_n;
    char bssid[24];
    int64_t signal, encryption; /* percent; -1: not said */
    bool again;                 /* a stronger one has the same name and security */
    char raw[NETWORKS_MEMBERS][NETWORKS_RAW_MAX]; /* "" where it was missing */
};

struct networks {
    struct network v[NETWORKS_MAX]; /* strongest first */
    size_t n;
};

/* payload  of Config.WifiList.  Hidden networks and what cannot be read are left out.
 * False when it is no such list. */
bool networks_read(struct networks *out, struct json_at payload);

/* Can a plug join it?  Not those of WPA3 alone, nor one whose security nobody knows. */
bool network_usable(const struct network *w);
bool network_open(const struct network *w);            /* without a password           */
const char *network_security(const struct network *w); /* "WPA2"; lent, static         */

/* The strongest with this name, and this BSSID unless that is NULL (any separators, any case); usable
 * ones go first; NULL when there is none; lent. */
const struct network *networks_find(const struct networks *all, struct span ssid,
                                    const char *bssid);

/* NULL: the password can be one of this network; else what is wrong, for people; lent, static. */
const char *network_password_fault(const struct network *w, struct span password);

/* Writes the payload of Config.Wifi, or with `sealed` of WifiX, whose key comes from what the plug is
 * called.  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int network_write(struct buf *out, const struct network *w, struct span password,
                              const struct about *plug, bool sealed);

#endif

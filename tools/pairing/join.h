/* join.h - bringing this computer into the open network of a plug in set-up mode, and back.
 *
 * Two ways: NetworkManager (`nmcli`), and `iw` with `ip` (OpenWrt, and any Linux without a manager).
 * Both leave the configuration of the system as it is: with nmcli a profile of its own that is
 * deleted again, with iw one more interface on the radio, which is gone with the next restart at the
 * latest.  Programs are run by whoever hands in `run`, without a shell; their words are only compared
 * and cut here. */
#ifndef TOOLS_PAIRING_JOIN_H
#define TOOLS_PAIRING_JOIN_H

#include "broker/base/buf.h"

#define JOIN_ARGS_MAX  24u
#define JOIN_OUT_MAX   (256u << 10)
#define JOIN_TEXT_MAX  400
#define JOIN_NAME_MAX  33 /* an SSID, with a NUL */
#define JOIN_OFFERS    16u
#define JOIN_PROFILE   "merossd-pair" /* of NetworkManager       */
#define JOIN_INTERFACE "mrspair0"     /* made on the radio by iw */
#define JOIN_ADDRESS   "10.10.10.199/24"

enum join_run { JOIN_RAN, JOIN_NOT_THERE /* no such program */, JOIN_RUN_FAILED };

/* argv  NULL-terminated; argv[0] is looked up in PATH.
 * out   what it wrote to standard output and standard error, in order of arrival.
 * *status  its exit status; 128 and more: ended by a signal or by the time-out. */
typedef enum join_run (*join_run_cb)(void *ctx, const char *const *argv, unsigned timeout_s,
                                     struct buf *out, int *status);

enum join_way { JOIN_NONE, JOIN_NMCLI, JOIN_IW };

struct join_offer { /* a network of a plug that is in reach */
    char ssid[JOIN_NAME_MAX];
    int signal;        /* the larger the nearer */
    unsigned freq_mhz; /* 0: not said           */
};

struct join { /* zeroed, then run and ctx set */
    join_run_cb run;
    void *ctx;
    enum join_way way;
    char interface[24]; /* the radio's            */
    char phy[24];       /* iw: "phy0"             */
    char former[80];    /* nmcli: uuid of what was connected there; "" = nothing */
    char former_name[80];
    bool joined, made; /* something is to be undone */
    struct join_offer offer[JOIN_OFFERS];
    unsigned n;
};

/* Which way is there?  interface: the one to use, or NULL for the first that can.
 * False: why has what to do instead. */
bool join_open(struct join *j, const char *interface, char why[JOIN_TEXT_MAX]);

/* Looks for networks of plugs: j->offer, the nearest first; false: it could not look. */
bool join_scan(struct join *j, char why[JOIN_TEXT_MAX]);

/* Joins one; what was there before is remembered.  False: why; nothing is left behind. */
bool join_enter(struct join *j, const struct join_offer *offer, char why[JOIN_TEXT_MAX]);

/* Back to what was there; fine when nothing was joined.  what: a sentence, "" when nothing was done.
 * False: it did not work, and `what` says what to type. */
bool join_leave(struct join *j, char what[JOIN_TEXT_MAX]);

bool join_is_plug(struct span ssid); /* "Meross_..." or "Refoss_...", in any case */

/* Takes the networks of plugs out of what the programs print. */
void join_read_nmcli(struct join *j, struct span text);
void join_read_iw(struct join *j, struct span text);

#endif

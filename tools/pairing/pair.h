/* pair.h - from a plug in set-up mode to its first reading: the steps, in order, and what is undone
 * when one of them fails or somebody presses Ctrl-C.  Everything outside is handed in (pair_io), so
 * that each failure can be played.
 *
 *   PROBE --> JOIN --> READ --> NETWORKS --> CHOOSE --> KEY --> TIME --> BROKER --> WIFI --> LEAVE
 *         --> ARRIVE --> BIND --> READING
 *
 * BROKER and WIFI are one: from the first byte of the one to the last of the other nobody is asked
 * whether to stop, because a plug that knows the broker but not the Wi-Fi is neither old nor new.
 * Before them the plug is untouched and the broker forgets the key again; after them the plug has all
 * it needs and the key stays.  Whatever happens, the former network is gone back to. */
#ifndef TOOLS_PAIRING_PAIR_H
#define TOOLS_PAIRING_PAIR_H

#include "meross/time/zone.h"
#include "tools/pairing/networks.h"
#include "tools/pairing/talk.h"

#define PAIR_TEXT_MAX 640
#define PAIR_KEY_SIZE 33 /* 32 hexadecimal digits and a NUL */
#define PAIR_PASS_MAX 128

enum pair_step {
    PAIR_PROBE,    /* is Bind answered where the plug will be sent?      */
    PAIR_JOIN,     /* reach the plug in its own network                  */
    PAIR_READ,     /* what is it, and what can it do?                    */
    PAIR_NETWORKS, /* which networks does it see?                        */
    PAIR_CHOOSE,   /* which of them, and the password                    */
    PAIR_KEY,      /* the broker is told the new key                     */
    PAIR_TIME,     /* the plug is told time and zone; may fail           */
    PAIR_BROKER,   /* the plug is told both hosts and the key            */
    PAIR_WIFI,     /* and the Wi-Fi: it restarts                         */
    PAIR_LEAVE,    /* back to the former network                         */
    PAIR_ARRIVE,   /* it connects to the broker                          */
    PAIR_BIND,     /* it says Bind, with the new key                     */
    PAIR_READING,  /* it was read                                        */
    PAIR_STEPS
};

enum pair_fault { /* one for each thing that people have to do something else about */
                  PAIR_FINE,
                  PAIR_STOPPED,        /* by Ctrl-C, SIGTERM                                  */
                  PAIR_NO_BROKER,      /* the probe failed                                    */
                  PAIR_NO_AP,          /* no plug in set-up mode was found: Bluetooth?        */
                  PAIR_NO_PLUG,        /* something answers there, and it is no plug          */
                  PAIR_LOST_PLUG,      /* it answered before, and not any more                */
                  PAIR_CUT_OFF,        /* its answers end in the middle, again and again      */
                  PAIR_SEALED,         /* it closes every connection, sealed or not           */
                  PAIR_NOT_SETUP,      /* it checks signatures: it is set up already          */
                  PAIR_NO_NETWORKS,    /* it sees none, or does not say                       */
                  PAIR_NOT_SEEN,       /* the network is not in its list: 5 GHz, far, hidden  */
                  PAIR_UNUSABLE,       /* WPA3 only, or a security nobody knows               */
                  PAIR_BAD_PASSWORD,   /* cannot be one                                       */
                  PAIR_NO_CHOICE,      /* nobody chose                                        */
                  PAIR_KEY_REFUSED,    /* by the broker                                       */
                  PAIR_BROKER_REFUSED, /* by the plug: Config.Key                             */
                  PAIR_WIFI_REFUSED,   /* by the plug: Config.Wifi                            */
                  PAIR_JOIN_FAILED,    /* it is back in set-up mode: Config.Trace says why    */
                  PAIR_NOT_ARRIVED,    /* it never came                                       */
                  PAIR_NOT_BOUND,      /* it came and said no Bind                            */
                  PAIR_OTHER_KEY,      /* it signs with another key than the one it was given */
                  PAIR_NOT_READ,       /* it is bound, and did not answer                     */
                  PAIR_BROKEN          /* this computer: memory, the broker's connection      */
};

enum pair_mark { PAIR_DONE, PAIR_NOTE, PAIR_WAITS, PAIR_FAILED };

enum pair_phase { PAIR_UNKNOWN, PAIR_AWAY, PAIR_CONNECTED, PAIR_LISTENING, PAIR_BOUND };

struct pair_arrival { /* as the broker sees the plug */
    enum pair_phase phase;
    char name[40], address[64], key[16]; /* as its list has them */
    bool read;                           /* its state was asked and answered in this session */
    bool has_power;
    char power[24], voltage[24], state[8]; /* "" where nothing is known */
};

struct pair_io { /* all of them set */
    const struct env *env;
    void *ctx;
    talk_post_cb post;
    bool (*stopped)(void *ctx);
    void (*pause)(void *ctx, unsigned ms); /* returns early when stopped */
    /* text: one line, without a line end. */
    void (*say)(void *ctx, enum pair_step step, enum pair_mark mark, const char *text);
    /* False: why has the reason. */
    bool (*probe)(void *ctx, char *why, size_t cap);
    /* Brings this computer into the plug's network, or tells a person to; `waited_ms` since the first
     * call, which is repeated until the plug answers.  False: why has the reason, and no more calls. */
    bool (*join)(void *ctx, uint64_t waited_ms, char *why, size_t cap);
    /* Back again; called once, also when join did nothing.  False: what says what is to be done. */
    bool (*leave)(void *ctx, char *what, size_t cap);
    /* The plug's network may be there again: joins it for a look when it can.  False: it is not. */
    bool (*look_back)(void *ctx);
    void (*look_away)(void *ctx);
    /* Which network?  NULL: nobody chose, why has the reason or is "". */
    const struct network *(*choose)(void *ctx, const struct networks *all, enum pair_fault *fault,
                                    char *why, size_t cap);
    /* False: none was given. */
    bool (*password)(void *ctx, const struct network *w, char out[PAIR_PASS_MAX], size_t *n);
    /* The name for it; may stay "". */
    bool (*name)(void *ctx, const struct about *plug, char out[40]);
    /* The broker expects this key of this plug; false: why. */
    bool (*tell_key)(void *ctx, const struct about *plug, const char *key, const char *name,
                     const char *address, char *why, size_t cap);
    void (*take_key_back)(void *ctx, const struct about *plug);
    /* False: the broker does not answer. */
    bool (*arrival)(void *ctx, const char *uuid, struct pair_arrival *out);
};

struct pair {
    const struct pair_io *io;
    const char *host; /* what the plug is told */
    unsigned port;
    const struct zone *zone; /* NULL: not known */
    unsigned ap_timeout_s;   /* to find the plug            */
    unsigned timeout_s;      /* for it to arrive            */
    /* What became of it. */
    enum pair_step step;
    enum pair_fault fault;
    char text[PAIR_TEXT_MAX]; /* what went wrong and what to do */
    char state[160];          /* in which state the plug is     */
    struct about plug;
    struct talk talk;
    struct networks networks;
    const struct network *chosen;
    struct pair_arrival arrival;
    char key[PAIR_KEY_SIZE], name[40];
    char password[PAIR_PASS_MAX];
    size_t password_n;
    bool key_told, broker_set, sent, left;
    bool in_lan; /* adopt.c: there is no set-up mode to fall back to */
};

/* Runs all steps, undoes what has to be undone, wipes what is secret.  p->io, host, port, zone and
 * the timeouts are set, the rest is zero.  The result is p->fault, with text and state. */
void pair_run(struct pair *p);

/* --- for the files of this folder and adopt.c ------------------------------------------------ */

/* Notes what went wrong; false. */
bool pair_fail(struct pair *p, enum pair_fault fault, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void pair_say(struct pair *p, enum pair_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool pair_stopped(struct pair *p); /* true: noted as PAIR_STOPPED */
void pair_new_key(const struct env *env, char out[PAIR_KEY_SIZE]);

/* Asks until it is answered, at most `tries` times: only for what may be asked twice. */
enum talk_result pair_ask(struct pair *p, enum envelope_method method, const char *ns,
                          const char *payload, unsigned timeout_ms, unsigned tries,
                          struct talk_reply *out);

bool pair_read(struct pair *p); /* pair_read.c: READ, NETWORKS, CHOOSE */
bool pair_networks(struct pair *p);
bool pair_choose(struct pair *p);
bool pair_time(struct pair *p); /* pair_write.c: TIME, BROKER, WIFI */
bool pair_broker(struct pair *p);
bool pair_wifi(struct pair *p);
bool pair_arrive(struct pair *p); /* pair_arrive.c: ARRIVE, BIND, READING */
bool pair_bind(struct pair *p);
bool pair_reading(struct pair *p);

/* Writes {"time":{...}}.  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int pair_write_time(struct buf *out, const struct zone *zone, int64_t now);
/* Writes the payload of Config.Key.  Errors: likewise. */
MD_MUST_USE int pair_write_key(struct buf *out, const struct pair *p);

#endif

/* simplug_options.h - what distinguishes one simulated plug from another: plain data, presets per
 * model, and names for the command line.  The variants are those of section 12 of the sheet. */
#ifndef TESTS_PLUGSIM_SIMPLUG_OPTIONS_H
#define TESTS_PLUGSIM_SIMPLUG_OPTIONS_H

#include "broker/base/err.h"
#include "broker/base/span.h"

enum simplug_shape {                      /* of togglex, sheet 5.0 */
                     SIMPLUG_SHAPE_MIXED, /* object in a one-channel GETACK, list elsewhere */
                     SIMPLUG_SHAPE_OBJECT,
                     SIMPLUG_SHAPE_LIST
};

enum simplug_wrong_key { SIMPLUG_WRONG_KEY_ERROR, SIMPLUG_WRONG_KEY_SILENCE }; /* sheet 1.5 */

struct simplug_options {
    char model[40]; /* its file in tests/plugsim/models, without ".json" */

    /* Identity. */
    char type[16], subtype[8], hw[12], fw[12], chip[16];
    char uuid[33]; /* 32 characters; also in the topics */
    char mac[18];  /* lower case with colons            */
    char compile_time[32], wifi_mac[18], inner_ip[16], server[64];
    unsigned server_port;
    unsigned user_id;
    char key[65];
    unsigned channels; /* more than one: channel 0 is the master */

    /* MQTT. */
    unsigned level; /* 3 or 4 */
    bool clean_session;
    unsigned keep_alive_s;
    bool dup_republish; /* sends each PUBLISH a second time with DUP, as 3.1 allows        */
    unsigned fragment;  /* simplug_output() in pieces of at most so many bytes; 0: whole      */

    /* Session. */
    bool bind_as_push;        /* firmware 1.1: no acknowledgement wanted                     */
    bool bind_new_ids;        /* each repeated Bind gets a new messageId                     */
    bool bind_each_connect;   /* false: Bind only once per boot                              */
    bool clock_ability;       /* has System.Clock                                            */
    bool ntp;                 /* got the time from NTP: no Clock PUSH                        */
    bool config_needed;       /* hangs up unless ConsumptionConfig is answered (mss315)      */
    unsigned give_up_ms;      /* into pairing mode so long after the first connect; 0: never */
    unsigned boot_ms;         /* from power-on to the first connect                          */
    unsigned retry_ms;        /* from losing a connection to the next attempt                */
    unsigned answer_delay_ms; /* a request is answered so much later                       */
    unsigned silent_after_ms; /* dies silently so long after the CONNACK; 0: never         */

    /* Envelope. */
    bool metering;
    unsigned meters;       /* channels 1 to meters are measured apart; 0: channel 0 alone     */
    unsigned meter_push_s; /* tells ElectricityX by itself so often; 0: never                */
    bool midnight_stale;   /* a new day begins with the value of the one before, sheet 5.4   */
    bool midnight_carry;   /* the counter never begins anew: a day goes on from the one before */
    bool week_from_monday; /* bit 0 of a timer's `week`; else Sunday                          */
    bool second_empty;     /* has no second server                                            */
    bool old_toggle;       /* Control.Toggle and the `control` digest of firmware 1.1 */
    enum simplug_shape shape;
    enum simplug_wrong_key wrong_key;
    bool string_timestamp;
    bool header_uuid; /* newer firmware names itself in the header */
    bool dev_boot;    /* triggerSrc DevBoot in Bind                */
    bool matter;      /* the `matter` member in Bind               */
    char report_value[4];
    bool reboot_on_malformed;
    unsigned gentle_ms;          /* two requests closer than this, soon after the connect: reboot */
    unsigned timestamp_window_s; /* drops signed requests that are further off; 0: takes all */
    char timezone[40];           /* "" until System.Time is set                              */

    /* LAN: sim_http.h, sim_setup.h. */
    bool ap;                 /* begins in set-up mode, with its own access point          */
    bool wifix, ecdhe;       /* has Config.WifiX, encrypts HTTP                            */
    bool bluetooth_only;     /* has no access point to be set up by, sheet 7.7             */
    bool http_bare_lf;       /* header lines end in LF                                     */
    unsigned http_max;       /* longer replies are cut off there; 0: none is               */
    unsigned wifi_list_ms;   /* how long WifiList takes                                    */
    unsigned wifi_list_lost; /* the first so many WifiList requests are never answered     */
    bool lost_setack;        /* resets the connection instead of acknowledging Wifi        */
    unsigned join_ms;        /* from leaving its access point to the LAN, or back           */
    unsigned rekey_ms;       /* from the SETACK of Config.Key to the DISCONNECT             */
    char home_ssid[33], home_password[65];
    unsigned home_encryption, home_cipher; /* sheet 7.3 */
    bool home_hidden;                      /* it cannot hear the network: 5 GHz, WPA3 only */

    uint64_t seed;          /* of its messageIds and its client id's tail      */
    int64_t wall_offset_ms; /* true milliseconds since 1970 = now + this       */
};

/* The plug of model `type` number `index`: uuid and MAC are the same in every run.  type  a file
 * of tests/plugsim/models, or one of the short names that simplug_options_types() tells.
 * Errors: MD_NOENT for an unknown model, MD_CORRUPT for a bad file, MD_NOMEM. */
MD_MUST_USE int simplug_options_preset(struct simplug_options *o, const char *type, unsigned index);
const char *simplug_options_types(void); /* lent, static: "mss310 mss210 ..." */

/* Sets one field from "name=value"; booleans are 0 or 1, enumerations words.
 * Errors: MD_NOENT for an unknown name, MD_INVAL for a value that does not fit. */
MD_MUST_USE int simplug_options_set(struct simplug_options *o, const char *assignment);

#endif

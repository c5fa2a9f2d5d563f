/* args.h - the command line of one verb, taken apart.  Options may stand before, between and
 * after the plain words; `--` ends them.  What the command line leaves out comes from the
 * environment: MEROSSD_HOST, _PORT, _USER, _PASSWORD, _CAFILE and _TOPIC. */
#ifndef TOOLS_ARGS_H
#define TOOLS_ARGS_H

#include "broker/base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define ARGS_ERR_MAX   256
#define ARGS_MAX_WORDS 16u

/* Bits: which options a verb takes. */
enum args_group {
    ARGS_CLIENT = 1 << 0,      /* -h -p -u -P --cafile --topic               */
    ARGS_JSON = 1 << 1,        /* --json                                     */
    ARGS_CHANNEL = 1 << 2,     /* --channel                                  */
    ARGS_YES = 1 << 3,         /* --yes                                      */
    ARGS_CONFIG = 1 << 4,      /* -c                                         */
    ARGS_SERVE = 1 << 5,       /* -p -v -d                                   */
    ARGS_PASSWD = 1 << 6,      /* -c -D -b -I                                */
    ARGS_DRY_RUN = 1 << 7,     /* --dry-run                                  */
    ARGS_PAIR = 1 << 8,        /* --ssid --bssid --password-file --join ...  */
    ARGS_TARGET = 1 << 9,      /* --host --port --name --timeout             */
    ARGS_ADOPT = 1 << 10,      /* --key-file                                 */
    ARGS_MOVE = 1 << 11,       /* --port --timeout --to-...                  */
    ARGS_DOCTOR = 1 << 12,     /* --offline --hello                          */
    ARGS_ENERGY = 1 << 13,     /* --day --month --days --hours --csv         */
    ARGS_WHEN_BACK = 1 << 14,  /* --when-back                                */
    ARGS_TIMER = 1 << 15,      /* --days --once --name                       */
    ARGS_PASSPHRASE = 1 << 16, /* --passphrase-file                          */
    ARGS_FORCE = 1 << 17       /* --force                                    */
};

struct args { /* strings are those of argv or of the environment */
    const char *host, *user, *password, *ca_file, *topic, *config;
    const char *day, *month, *days;
    int port;       /* -1: not given */
    int channel;    /* -1: not given */
    int iterations; /* -1: not given */
    bool json, yes, verbose, daemon, help, create, remove, batch, dry_run, when_back, once;
    bool hours, csv;
    /* Of pair, adopt and move-all. */
    const char *ssid, *bssid, *password_file, *target, *name, *interface, *plug_at, *key_file;
    const char *ap_name;
    const char *passphrase_file;
    const char *to_user, *to_password, *to_ca_file;
    int target_port, to_port, timeout_s, find_s; /* -1: not given */
    bool join;
    bool force;
    bool offline, hello;
    const char *words[ARGS_MAX_WORDS];
    unsigned n_words;
};

/* argv[0] is the first argument after the verb.
 *
 * groups  or'ed enum args_group.
 * err     what is wrong; untouched on MD_OK.
 * Errors: MD_INVAL. */
MD_MUST_USE int args_parse(struct args *out, unsigned groups, int argc, char *const *argv,
                           char err[ARGS_ERR_MAX]);

/* One line per option of these groups. */
void args_help(unsigned groups, void (*line)(void *ctx, const char *option, const char *text),
               void *ctx);

/* One line per variable of the environment, with the option that it stands for. */
void args_environment(void (*line)(void *ctx, const char *variable, const char *option), void *ctx);

#endif

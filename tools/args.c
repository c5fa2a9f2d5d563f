#include "tools/args.h"

#include "broker/base/span.h"
#include "tools/config/config_value.h"
#include "tools/similar.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { KIND_TEXT, KIND_PORT, KIND_CHANNEL, KIND_ITERATIONS, KIND_SECONDS, KIND_FLAG };

struct option {
    const char *name;  /* as it is written */
    const char *value; /* what to call the value in the help; NULL: a flag */
    unsigned groups;
    enum kind kind;
    size_t offset;   /* in struct args */
    const char *env; /* where it comes from otherwise; NULL: nowhere */
    const char *help;
};

static const struct option options[] = {
    {"-h", "HOST", ARGS_CLIENT, KIND_TEXT, offsetof(struct args, host), "MEROSSD_HOST",
     "the broker's name or address; default localhost"},
    {"-p", "PORT", ARGS_CLIENT, KIND_PORT, offsetof(struct args, port), "MEROSSD_PORT",
     "the broker's port; default 1883, or 8883 with --cafile"},
    {"-u", "USER", ARGS_CLIENT, KIND_TEXT, offsetof(struct args, user), "MEROSSD_USER",
     "user name"},
    {"-P", "PASSWORD", ARGS_CLIENT, KIND_TEXT, offsetof(struct args, password), "MEROSSD_PASSWORD",
     "password; others on this computer can see it here, but not in the environment"},
    {"--cafile", "FILE", ARGS_CLIENT, KIND_TEXT, offsetof(struct args, ca_file), "MEROSSD_CAFILE",
     "TLS, and the CA to trust: ca.pem of the broker's state directory"},
    {"--topic", "BASE", ARGS_CLIENT, KIND_TEXT, offsetof(struct args, topic), "MEROSSD_TOPIC",
     "meross_topic of the broker; default meross"},
    {"--channel", "N", ARGS_CHANNEL, KIND_CHANNEL, offsetof(struct args, channel), NULL,
     "one socket of a strip; without it, all of them"},
    {"--json", NULL, ARGS_JSON, KIND_FLAG, offsetof(struct args, json), NULL,
     "print JSON for programs"},
    {"--yes", NULL, ARGS_YES, KIND_FLAG, offsetof(struct args, yes), NULL, "do not ask"},
    {"-c", "FILE", ARGS_CONFIG, KIND_TEXT, offsetof(struct args, config), NULL,
     "configuration file in mosquitto.conf's grammar; see `merossd help config`"},
    {"-p", "PORT", ARGS_SERVE, KIND_PORT, offsetof(struct args, port), NULL,
     "port in clear for this computer, in place of 1883; in addition to the listeners of FILE"},
    {"-v", NULL, ARGS_SERVE, KIND_FLAG, offsetof(struct args, verbose), NULL,
     "log everything, also each packet"},
    {"-d", NULL, ARGS_SERVE, KIND_FLAG, offsetof(struct args, daemon), NULL,
     "run in the background; the log goes to syslog"},
    {"-c", NULL, ARGS_PASSWD, KIND_FLAG, offsetof(struct args, create), NULL,
     "make the file; one that exists loses all its users"},
    {"-D", NULL, ARGS_PASSWD, KIND_FLAG, offsetof(struct args, remove), NULL, "remove the user"},
    {"-b", NULL, ARGS_PASSWD, KIND_FLAG, offsetof(struct args, batch), NULL,
     "the password is the last word; others on this computer can see it there"},
    {"-I", "N", ARGS_PASSWD, KIND_ITERATIONS, offsetof(struct args, iterations), NULL,
     "how often the password is hashed; default 5000"},
    {"--dry-run", NULL, ARGS_DRY_RUN, KIND_FLAG, offsetof(struct args, dry_run), NULL,
     "only say what would be done"},
    {"--when-back", NULL, ARGS_WHEN_BACK, KIND_FLAG, offsetof(struct args, when_back), NULL,
     "if the plug is not connected, do it when it is back, within a day"},
    {"--day", "DATE", ARGS_ENERGY, KIND_TEXT, offsetof(struct args, day), NULL,
     "the hours of one day, such as 2026-04-03"},
    {"--month", "MONTH", ARGS_ENERGY, KIND_TEXT, offsetof(struct args, month), NULL,
     "the days of one month, such as 2026-04"},
    {"--days", "N", ARGS_ENERGY, KIND_TEXT, offsetof(struct args, days), NULL,
     "the last N days, at most 400; default 7"},
    {"--hours", NULL, ARGS_ENERGY, KIND_FLAG, offsetof(struct args, hours), NULL,
     "the last 24 hours"},
    {"--csv", NULL, ARGS_ENERGY, KIND_FLAG, offsetof(struct args, csv), NULL,
     "print a table for programs, in Wh"},
    {"--days", "DAYS", ARGS_TIMER, KIND_TEXT, offsetof(struct args, days), NULL,
     "weekdays, weekend, or days like mon,wed; every day when not given"},
    {"--once", NULL, ARGS_TIMER, KIND_FLAG, offsetof(struct args, once), NULL,
     "the next time that it is so late, and then never again"},
    {"--name", "TEXT", ARGS_TIMER, KIND_TEXT, offsetof(struct args, name), NULL,
     "what to call the timer"},
    {"--ssid", "NAME", ARGS_PAIR, KIND_TEXT, offsetof(struct args, ssid), NULL,
     "the Wi-Fi the plug is to join; asked for when not given"},
    {"--bssid", "MAC", ARGS_PAIR, KIND_TEXT, offsetof(struct args, bssid), NULL,
     "one access point of that name; the strongest when not given"},
    {"--password-file", "FILE", ARGS_PAIR, KIND_TEXT, offsetof(struct args, password_file), NULL,
     "the first line of FILE is the Wi-Fi password; asked for when not given"},
    {"--host", "HOST", ARGS_TARGET, KIND_TEXT, offsetof(struct args, target), NULL,
     "where the plug finds the broker; this computer's address when not given"},
    {"--port", "PORT", ARGS_TARGET, KIND_PORT, offsetof(struct args, target_port), NULL,
     "the TLS port there; the one the broker has when not given"},
    {"--port", "PORT", ARGS_MOVE, KIND_PORT, offsetof(struct args, target_port), NULL,
     "the TLS port of the new broker; 8883 when not given"},
    {"--name", "NAME", ARGS_TARGET, KIND_TEXT, offsetof(struct args, name), NULL,
     "what the plug is to be called"},
    {"--timeout", "SECONDS", ARGS_TARGET | ARGS_MOVE, KIND_SECONDS,
     offsetof(struct args, timeout_s), NULL,
     "how long a plug may take to arrive; 90 when not given"},
    {"--join", NULL, ARGS_PAIR, KIND_FLAG, offsetof(struct args, join), NULL,
     "join the plug's network with nmcli or iw, and come back at the end"},
    {"--interface", "NAME", ARGS_PAIR, KIND_TEXT, offsetof(struct args, interface), NULL,
     "the Wi-Fi interface for --join"},
    {"--ap-name", "NAME", ARGS_PAIR, KIND_TEXT, offsetof(struct args, ap_name), NULL,
     "the plug's network for --join, where several plugs are in set-up mode"},
    {"--plug", "HOST", ARGS_PAIR, KIND_TEXT, offsetof(struct args, plug_at), NULL,
     "address, or address:port, of the plug; 10.10.10.1 when not given"},
    {"--find-timeout", "SECONDS", ARGS_PAIR, KIND_SECONDS, offsetof(struct args, find_s), NULL,
     "how long to wait for a plug in set-up mode; 300 when not given"},
    {"--key-file", "FILE", ARGS_ADOPT, KIND_TEXT, offsetof(struct args, key_file), NULL,
     "the first line of FILE is the key that the plug has now"},
    {"--to-port", "PORT", ARGS_MOVE, KIND_PORT, offsetof(struct args, to_port), NULL,
     "the port of the new broker for this program; that of --port when not given"},
    {"--to-user", "USER", ARGS_MOVE, KIND_TEXT, offsetof(struct args, to_user), "MEROSSD_TO_USER",
     "user name there"},
    {"--to-password", "PASSWORD", ARGS_MOVE, KIND_TEXT, offsetof(struct args, to_password),
     "MEROSSD_TO_PASSWORD",
     "password there; others on this computer can see it here, but not in the environment"},
    {"--to-cafile", "FILE", ARGS_MOVE, KIND_TEXT, offsetof(struct args, to_ca_file),
     "MEROSSD_TO_CAFILE", "the CA to trust there: its ca.pem"},
    {"--offline", NULL, ARGS_DOCTOR, KIND_FLAG, offsetof(struct args, offline), NULL,
     "only this: did the broker send anything out of the house?"},
    {"--hello", NULL, ARGS_DOCTOR, KIND_FLAG, offsetof(struct args, hello), NULL,
     "only this: what the TLS of each plug offers, without names and addresses, to be sent to us"},
    {"--passphrase-file", "FILE", ARGS_PASSPHRASE, KIND_TEXT,
     offsetof(struct args, passphrase_file), NULL,
     "the first line of FILE is the passphrase; asked for, or read from standard input, when not "
     "given"},
    {"--force", NULL, ARGS_FORCE, KIND_FLAG, offsetof(struct args, force), NULL,
     "set aside what is there already; it is kept under another name"},
    {"--help", NULL, ~0u, KIND_FLAG, offsetof(struct args, help), NULL, "this text"},
};

#define N_OPTIONS (sizeof options / sizeof options[0])

__attribute__((format(printf, 2, 3))) static int bad(char *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err, ARGS_ERR_MAX, fmt, ap);
    va_end(ap);
    return MD_INVAL;
}

static int set_number(int *out, const char *name, const char *value, unsigned max, char *err)
{
    uint64_t v;
    if (config_value_number(span_str(value), 0, max, &v) != MD_OK)
        return bad(err, "%s takes a number from 0 to %u", name, max);
    *out = (int)v;
    return MD_OK;
}

static int set_value(struct args *a, const struct option *o, const char *name, const char *value,
                     char *err)
{
    void *at = (char *)a + o->offset;
    switch (o->kind) {
    case KIND_TEXT:
        *(const char **)at = value;
        return MD_OK;
    case KIND_PORT:
        return set_number(at, name, value, 65535, err);
    case KIND_CHANNEL:
        return set_number(at, name, value, UINT8_MAX, err);
    case KIND_ITERATIONS:
        return set_number(at, name, value, 1000000, err);
    case KIND_SECONDS:
        return set_number(at, name, value, 3600, err);
    case KIND_FLAG:
        *(bool *)at = true;
        return MD_OK;
    }
    return MD_INVAL;
}

/* `--name=value` counts as `--name value`. */
static const struct option *find(unsigned groups, const char *arg, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        size_t n = strlen(o->name);
        if ((o->groups & groups) == 0 || strncmp(arg, o->name, n) != 0)
            continue;
        if (arg[n] == '\0')
            return o;
        if (arg[n] == '=' && o->value != NULL && n > 2) {
            *value = arg + n + 1;
            return o;
        }
    }
    return NULL;
}

static int unknown(unsigned groups, const char *arg, char *err)
{
    struct similar s = similar_to(span_of(arg, strcspn(arg, "=")));
    for (size_t i = 0; i < N_OPTIONS; i++)
        if ((options[i].groups & groups) != 0 && strlen(options[i].name) > 2)
            similar_try(&s, options[i].name);
    return bad(err, "unknown option %.60s%s%s%s", arg, s.best != NULL ? "; did you mean " : "",
               s.best != NULL ? s.best : "", s.best != NULL ? "?" : "");
}

static int take_option(struct args *a, unsigned groups, int argc, char *const *argv, int *i,
                       char *err)
{
    const char *value;
    const char *arg = argv[*i];
    const struct option *o = find(groups | 1u << 31, arg, &value);
    if (o == NULL)
        return unknown(groups, arg, err);
    if (o->value != NULL && value == NULL) {
        if (*i + 1 >= argc)
            return bad(err, "%s needs a value: %s %s", o->name, o->name, o->value);
        value = argv[++*i];
    }
    return set_value(a, o, o->name, value, err);
}

static int from_environment(struct args *a, unsigned groups, char *err)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        const char *value = o->env == NULL ? NULL : getenv(o->env);
        if ((o->groups & groups) == 0 || value == NULL || value[0] == '\0')
            continue;
        int rc = set_value(a, o, o->env, value, err);
        if (rc != MD_OK)
            return rc;
    }
    return MD_OK;
}

int args_parse(struct args *out, unsigned groups, int argc, char *const *argv,
               char err[ARGS_ERR_MAX])
{
    struct args a = {.port = -1,
                     .target_port = -1,
                     .to_port = -1,
                     .timeout_s = -1,
                     .find_s = -1,
                     .channel = -1,
                     .iterations = -1};
    bool plain = false;
    int rc = from_environment(&a, groups, err);
    for (int i = 0; i < argc && rc == MD_OK; i++) {
        if (!plain && strcmp(argv[i], "--") == 0)
            plain = true;
        else if (!plain && argv[i][0] == '-' && argv[i][1] != '\0')
            rc = take_option(&a, groups, argc, argv, &i, err);
        else if (a.n_words >= ARGS_MAX_WORDS)
            rc = bad(err, "too many words: %.60s", argv[i]);
        else
            a.words[a.n_words++] = argv[i];
    }
    if (rc == MD_OK)
        *out = a;
    return rc;
}

void args_help(unsigned groups, void (*line)(void *ctx, const char *option, const char *text),
               void *ctx)
{
    char head[40];
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        if ((o->groups & groups) == 0)
            continue;
        (void)snprintf(head, sizeof head, "%s %s", o->name, o->value == NULL ? "" : o->value);
        line(ctx, head, o->help);
    }
}

void args_environment(void (*line)(void *ctx, const char *variable, const char *option), void *ctx)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (options[i].env != NULL)
            line(ctx, options[i].env, options[i].name);
}

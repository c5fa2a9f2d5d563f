#include "tests/plugsim/args.h"

#include <stdio.h>
#include <stdlib.h>

void args_usage(void)
{
    (void)printf(
        "usage: plugsim [options]\n"
        "Simulated Meross plugs that connect to a broker.\n"
        "  --host H, --port P   the broker; 127.0.0.1, 8883 (1883 with --plain)\n"
        "  --plain              MQTT without TLS\n"
        "  --cipher NAME        offer this cipher suite only, e.g. TLS-RSA-WITH-AES-128-CBC-SHA\n"
        "  --count N            so many plugs; default: one of each --type\n"
        "  --type T[,T...]      models, in turn: %s,\n"
        "                       or a file of tests/plugsim/models without .json: mrs100-7.6.10\n"
        "  --model T            the same\n"
        "  --key K              the device key; default: the empty one\n"
        "  --http PORT          HTTP on PORT, PORT+1, ... for each plug; 0: free ports, told by\n"
        "                       the event \"http PORT\"\n"
        "  --http-host ADDRESS  where; 127.0.0.1\n"
        "  --ap                 in set-up mode: each waits on its HTTP server for Config.Key and\n"
        "                       Config.Wifi, then joins and connects to the host it was told.\n"
        "                       Options: home_ssid (home), home_password (hunter2secret),\n"
        "                       home_encryption (6), home_cipher (3), home_hidden=1 not heard,\n"
        "                       wifi_list_ms, wifi_list_lost=N first requests without answer,\n"
        "                       lost_setack=1, join_ms, http_bare_lf=1, http_max=N cuts replies,\n"
        "                       wifix=1, ecdhe=1 (encrypts)\n"
        "  --option NAME=VALUE  see simplug_options.h; INDEX:NAME=VALUE for one plug only\n"
        "  --demo               the three plugs of tools/run --demo\n"
        "  --until bound        end when all are bound; exit status 1 after --timeout (60 s)\n"
        "  --until SECONDS      end then\n"
        "  --timeout SECONDS    for --until bound\n"
        "  --json, --quiet      events as JSON; only violations\n"
        "Standard input: button INDEX [CHANNEL], die INDEX, power INDEX, status, quit,\n"
        "  load INDEX CHANNEL MILLIWATTS, sense INDEX NAMESPACE JSON (the world changes an "
        "entry),\n"
        "  alarm INDEX NAMESPACE JSON (told until it is answered).\n"
        "Exit status: 0; 1 after a violation of the protocol or a time-out; 2 usage.\n",
        simplug_options_types());
}

static int bad(const char *what, const char *value)
{
    (void)fprintf(stderr, "plugsim: %s: %s (try --help)\n", what, value);
    return MD_INVAL;
}

static int number(const char *name, const char *text, unsigned max, unsigned *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > max)
        return bad(name, text);
    *out = (unsigned)value;
    return MD_OK;
}

static int until(struct args *a, const char *value)
{
    a->until = strcmp(value, "bound") == 0 ? ARGS_UNTIL_BOUND : ARGS_UNTIL_TIME;
    return a->until == ARGS_UNTIL_BOUND ? MD_OK : number("--until", value, 1000000, &a->until_s);
}

static bool read_flag(struct args *a, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--plain", &a->plain}, {"--json", &a->json}, {"--quiet", &a->quiet},
                 {"--help", &a->help},   {"--demo", &a->demo}, {"--ap", &a->ap}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].name, name) == 0)
            return *flags[i].flag = true;
    }
    return false;
}

static int read_valued(struct args *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--host", &a->host}, {"--type", &a->types},    {"--model", &a->types},
                 {"--key", &a->key},   {"--cipher", &a->cipher}, {"--http-host", &a->http_host}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].text = value;
            return MD_OK;
        }
    }
    if (strcmp(name, "--port") == 0)
        return number(name, value, 65535, &a->port);
    if (strcmp(name, "--http") == 0) {
        a->http = true;
        return number(name, value, 65535, &a->http_port);
    }
    if (strcmp(name, "--count") == 0)
        return number(name, value, 10000, &a->count);
    if (strcmp(name, "--timeout") == 0)
        return number(name, value, 1000000, &a->timeout_s);
    if (strcmp(name, "--until") == 0)
        return until(a, value);
    if (strcmp(name, "--option") == 0 && a->n_options < ARGS_MAX_OPTIONS) {
        a->option[a->n_options++] = value;
        return MD_OK;
    }
    return bad("unknown option", name);
}

static unsigned count_types(const char *types)
{
    unsigned n = 1;
    for (const char *c = types; *c != '\0'; c++)
        n += *c == ',' ? 1 : 0;
    return n;
}

int args_read(struct args *a, int argc, char **argv)
{
    *a = (struct args){.host = "127.0.0.1", .types = "mss310", .key = "", .timeout_s = 60};
    a->http_host = "127.0.0.1";
    for (int i = 1; i < argc; i++) {
        if (read_flag(a, argv[i]))
            continue;
        if (i + 1 == argc)
            return bad("unknown option, or its value is missing", argv[i]);
        int err = read_valued(a, argv[i], argv[i + 1]);
        if (err != MD_OK)
            return err;
        i++;
    }
    if (a->demo)
        a->types = "mss210,mss310,mss425e";
    if (a->port == 0)
        a->port = a->plain ? 1883 : 8883;
    if (a->count == 0)
        a->count = count_types(a->types);
    return MD_OK;
}

/* The index-th name of the list, from the start again after the last. */
static void pick_type(const char *types, unsigned index, char *out, size_t cap)
{
    unsigned skip = index % count_types(types);
    for (; skip > 0; skip--)
        types = strchr(types, ',') + 1;
    if (!span_to_str(span_of(types, strcspn(types, ",")), out, cap))
        out[0] = '\0';
}

/* The assignment when it is meant for this plug, else NULL. */
static const char *assignment_for(const char *option, unsigned index)
{
    char *end;
    unsigned long which = strtoul(option, &end, 10);
    if (end == option || *end != ':')
        return option;
    return which == index ? end + 1 : NULL;
}

int args_plug(const struct args *a, unsigned index, struct simplug_options *o)
{
    char type[32];
    pick_type(a->types, index, type, sizeof type);
    if (simplug_options_preset(o, type, index) != MD_OK)
        return bad("unknown type", type);
    if (a->demo)
        o->retry_ms = 1000;
    o->ap = a->ap;
    if (!span_to_str(span_str(a->key), o->key, sizeof o->key))
        return bad("--key is too long", a->key);
    for (size_t i = 0; i < a->n_options; i++) {
        const char *assignment = assignment_for(a->option[i], index);
        if (assignment != NULL && simplug_options_set(o, assignment) != MD_OK)
            return bad("--option", a->option[i]);
    }
    return MD_OK;
}

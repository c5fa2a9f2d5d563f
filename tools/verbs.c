#include "tools/cmd.h"

#include "broker/tls/tls.h"
#include "tools/host_env.h"
#include "tools/similar.h"

#include <errno.h>
#include <string.h>

#define CLIENT (ARGS_CLIENT | ARGS_JSON)
#define SWITCH (CLIENT | ARGS_CHANNEL | ARGS_WHEN_BACK)

#define PARTS                                                                                      \
    "PART is a socket of a strip, by its number or the name it was given, or a sub-device of a "   \
    "hub: merossd on strip/lamp."

static const struct cmd verbs[] = {
    {"serve", "", "run the broker; also what `merossd` without a verb does",
     "Without -c it serves a home: port 8883 with TLS for plugs, port 1883 in clear for programs "
     "on this computer.",
     ARGS_CONFIG | ARGS_SERVE, 0, 0, cmd_serve},
    {"list", "", "list the plugs and their state", NULL, CLIENT, 0, 0, cmd_list},
    {"show", "PLUG", "show all that is known about a plug", NULL, CLIENT, 1, 1, cmd_show},
    {"on", "PLUG[/PART]", "switch a plug on", PARTS, SWITCH, 1, 1, cmd_on},
    {"off", "PLUG[/PART]", "switch a plug off", PARTS, SWITCH, 1, 1, cmd_off},
    {"toggle", "PLUG[/PART]", "switch a plug over", PARTS, SWITCH, 1, 1, cmd_toggle},
    {"set", "PLUG[/PART] KEY=VALUE...", "set what a device can do, by the keys of its state",
     "merossd set lamp brightness=80 color=#ff8000     a lamp\n"
     "merossd set garage/2 door=open                   the second door\n"
     "merossd set hub/bath target_temperature=21.5     a valve of a hub\n"
     "merossd set kettle led=off                       the light of a plug itself\n"
     "`merossd show PLUG` lists the keys; what cannot be set, or not to that, is said and nothing "
     "is sent.",
     SWITCH, 2, ARGS_MAX_WORDS, cmd_set},
    {"rename", "PLUG [PART] NAME", "give a plug another name, or a part of it",
     "A name has 1 to 32 bytes and none of / + #.  The topics of a plug move with its name.  PART "
     "is the number of a socket or the id of a sub-device: merossd rename strip 2 lamp; from then "
     "on it is strip/lamp.",
     CLIENT, 2, 3, cmd_rename},
    {"forget", "PLUG", "remove a plug from the broker's memory", NULL, CLIENT | ARGS_YES, 1, 1,
     cmd_forget},
    {"raw", "PLUG METHOD NAMESPACE [JSON]",
     "send one request to a plug in its own words and print the answer",
     "METHOD is GET, SET, PUSH or DELETE; NAMESPACE like Appliance.System.All (`merossd show PLUG "
     "--json` lists those of a plug).  JSON is the payload, {} when it is left out; - reads it "
     "from standard input.  What could harm the plug is not sent.",
     CLIENT, 3, 4, cmd_raw},
    {"watch", "", "print what happens, until Ctrl-C", NULL, CLIENT, 0, 0, cmd_watch},
    {"power", "[PLUG]", "show what the plugs measure now: W, V, A, and what they have counted",
     "For two minutes they are then asked every ten seconds, so that the next look is fresher.",
     CLIENT, 0, 1, cmd_power},
    {"energy", "[PLUG]", "show what the plugs have counted, by day or by hour",
     "Without PLUG: one line for each plug.  400 days and 60 days of hours are kept, whatever the "
     "plug's own counter does.  A day is one of the broker's time zone, and has 23 or 25 hours "
     "when the clocks change.",
     CLIENT | ARGS_CHANNEL | ARGS_ENERGY, 0, 1, cmd_energy},
    {"clients", "", "list the clients of the broker and what waits for them", NULL, CLIENT, 0, 0,
     cmd_clients},
    {"timer", "PLUG [ACTION ...]", "show or change what a plug does by itself",
     "merossd timer PLUG                            list its timers\n"
     "merossd timer PLUG add HH:MM on|off           a new one, in the plug's local time\n"
     "merossd timer PLUG remove|enable|disable ID   an id, its beginning, or a name\n"
     "merossd timer PLUG auto-off MINUTES|off       so long after on (90s, 15, 2h)\n"
     "They live in the plug and work without merossd; each change is read back.\n"
     "How a plug counts the days of the week is not known for certain.  Every day is safe; for "
     "others see meross_timer_first_day: add a timer for today alone, two minutes from now, and if "
     "it does not switch, set that option to the other day.",
     CLIENT | ARGS_CHANNEL | ARGS_TIMER, 1, 4, cmd_timer},
    {"permit", "[SECONDS]",
     "let new plugs in for a while, where `meross_auth known` keeps them out",
     "120 seconds when not given, at most 3600; 0 ends it.", CLIENT, 0, 1, cmd_permit},
    {"pair", "", "set a new plug up: Wi-Fi, broker, key, name",
     "Hold the plug's button until its LED alternates amber and green, and join the open network "
     "Meross_SW_... (or give --join).  Without --ssid it shows the networks that the plug sees.  "
     "The "
     "password is asked for, or the first line of standard input or of --password-file.  Before "
     "anything is changed it is tested that plugs are answered where this one will be sent.",
     CLIENT | ARGS_PAIR | ARGS_TARGET | ARGS_YES, 0, 0, cmd_pair},
    {"adopt", "ADDRESS", "take over a plug that is in the network already",
     "The plug keeps its Wi-Fi and gets this broker and a key of its own.  Its present key is "
     "found when it is empty, \"meross\", or a meross_key of -c FILE; otherwise it is asked for.",
     CLIENT | ARGS_TARGET | ARGS_ADOPT | ARGS_CONFIG, 1, 1, cmd_adopt},
    {"move-all", "HOST", "send every plug to the broker at HOST",
     "Each gets a new key, which HOST is told first, with the name; then the plug goes.  Plugs "
     "that are not connected are named and stay.  It can be run again.  -h, -p, -u and -P are for "
     "the old broker.",
     CLIENT | ARGS_MOVE, 1, 1, cmd_move_all},
    {"unbind", "PLUG", "reset a plug to what it was when new, and forget it",
     "It loses its Wi-Fi, key and timers, and is in set-up mode again.  One that is not connected "
     "is told over the LAN.  Asks for its name unless --yes.",
     CLIENT | ARGS_YES, 1, 1, cmd_unbind},
    {"cert", "", "show the certificates in use and how a client trusts them", NULL,
     ARGS_CONFIG | ARGS_JSON, 0, 0, cmd_cert},
    {"check", "FILE", "check a configuration file without starting", NULL, ARGS_JSON, 1, 1,
     cmd_check},
    {"doctor", "[PLUG]", "look for faults, and say what to do about each",
     "It looks at this computer, at the broker, if one runs, and at each plug, or at PLUG alone, "
     "with the steps of its last connections.  Exit status 0: no red line; 1: there are some.  "
     "With -h HOST it looks at a broker on another computer, and at nothing here.",
     CLIENT | ARGS_CONFIG | ARGS_DOCTOR, 0, 1, cmd_doctor},
    {"import", "mosquitto [CONF]", "take over what an installed mosquitto has kept",
     "CONF is /etc/mosquitto/mosquitto.conf when it is left out.  It is checked as `merossd check` "
     "does; mosquitto.db is read where it says, and retained messages, sessions and what waits in "
     "them go to merossd's state directory: that of -c FILE, else of CONF, else the usual one.  "
     "Stop both brokers first.  Nothing of mosquitto's is changed; what merossd has already, it "
     "keeps.",
     ARGS_CONFIG | ARGS_JSON | ARGS_DRY_RUN, 1, 2, cmd_import},
    {"backup", "FILE", "write all that merossd keeps into one encrypted file",
     "Plugs with their keys, the CA and the certificates, energy, sessions and messages, the "
     "configuration and the files it names.  The broker may run.  Without -c it is the "
     "configuration of the broker that runs on the usual state directory.\n"
     "The passphrase is asked for twice; without it the file is of no use to anybody.",
     ARGS_CONFIG | ARGS_JSON | ARGS_PASSPHRASE, 1, 1, cmd_backup},
    {"restore", "FILE", "put a backup back, also on another computer",
     "Everything is checked before anything is written, and it is all or nothing.  The broker must "
     "not run.  The CA stays the same, so plugs and clients go on; the server certificate is made "
     "anew for this computer's addresses when the broker starts.  With -c FILE only the state is "
     "restored, into the state directory that FILE names.",
     ARGS_CONFIG | ARGS_JSON | ARGS_PASSPHRASE | ARGS_FORCE, 1, 1, cmd_restore},
    {"passwd", "FILE USER", "set the password of a user in a password_file",
     "It asks for the password, or reads a line from standard input.  With -b: FILE USER "
     "PASSWORD.\n"
     "A `:` in a user name, which mosquitto cannot have, is written %3A in the file; the client "
     "sends it as it is.\nThe broker reads the file again after `kill -HUP`.",
     ARGS_PASSWD, 2, 3, cmd_passwd},
    {"help", "[VERB | config]", "explain a verb, or print an example of the configuration file",
     "`merossd help config` prints every option with its default, ready to be edited; `merossd "
     "help options` prints them as a table.",
     0, 0, 1, cmd_help},
};

#define N_VERBS (sizeof verbs / sizeof verbs[0])

const struct cmd *verbs_at(size_t i) { return i < N_VERBS ? &verbs[i] : NULL; }

const struct cmd *verbs_find(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

int verbs_none(struct cli *c, const char *name)
{
    struct similar s = similar_to(span_str(name));
    for (size_t i = 0; i < N_VERBS; i++)
        similar_try(&s, verbs[i].name);
    fprintf(c->err, "merossd: no verb \"%.40s\"%s%s%s `merossd help` lists them.\n", name,
            s.best != NULL ? "; did you mean `" : ";", s.best != NULL ? s.best : "",
            s.best != NULL ? "`?" : "");
    return CLI_USAGE;
}

/* Who asks for JSON gets it for a mistake in the words too, as far as it can be told. */
static bool wants_json(const struct cmd *cmd, int argc, char **argv)
{
    for (int i = 0; i < argc && (cmd->groups & ARGS_JSON) != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int usage(struct cli *c, const struct cmd *cmd, const char *what, bool json)
{
    if (json)
        cli_json_error(c, "invalid", what);
    fprintf(c->err, "merossd: %s\nUsage: merossd %s%s%s [options]; `merossd help %s` has them.\n",
            what, cmd->name, cmd->words[0] != '\0' ? " " : "", cmd->words, cmd->name);
    return CLI_USAGE;
}

/* A full disk shows only when the buffer is written out; who reads the output relies on all of
 * it. */
static int finish(struct cli *c, int status)
{
    int why = fflush(c->out) == 0 ? 0 : errno;
    if (why == 0 && !ferror(c->out))
        return status;
    fprintf(c->err, "merossd: cannot write the output%s%s\n", why != 0 ? ": " : "",
            why != 0 ? strerror(why) : "");
    return status == CLI_DONE ? CLI_FAILED : status;
}

static int run(const struct cmd *cmd, struct cli *c, int argc, char **argv)
{
    char why[ARGS_ERR_MAX];
    struct args a, help = {.words = {cmd->name}, .n_words = 1};
    bool json = wants_json(cmd, argc, argv);
    if (args_parse(&a, cmd->groups, argc, argv, why) != MD_OK)
        return finish(c, usage(c, cmd, why, json));
    c->args = a.help ? &help : &a;
    if (a.help)
        return finish(c, cmd_help(c));
    if (a.n_words < cmd->min_words) {
        (void)snprintf(why, sizeof why, "`merossd %s` needs %s", cmd->name, cmd->words);
        return finish(c, usage(c, cmd, why, json));
    }
    if (a.n_words > cmd->max_words && cmd->run == cmd_serve)
        return finish(c, usage(c, cmd, "the verb comes first: merossd VERB [options]", json));
    if (a.n_words > cmd->max_words)
        return finish(c, usage(c, cmd, "too many words (a name with spaces needs quotes)", json));
    int status = cmd->run(c);
    return cmd->run == cmd_serve ? status : finish(c, status); /* its output is only its log */
}

static int version(struct cli *c)
{
    fprintf(c->out, "merossd %s (%s)\n", MD_VERSION, tls_library());
    return finish(c, CLI_DONE);
}

int verbs_main(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
    struct cli c = {
        .env = host_env(), .in = in, .out = out, .err = err, .timeout_ms = CLI_TIMEOUT_MS};
    const char *first = argc > 1 ? argv[1] : "serve";
    static const struct args none = {
        .port = -1, .target_port = -1, .to_port = -1, .timeout_s = -1, .find_s = -1, .channel = -1};
    c.args = &none;
    if (strcmp(first, "--version") == 0)
        return version(&c);
    if (strcmp(first, "--help") == 0)
        return finish(&c, cmd_help(&c));
    if (first[0] == '-' || argc <= 1)
        return run(&verbs[0], &c, argc > 1 ? argc - 1 : 0, argv + 1);
    const struct cmd *cmd = verbs_find(first);
    if (cmd == NULL)
        return verbs_none(&c, first);
    return run(cmd, &c, argc - 2, argv + 2);
}

/* man_program.c - merossd(1). */
#include "tools/cmd.h"
#include "tools/packaging/docs/docs.h"
#include "tools/packaging/docs/roff.h"

#include <string.h>

#define OF_A_CLIENT (ARGS_CLIENT | ARGS_JSON)

struct list { /* of options, indented once there is one */
    FILE *out;
    bool begun, indented;
};

static void option(void *ctx, const char *words, const char *text)
{
    struct list *l = ctx;
    if (strncmp(words, "--help", 6) == 0) /* every verb has it: said once */
        return;
    if (l->indented && !l->begun)
        fputs(".RS\n", l->out);
    l->begun = true;
    roff_entry(l->out, words);
    roff_text(l->out, text);
}

static void options(FILE *out, unsigned groups, bool indented)
{
    struct list l = {.out = out, .indented = indented};
    args_help(groups, option, &l);
    if (l.indented && l.begun)
        fputs(".RE\n", out);
}

/* What a client verb shares with the others stands in a section of its own. */
static unsigned own_groups(const struct cmd *v)
{
    return (v->groups & ARGS_CLIENT) != 0 ? v->groups & ~(unsigned)OF_A_CLIENT : v->groups;
}

static void verb(FILE *out, const struct cmd *v)
{
    char words[200];
    (void)snprintf(words, sizeof words, "%s%s%s%s", v->name, v->words[0] != '\0' ? " " : "",
                   v->words, v->groups != 0 ? " [options]" : "");
    roff_entry(out, words);
    roff_text(out, v->help);
    if (v->more != NULL) {
        fputs(".sp\n", out);
        roff_text(out, v->more);
    }
    options(out, own_groups(v), true);
}

static void verbs(FILE *out)
{
    const struct cmd *v;
    fputs(".SH VERBS\n", out);
    roff_text(out, "`PLUG` is the name of a plug, the beginning of one, a uuid or a MAC address.  "
                   "Every verb explains itself with `--help`.  Options may stand before, between "
                   "and after the words; `--` ends them.");
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        verb(out, v);
}

static void variable(void *ctx, const char *name, const char *stands_for)
{
    fprintf(ctx, ".TP\n\\fB%s\\fR\n", name);
    fputs("The same as the option ", ctx);
    roff_words(ctx, stands_for);
}

static void options_and_environment(FILE *out)
{
    fputs(".SH OPTIONS OF A CLIENT\n", out);
    roff_text(out, "All verbs that ask a broker take these.");
    options(out, OF_A_CLIENT, false);
    fputs(".SH ENVIRONMENT\n", out);
    roff_text(out, "An option on the command line overrules its variable.");
    args_environment(variable, out);
    roff_entry(out, "TZ");
    roff_text(out, "the time zone, in place of that of this computer; `meross_timezone` overrules "
                   "it");
}

static void begin(FILE *out)
{
    fputs(".SH NAME\nmerossd \\- MQTT broker with local control of Meross smart plugs\n"
          ".SH SYNOPSIS\n.nf\n",
          out);
    roff_words(out, "merossd [-c FILE] [-p PORT] [-v] [-d]");
    roff_words(out, "merossd VERB [words] [options]");
    roff_words(out, "merossd --version");
    fputs(".fi\n.SH DESCRIPTION\n", out);
    roff_text(out,
              "Without a verb merossd is a broker for MQTT 3.1 and 3.1.1 that answers Meross smart "
              "plugs the way the servers of their vendor do.  A plug that is pointed at it is "
              "bound, gets the time, and is switched by `merossd on` or by a message to a plain "
              "topic, without the internet.  With a verb it is a client of a broker that runs.");
    fputs(".PP\n", out);
    roff_text(out,
              "The Debian package runs it as the service `merossd`, as a user of its own, "
              "with /etc/merossd/merossd.conf; see merossd.conf(5).  `systemctl reload "
              "merossd` makes it read that file again, `journalctl -u merossd` shows its log.");
}

static void file(FILE *out, const char *name, const char *text)
{
    fprintf(out, ".TP\n.I %s\n", name);
    roff_text(out, text);
}

static void end(FILE *out)
{
    fputs(".SH FILES\n", out);
    file(out, "/etc/merossd/merossd.conf", "what the service reads, see merossd.conf(5)");
    file(out, "/var/lib/merossd",
         "certificates with their keys, the plugs with theirs, what they used, retained messages "
         "and sessions.  Whoever has it is this broker for the plugs: keep a copy in a safe place");
    file(out, "/run/merossd",
         "what was acknowledged in the last seconds, in memory.  While it is full or gone, "
         "acknowledgements wait until the state is written to the medium; when that fails as well, "
         "the "
         "broker says so and serves on, because a house that stops is worse: a crash may then cost "
         "what was acknowledged meanwhile");
    fputs(".SH SIGNALS\n", out);
    roff_entry(out, "SIGHUP");
    roff_text(out, "read the configuration again, all of it or, when it has a fault, nothing; open "
                   "the log file anew");
    roff_entry(out, "SIGUSR1");
    roff_text(out, "write every session and its queue to the log");
    roff_entry(out, "SIGTERM, SIGINT");
    roff_text(out,
              "write everything down, and stop; clients have two seconds to read what is under "
              "way to them, unless a second signal cuts them off");
    fputs(".SH EXIT STATUS\n", out);
    roff_text(out,
              "0 done, 1 failed, 2 usage, 3 no such plug, 4 no answer.  The broker itself: 0 it "
              "was told to stop, and all is written; 1 it could not start, or what changed last "
              "could not be written when it stopped: its last line says why and what to do.");
    fputs(".SH EXAMPLES\n.nf\n", out);
    roff_words(out, "sudo merossd pair --join");
    roff_words(out, "merossd list");
    roff_words(out, "merossd toggle kettle");
    roff_words(out, "merossd set lamp brightness=80");
    fputs(".fi\n.SH SEE ALSO\n.BR merossd.conf (5),\n.BR mosquitto_sub (1),\n"
          ".BR systemctl (1)\n",
          out);
}

void docs_man_program(FILE *out, const char *date)
{
    roff_title(out, "MEROSSD", 1, date, "User Commands");
    begin(out);
    verbs(out);
    options_and_environment(out);
    end(out);
}

/* man_config.c - merossd.conf(5). */
#include "tools/config/config_options.h"
#include "tools/packaging/docs/docs.h"
#include "tools/packaging/docs/roff.h"

static const struct {
    enum config_scope scope;
    const char *title, *text;
} chapters[] = {
    {CONFIG_GLOBAL, "OPTIONS OF THE BROKER", "They hold for all of it, wherever they stand."},
    {CONFIG_OF_DEFAULT, "THE DEFAULT LISTENER",
     "An old way to write one listener; `listener` below is the new one."},
    {CONFIG_OF_LISTENER, "OPTIONS OF A LISTENER", "They belong to the `listener` line above them."},
    {CONFIG_OF_ACCESS, "USERS AND RIGHTS",
     "They hold for all listeners or, with `per_listener_settings true`, for the one above them."},
    {CONFIG_OF_BRIDGE, "OPTIONS OF A BRIDGE", "They belong to the `connection` line above them."},
};

static void option(FILE *out, const struct config_option *o)
{
    char allowed[256], text[400];
    config_option_allowed(o, allowed, sizeof allowed);
    fprintf(out, ".TP\n\\fB%s\\fR\n", o->name);
    roff_text(out, o->help);
    (void)snprintf(text, sizeof text, "Value: %s%s%s%s%s.", allowed, o->unit[0] ? "; " : "",
                   o->unit, o->value_default ? "; default " : "",
                   o->value_default ? o->value_default : "");
    fputs(".br\n", out);
    roff_text(out, text);
}

/* What opens a listener or a bridge stands at the head of its chapter. */
static enum config_scope chapter_of(const struct config_option *o)
{
    if (o->type == CONFIG_LISTENER)
        return CONFIG_OF_LISTENER;
    return o->type == CONFIG_BRIDGE ? CONFIG_OF_BRIDGE : o->scope;
}

static void chapter(FILE *out, size_t i)
{
    const struct config_option *o;
    fprintf(out, ".SH %s\n", chapters[i].title);
    roff_text(out, chapters[i].text);
    for (size_t k = 0; (o = config_option_at(k)) != NULL; k++)
        if (chapter_of(o) == chapters[i].scope)
            option(out, o);
}

static void begin(FILE *out)
{
    fputs(".SH NAME\nmerossd.conf \\- the configuration of merossd\n.SH DESCRIPTION\n", out);
    roff_text(out,
              "None is needed: without a single option merossd opens port 8883 with TLS for plugs "
              "on every address, and port 1883 in clear for programs on this computer.  The "
              "service of the Debian package reads /etc/merossd/merossd.conf.");
    fputs(".PP\n", out);
    roff_text(out,
              "The grammar and most names are those of mosquitto.conf(5): one option in each line, "
              "a blank, and its value; a line that begins with # is a comment.  A file of "
              "mosquitto is read as it is: options that cannot be honoured cost a warning, unknown "
              "ones are errors that name file and line.");
    fputs(".PP\n", out);
    roff_text(out,
              "`merossd check FILE` looks at a file without starting; `merossd help config` prints "
              "every option as a file of comments.  After a change, `systemctl reload merossd`; "
              "the log says what needs a restart.");
}

static void end(FILE *out)
{
    fputs(".SH EXAMPLES\nThe built-in listeners, and a key that plugs were paired with\n"
          "by another program:\n.PP\n.nf\n.RS\nlistener 8883\ntls auto\nlistener 1883 127.0.0.1\n"
          "meross_key 0123456789abcdef\n.RE\n.fi\n.PP\n"
          "Programs on other computers too, with a password:\n.PP\n.nf\n.RS\n"
          "listener 8883\ntls auto\nlistener 1883\npassword_file /etc/merossd/users\n.RE\n.fi\n"
          ".SH SEE ALSO\n.BR merossd (1),\n.BR mosquitto.conf (5)\n",
          out);
}

void docs_man_config(FILE *out, const char *date)
{
    roff_title(out, "MEROSSD.CONF", 5, date, "File Formats");
    begin(out);
    for (size_t i = 0; i < sizeof chapters / sizeof chapters[0]; i++)
        chapter(out, i);
    end(out);
}

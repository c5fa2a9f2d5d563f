/* config_help.c - the table of options as people read it: an annotated example file, and the table
 * of the README. */
#include "tools/config/config.h"
#include "tools/config/config_options.h"
#include "tools/wrap.h"

static void comment(FILE *out, const char *text)
{
    fputs("# ", out);
    wrap_text(out, 2, "# ", text);
}

static const char *scope_text(const struct config_option *o)
{
    switch (o->scope) {
    case CONFIG_OF_BRIDGE:
        return " (of the bridge above it)";
    case CONFIG_OF_LISTENER:
        return " (of the listener above it)";
    case CONFIG_OF_ACCESS:
        return " (see per_listener_settings)";
    case CONFIG_OF_DEFAULT:
        return " (of the default listener)";
    case CONFIG_GLOBAL:
        break;
    }
    return "";
}

static void example(FILE *out, const struct config_option *o)
{
    char allowed[256], text[640];
    config_option_allowed(o, allowed, sizeof allowed);
    (void)snprintf(text, sizeof text, "%s%s. Value: %s%s%s%s%s.", o->help, scope_text(o), allowed,
                   o->unit[0] ? "; " : "", o->unit, o->value_default ? "; default " : "",
                   o->value_default ? o->value_default : "");
    comment(out, text);
    fprintf(out, "#%s %s\n\n", o->name, o->value_default ? o->value_default : "...");
}

void config_options_example(FILE *out)
{
    const struct config_option *o;
    comment(out, "merossd.conf - every option of merossd " MD_VERSION ". The grammar and the names "
                 "are those of mosquitto.conf, and a file of mosquitto is read as it is. What "
                 "stands here is a comment: remove the # in front of an option to set it.");
    fputs("\n", out);
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++)
        example(out, o);
}

void config_options_table(FILE *out)
{
    const struct config_option *o;
    fputs("| option | default | meaning |\n| --- | --- | --- |\n", out);
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++)
        fprintf(out, "| `%s` | %s%s%s | %s%s |\n", o->name, o->value_default ? "`" : "",
                o->value_default ? o->value_default : "", o->value_default ? "`" : "", o->help,
                scope_text(o));
}

#include "tools/config/config.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/meross.h"
#include "tools/config/config_bridge.h"
#include "tools/config/config_options.h"
#include "tools/config/config_unknown.h"
#include "tools/config/config_value.h"

#include <stdarg.h>
#include <stdio.h>

/* The walk over one file. */
struct reader {
    struct config c;
    size_t current; /* the listener that options belong to; SIZE_MAX: the default one */
    const char *file;
    unsigned line;
    unsigned depth;                         /* 1: in a file of include_dir */
    const struct config_includes *includes; /* NULL: none can be read      */
    size_t n_warnings;
    unsigned access_line; /* of the first option of struct config_access; 0: none yet */
    char *err;
};

#define NO_LISTENER SIZE_MAX

__attribute__((format(printf, 2, 3))) static int complain(const struct reader *r, const char *fmt,
                                                          ...)
{
    char what[CONFIG_ERR_MAX - 128];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    (void)snprintf(r->err, CONFIG_ERR_MAX, "%.100s:%u: %s", r->file, r->line, what);
    return MD_INVAL;
}

static int out_of_memory(const struct reader *r)
{
    (void)complain(r, "out of memory");
    return MD_NOMEM;
}

static void free_texts(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        mem_wipe(list[i], strlen(list[i])); /* some are keys */
        mem_free(list[i]);
    }
    mem_free(list);
}

void config_free(struct config *c)
{
    for (size_t i = 0; i < c->n_listeners; i++)
        config_listener_free(&c->listeners[i]);
    mem_free(c->listeners);
    config_bridges_free(c);
    free_texts(c->meross_keys);
    free_texts(c->warnings);
    free_texts(c->included);
    config_access_free(&c->access);
    mem_free(c->client_id_prefix);
    mem_free(c->user);
    mem_free(c->log_file);
    mem_free(c->log_timestamp_format);
    mem_free(c->persistence_location);
    mem_free(c->persistence_file);
    mem_free(c->state_dir);
    mem_free(c->journal_dir);
    mem_free(c->pid_file);
    mem_free(c->psk_file);
    mem_free(c->meross_topic);
    mem_free(c->meross_timezone);
    for (size_t i = 0; i < c->ntp_listeners.n; i++)
        mem_free(c->ntp_listeners.v[i].host);
    mem_free(c->ntp_listeners.v);
    *c = (struct config){.n_listeners = 0};
}

static int listener_failed(const struct reader *r, int err)
{
    if (err == MD_NOMEM)
        return out_of_memory(r);
    return complain(r, "more than %u listeners", CONFIG_MAX_LISTENERS);
}

/* Says where the file opens it. */
static int place_listener(struct reader *r, struct config_listener *l)
{
    l->line = r->line;
    l->file = mem_strdup(r->file);
    return l->file == NULL ? out_of_memory(r) : MD_OK;
}

/* Appends to a list of n texts, NULL-terminated. */
static int add_text(struct reader *r, char ***list, size_t n, const char *text)
{
    char **grown = mem_realloc(*list, (n + 2) * sizeof *grown);
    if (grown == NULL)
        return out_of_memory(r);
    *list = grown;
    grown[n] = mem_strdup(text);
    grown[n + 1] = NULL;
    return grown[n] == NULL ? out_of_memory(r) : MD_OK;
}

/* Something that is not an error but must be said. */
__attribute__((format(printf, 2, 3))) static int warn(struct reader *r, const char *fmt, ...)
{
    char what[CONFIG_ERR_MAX - 128], text[CONFIG_ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (r->n_warnings >= CONFIG_MAX_WARNINGS)
        return MD_OK; /* the first ones say enough about such a file */
    (void)snprintf(text, sizeof text, "%.100s:%u: %s", r->file, r->line, what);
    return add_text(r, &r->c.warnings, r->n_warnings++, text);
}

static int default_listener(struct reader *r, struct config_listener **out)
{
    for (size_t i = 0; i < r->c.n_listeners; i++) {
        if (r->c.listeners[i].is_default) {
            *out = &r->c.listeners[i];
            return MD_OK;
        }
    }
    int err = config_listener_add(&r->c, out);
    if (err != MD_OK)
        return listener_failed(r, err);
    (*out)->is_default = true;
    return place_listener(r, *out);
}

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

static struct span trim(struct span s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* Cuts the first word off *rest; what is left is trimmed. */
static struct span take_word(struct span *rest)
{
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    struct span word = span_of(rest->p, n);
    *rest = trim(span_skip(*rest, n));
    return word;
}

static int bad_value(const struct reader *r, const struct config_option *o, struct span value)
{
    char allowed[256];
    config_option_allowed(o, allowed, sizeof allowed);
    if (value.n == 0)
        return complain(r, "option '%s' has no value; allowed: %s", o->name, allowed);
    if (o->secret)
        return complain(r, "bad value of option '%s'; allowed: %s", o->name, allowed);
    const char *hint = memchr(value.p, '#', value.n) != NULL && o->type != CONFIG_TEXT
                           ? " (a comment needs a line of its own)"
                           : "";
    return complain(r, "bad value %s of option '%s'; allowed: %s%s", log_q(value), o->name, allowed,
                    hint);
}

static int open_listener(struct reader *r, const struct config_option *o, struct span value)
{
    uint64_t port;
    struct span rest = value;
    struct span first = take_word(&rest);
    struct span host = take_word(&rest);
    if (config_value_number(first, o->min, o->max, &port) != MD_OK || rest.n > 0 || host.n > 255)
        return bad_value(r, o, value);
    if (span_starts(host, "/") && port != 0)
        return complain(r, "a listener on a Unix socket has port 0: `listener 0 %.*s`",
                        SPAN_ARG(host));
    struct config_listener *l;
    int err = config_listener_add(&r->c, &l);
    if (err != MD_OK)
        return listener_failed(r, err);
    l->port = (unsigned)port;
    r->current = r->c.n_listeners - 1;
    err = place_listener(r, l);
    if (err != MD_OK || host.n == 0)
        return err;
    l->host = mem_alloc(host.n + 1);
    if (l->host == NULL)
        return out_of_memory(r);
    memcpy(l->host, host.p, host.n);
    return MD_OK;
}

static int open_bridge(struct reader *r, const struct config_option *o, struct span value)
{
    int err = config_bridge_open(&r->c, o, value, r->file, r->line);
    if (err == MD_INVAL)
        return bad_value(r, o, value);
    if (err == MD_EXIST)
        return complain(r, "there is already a connection %s; each needs a name of its own",
                        log_q(value));
    if (err == MD_FULL)
        return complain(r, "more than %u connections", CONFIG_MAX_BRIDGES);
    return err == MD_OK ? MD_OK : out_of_memory(r);
}

/* The struct that the row's offset is relative to. */
static int find_base(struct reader *r, const struct config_option *o, void **out)
{
    struct config_listener *l = NULL;
    if (o->scope == CONFIG_OF_ACCESS) {
        bool own = r->c.per_listener_settings && r->current != NO_LISTENER;
        *out = own ? &r->c.listeners[r->current].access : &r->c.access;
        r->access_line = r->access_line == 0 ? r->line : r->access_line;
        return MD_OK;
    }
    if (o->scope == CONFIG_GLOBAL) {
        *out = &r->c;
        return MD_OK;
    }
    if (o->scope == CONFIG_OF_BRIDGE) {
        if (r->c.n_bridges == 0)
            return complain(r,
                            "option '%s' belongs to a bridge: it stands below a line "
                            "`connection NAME`",
                            o->name);
        *out = &r->c.bridges[r->c.n_bridges - 1];
        return MD_OK;
    }
    if (o->scope == CONFIG_OF_LISTENER && r->current != NO_LISTENER) {
        *out = &r->c.listeners[r->current];
        return MD_OK;
    }
    int err = default_listener(r, &l);
    if (err == MD_OK)
        *out = l;
    return err;
}

static int take_file(void *reader, const char *file, struct span text);

/* Its files begin at the default listener, each of them, as mosquitto reads them. */
static int include(struct reader *r, const struct config_option *o, struct span value)
{
    struct reader saved = *r;
    char dir[512], why[CONFIG_ERR_MAX] = "";
    if (value.n > o->max)
        return bad_value(r, o, value);
    if (r->depth > 0)
        return complain(r, "option 'include_dir' may only stand in the main file");
    if (r->includes == NULL)
        return complain(r, "option 'include_dir' cannot be used here");
    (void)snprintf(dir, sizeof dir, "%.*s", SPAN_ARG(value));
    r->depth++;
    int err = r->includes->each(dir, take_file, r, why);
    r->file = saved.file;
    r->line = saved.line;
    r->current = saved.current;
    r->depth = saved.depth;
    return err != MD_OK && why[0] != '\0' ? complain(r, "%s", why) : err;
}

/* What is accepted and yet is not what the words say. */
static int remark(struct reader *r, const struct config_option *o, struct span value)
{
    if (o->scope == CONFIG_OF_BRIDGE) {
        const char *text = config_bridge_remark(o, &r->c.bridges[r->c.n_bridges - 1]);
        return text == NULL ? MD_OK : warn(r, "%s", text);
    }
    if (strcmp(o->name, "persistence_location") == 0)
        return warn(r,
                    "persistence_location: merossd keeps its state in its own folder (state_dir) "
                    "and leaves that of mosquitto alone; `merossd import mosquitto` brings it "
                    "over");
    if (strcmp(o->name, "dhparamfile") == 0)
        return warn(r, "dhparamfile is not used: merossd offers no DHE; ECDHE takes its place");
    if (strcmp(o->name, "log_type") == 0 && config_value_is(o, value, CONFIG_LOG_OTHER))
        return warn(r, "log_type %.*s: merossd logs that as part of `log_type debug`",
                    SPAN_ARG(value));
    return MD_OK;
}

static int set_option(struct reader *r, const struct config_option *o, struct span value)
{
    void *base = NULL;
    if (value.n == 0)
        return bad_value(r, o, value);
    if (o->type == CONFIG_LISTENER)
        return open_listener(r, o, value);
    if (o->type == CONFIG_BRIDGE)
        return open_bridge(r, o, value);
    if (o->type == CONFIG_INCLUDE)
        return include(r, o, value);
    if (r->access_line != 0 && strcmp(o->name, "per_listener_settings") == 0)
        return complain(r,
                        "option '%s' must stand above those it is about, the first of which is "
                        "in line %u",
                        o->name, r->access_line);
    int err = find_base(r, o, &base);
    if (err != MD_OK)
        return err;
    err = config_value_set(o, base, value);
    if (err == MD_INVAL)
        return bad_value(r, o, value);
    if (err == MD_EXIST)
        return complain(r, "option '%s' is set twice; remove one of the lines", o->name);
    if (err == MD_FULL)
        return complain(r, "option '%s' stands more than %u times", o->name, config_option_most(o));
    return err == MD_OK ? remark(r, o, value) : out_of_memory(r);
}

/* Names are printed as they are only when they look like names. */
static bool looks_like_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i] | 0x20;
        if (!(c >= 'a' && c <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_' &&
            s.p[i] != '.' && s.p[i] != '-')
            return false;
    }
    return s.n <= 64;
}

static int unknown_option(struct reader *r, struct span name)
{
    if (!looks_like_name(name))
        return complain(r, "unknown option %s", log_q(name));
    if (config_unknown_foreign(name))
        return warn(r, "option '%.*s' of mosquitto is ignored: %s", SPAN_ARG(name),
                    config_unknown_instead(name));
    const char *like = config_unknown_like(name);
    if (like != NULL)
        return complain(r, "unknown option '%.*s'; did you mean '%s'?", SPAN_ARG(name), like);
    return complain(r, "unknown option '%.*s'; `merossd help config` lists them all",
                    SPAN_ARG(name));
}

static int read_line(struct reader *r, struct span line)
{
    if (line.n > CONFIG_LINE_MAX)
        return complain(r, "line is longer than %u bytes", CONFIG_LINE_MAX);
    line = trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return MD_OK;
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == 0x7f || (line.p[i] < 0x20 && line.p[i] != '\t'))
            return complain(r, "control character 0x%02x in the line; this is not plain text",
                            line.p[i]);
    struct span rest = line;
    struct span name = take_word(&rest);
    const struct config_option *o = config_option_find(name);
    return o == NULL ? unknown_option(r, name) : set_option(r, o, rest);
}

static int read_lines(struct reader *r, struct span text)
{
    if (span_starts(text, "\xef\xbb\xbf")) /* editors of Windows put a mark first */
        text = span_skip(text, 3);
    int err = MD_OK;
    while (text.n > 0 && err == MD_OK) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        r->line++;
        err = read_line(r, span_of(text.p, n));
        text = span_skip(text, n + 1);
    }
    return err;
}

static int take_file(void *reader, const char *file, struct span text)
{
    struct reader *r = reader;
    size_t n = 0;
    while (r->c.included != NULL && r->c.included[n] != NULL)
        n++;
    int err = add_text(r, &r->c.included, n, file);
    if (err != MD_OK)
        return err;
    r->file = file;
    r->line = 0;
    r->current = NO_LISTENER;
    return read_lines(r, text);
}

static int check_listener(struct reader *r, size_t i)
{
    char what[CONFIG_FAULT_MAX];
    if (config_listener_check(&r->c, i, what) == MD_OK)
        return MD_OK;
    r->line = r->c.listeners[i].line;
    r->file = r->c.listeners[i].file;
    return complain(r, "%s", what);
}

static int check_bridge(struct reader *r, size_t i)
{
    const char *fault = config_bridge_fault(&r->c, i);
    r->line = r->c.bridges[i].line;
    r->file = r->c.bridges[i].file;
    return fault == NULL
               ? MD_OK
               : complain(r, "connection %s %s", log_q(span_str(r->c.bridges[i].name)), fault);
}

/* Texts get their default only when the file did not set them: a text is set once. */
static bool is_text(const struct config_option *o)
{
    return o->type == CONFIG_TEXT || o->type == CONFIG_TOPIC;
}

static bool unset(const struct config *c, const struct config_option *o)
{
    const void *at = (const char *)c + o->offset;
    return *(char *const *)at == NULL;
}

static int set_defaults(struct reader *r, bool texts)
{
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (o->scope == CONFIG_OF_BRIDGE)
            continue; /* each section begins with them */
        if (o->value_default == NULL || is_text(o) != texts || (texts && !unset(&r->c, o)))
            continue;
        int err = set_option(r, o, span_str(o->value_default));
        if (err != MD_OK)
            return err;
    }
    return MD_OK;
}

/* What the table cannot say as a text. */
static void set_first(struct config *c)
{
    broker_limits_default(&c->limits);
    c->log_facility = CONFIG_FACILITY_NONE;
}

int config_parse_with(struct config *out, const char *file, struct span text,
                      const struct config_includes *includes, char err[CONFIG_ERR_MAX])
{
    struct reader r = {.file = file, .includes = includes, .current = NO_LISTENER, .err = err};
    set_first(&r.c);
    int rc = set_defaults(&r, false);
    if (rc == MD_OK)
        rc = read_lines(&r, text);
    if (rc == MD_OK)
        rc = set_defaults(&r, true);
    for (size_t i = 0; i < r.c.n_listeners && rc == MD_OK; i++)
        rc = check_listener(&r, i);
    for (size_t i = 0; i < r.c.n_bridges && rc == MD_OK; i++)
        rc = check_bridge(&r, i);
    if (rc == MD_OK)
        *out = r.c;
    else
        config_free(&r.c);
    return rc;
}

int config_parse(struct config *out, const char *file, struct span text, char err[CONFIG_ERR_MAX])
{
    return config_parse_with(out, file, text, NULL, err);
}
